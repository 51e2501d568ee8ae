"""The broker as a Java process, from artifacts that Maven resolves."""

from __future__ import annotations

import asyncio
import ctypes
import hashlib
import os
import shutil
import signal
import subprocess
import sys
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple
from uuid import uuid4

from tests.kafka_broker.broker import LINES, SETTINGS, Broker, BrokerError
from tests.patience import PATIENCE
from tests.ports import free_ports

POM = Path(__file__).with_name("pom.xml")

#: Where the resolved class path is kept, inside the checkout and outside version control.
CACHE = POM.parents[2] / "target" / "kafka"

#: A small heap and quick starts matter more here than throughput after an hour.
JVM = (
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
)

#: Seconds for Maven to download some 40 MB over a slow line.
RESOLVE_PATIENCE = 900

MINIMUM_JAVA = 17


def missing() -> str | None:
    """What this machine lacks to start the broker with Java, or None."""
    java, maven = shutil.which("java"), shutil.which("mvn")
    if java is None or maven is None:
        return "no " + " and no ".join(name for name, found in (("java", java), ("mvn", maven)) if found is None)
    told = subprocess.run([java, "-XshowSettings:properties", "-version"], check=False, capture_output=True, text=True)
    for line in told.stderr.splitlines():
        name, _, value = line.strip().partition(" = ")
        if name == "java.specification.version":
            major = int(value.split(".")[0])
            return None if major >= MINIMUM_JAVA else f"java is {value}, not {MINIMUM_JAVA} or later"
    return "java does not tell its version"


def class_path() -> str:
    """The broker's class path; Maven resolves it once per content of the pom. Raises `BrokerError`."""
    name = hashlib.sha256(POM.read_bytes()).hexdigest()[:16]
    known = CACHE / f"{name}.classpath"
    if known.exists():
        found = known.read_text()
        if all(Path(jar).exists() for jar in found.split(os.pathsep)):
            return found
    CACHE.mkdir(parents=True, exist_ok=True)
    fresh = CACHE / f"{name}.{os.getpid()}"
    command = ["mvn", "-B", "-q", "-f", str(POM), "dependency:build-classpath", f"-Dmdep.outputFile={fresh}"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=RESOLVE_PATIENCE)
    if done.returncode:
        lines = (done.stdout + done.stderr).strip().splitlines() or ["no word why"]
        raise BrokerError(f"Maven could not resolve Kafka's artifacts: {lines[0]}")
    # Test runs side by side must never see half a file.
    fresh.replace(known)
    return known.read_text()


class Place(NamedTuple):
    """A node's place among others: its number, all controllers ("HOST:PORT") by number, and further settings."""

    number: int
    cluster: str
    controllers: Mapping[int, str]
    settings: Mapping[str, str] = MappingProxyType({})
    heap: str = "512m"

    @property
    def voters(self) -> str:
        return ",".join(f"{number}@{address}" for number, address in self.controllers.items())


def new_cluster() -> str:
    """The id of a new cluster."""
    return urlsafe_b64encode(uuid4().bytes).decode().rstrip("=")


class JavaBroker(Broker):
    """One node in KRaft mode, broker and controller in one process, data and log under `folder`.

    Without a place it is alone. The process ends with this one, however this one ends (Linux; elsewhere by an orderly
    end only).
    """

    def __init__(self, folder: Path, place: Place | None = None) -> None:
        self._place = place or Place(1, new_cluster(), {1: f"127.0.0.1:{free_ports(1)[0]}"})
        self._folder = folder
        self._log = folder / "broker.log"
        self._properties = folder / "server.properties"
        self._class_path = class_path()
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        self._settle()
        self._format()

    def _settle(self) -> None:
        """Chooses the addresses, and writes them down with all other settings."""
        port, secured = free_ports(2)
        self.bootstrap, self.secured = f"127.0.0.1:{port}", f"127.0.0.1:{secured}"
        controller = self._place.controllers[self._place.number]
        settings = SETTINGS | {
            "node.id": str(self._place.number),
            "listeners": f"PLAINTEXT://{self.bootstrap},SECURED://{self.secured},CONTROLLER://{controller}",
            "advertised.listeners": f"PLAINTEXT://{self.bootstrap},SECURED://{self.secured}",
            "controller.quorum.voters": self._place.voters,
            "log.dirs": str(self._folder / "data"),
            **self._place.settings,
        }
        self._properties.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))

    def _format(self) -> None:
        # One in 64 ids begins with a hyphen: apart from its option it would be taken for another.
        options = (f"--cluster-id={self._place.cluster}", "-c", str(self._properties))
        command = self._java("kafka.tools.StorageTool", "format", *options)
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=PATIENCE)
        if done.returncode:
            raise BrokerError(f"Kafka's storage could not be formatted: {(done.stderr or done.stdout).strip()}")

    def _java(self, *arguments: str) -> list[str]:
        return ["java", f"-Xmx{self._place.heap}", *JVM, "-cp", self._class_path, *arguments]

    def spawn(self) -> None:
        if self.alive():
            raise BrokerError(f"Kafka at {self.bootstrap} runs already")
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._java("kafka.Kafka", str(self._properties)),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C at the terminal is for the tests, which then end the broker.
                start_new_session=True,
                # It takes no lock between fork and exec, the danger that the rule warns of.
                preexec_fn=end_with_parent,  # noqa: PLW1509
            )

    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def last_words(self) -> list[str]:
        return self._log.read_text(errors="replace").strip().splitlines()[-LINES:] if self._log.exists() else []

    async def stop(self) -> None:
        await self._end(signal.SIGTERM)

    async def kill(self) -> None:
        await self._end(signal.SIGKILL)

    async def move(self) -> None:
        await self.stop()
        self._settle()
        await self.start()

    def pause(self) -> None:
        self._running().send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._running().send_signal(signal.SIGCONT)

    def remove(self) -> None:
        if self._process is not None and self.alive():
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._folder / "data", ignore_errors=True)

    async def _end(self, number: signal.Signals) -> None:
        process = self._running()
        process.send_signal(number)
        # A paused process takes no SIGTERM before it goes on.
        process.send_signal(signal.SIGCONT)
        await asyncio.to_thread(process.wait, PATIENCE)

    def _running(self) -> subprocess.Popen[bytes]:
        self.check_alive()
        assert self._process is not None
        return self._process


def end_with_parent() -> None:
    """In a child: on Linux the kernel is to kill it when its parent thread ends."""
    pr_set_pdeathsig = 1
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)
