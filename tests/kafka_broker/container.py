"""The broker as a container of the Kafka project's own image."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from uuid import uuid4

from tests.kafka_broker.broker import LINES, SETTINGS, Broker, BrokerError
from tests.ports import free_ports

IMAGE = "apache/kafka:4.1.1"

#: Seconds for a command of the client; the first `run` may have to pull the image.
PATIENCE = 600


def missing() -> str | None:
    """What this machine lacks to run containers, or None: beside the client an engine must answer."""
    if shutil.which("docker") is None:
        return "no docker"
    try:
        told = subprocess.run(["docker", "info"], check=False, capture_output=True, timeout=20)
    except subprocess.TimeoutExpired:
        return "no answer from a Docker engine"
    return None if told.returncode == 0 else "no Docker engine"


def run_command(name: str, port: int, secured: int, heir_of: str | None = None) -> list[str]:
    """The `docker run` of one node that is reached at 127.0.0.1, at these ports, from this machine alone.

    `heir_of`: a container that is stopped, whose data it goes on with.
    """
    settings = SETTINGS | {
        "listeners": f"PLAINTEXT://:{port},SECURED://:{secured},CONTROLLER://127.0.0.1:9093",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port},SECURED://127.0.0.1:{secured}",
        "controller.quorum.voters": "1@127.0.0.1:9093",
        # A volume of the image: another container can have it.
        "log.dirs": "/var/lib/kafka/data",
    }
    environment = [part for key, value in settings.items() for part in ("--env", f"{variable(key)}={value}")]
    heap = ["--env", "KAFKA_HEAP_OPTS=-Xmx512m"]
    publish = [part for one in (port, secured) for part in ("--publish", f"127.0.0.1:{one}:{one}")]
    volumes = ["--volumes-from", heir_of] if heir_of else []
    return ["docker", "run", "--detach", "--name", name, *volumes, *publish, *heap, *environment, IMAGE]


def variable(setting: str) -> str:
    """The environment variable from which the image takes a broker setting."""
    return "KAFKA_" + setting.upper().replace("-", "__").replace(".", "_")


class ContainerBroker(Broker):
    """One node in a container that keeps its port and its data over `stop`, `kill` and `start`."""

    def __init__(self) -> None:
        self._created = False
        self._settle()

    def _settle(self) -> None:
        """Chooses the name and the addresses."""
        self._port, self._secured_port = free_ports(2)
        self._name = f"parcelwatch-tests-{uuid4().hex[:12]}"
        self.bootstrap, self.secured = f"127.0.0.1:{self._port}", f"127.0.0.1:{self._secured_port}"

    def spawn(self) -> None:
        if self._created:
            self._docker("start", self._name)
            return
        self._run(run_command(self._name, self._port, self._secured_port))
        self._created = True

    def alive(self) -> bool:
        if not self._created:
            return False
        return self._docker("inspect", "--format", "{{.State.Running}}", self._name).strip() == "true"

    def last_words(self) -> list[str]:
        return self._docker("logs", "--tail", str(LINES), self._name).splitlines() if self._created else []

    async def stop(self) -> None:
        self.resume()
        await asyncio.to_thread(self._docker, "stop", "--time", "60", self._name)

    async def kill(self) -> None:
        self.resume()
        await asyncio.to_thread(self._docker, "kill", "--signal", "KILL", self._name)
        await asyncio.to_thread(self._docker, "wait", self._name)

    async def move(self) -> None:
        await self.stop()
        before = self._name
        self._settle()
        self._run(run_command(self._name, self._port, self._secured_port, before))
        self._docker("rm", before)
        await self.ready()

    def pause(self) -> None:
        self._docker("pause", self._name)

    def resume(self) -> None:
        if self._docker("inspect", "--format", "{{.State.Paused}}", self._name).strip() == "true":
            self._docker("unpause", self._name)

    def remove(self) -> None:
        if self._created:
            self._docker("rm", "--force", "--volumes", self._name)
            self._created = False

    def _docker(self, *arguments: str) -> str:
        return self._run(["docker", *arguments])

    @staticmethod
    def _run(command: list[str]) -> str:
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=PATIENCE)
        if done.returncode:
            raise BrokerError(f"docker {command[1]}: {done.stderr.strip()}")
        return done.stdout + (done.stderr if command[1] == "logs" else "")
