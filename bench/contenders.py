"""The contenders: how each is prepared, started, and known to have finished."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.scans import END, Alert
from bench.traffic import from_parcelwatch, from_peer

HERE = Path(__file__).parent
ROOT = HERE.parent
#: The peers' own environment: nothing of theirs comes into the product's.
PEERS = ROOT / ".venv-bench"
_REQUIREMENTS = HERE / "peers" / "requirements.txt"
_POM = HERE / "peers" / "kafka-streams" / "pom.xml"
_BUILT = ROOT / "target" / "bench" / "kafka-streams"
#: parcelwatch reads and writes topics of fixed names; the others take what they are told.
SCANS_TOPIC, ALERTS_TOPIC = "logistics-scans", "alerts.platform"


class NotReadyError(RuntimeError):
    """A contender cannot be made ready; the text is one line."""


@dataclass(frozen=True, slots=True)
class Run:
    """One start of a contender."""

    bootstrap: str
    group: str
    scans: str
    alerts: str
    folder: Path


@dataclass(frozen=True, slots=True)
class Contender:
    """`most`: scans that it is given at the most, where all of them would take an hour.

    `ours`: parcelwatch itself, whose process ends by itself once all is done; the others are told to. `store`: where
    its state is.
    """

    name: str
    what: str
    store: str
    guarantee: str
    command: Callable[[Run], Sequence[str]]
    ready: Callable[[], None]
    decode: Callable[[bytes], Alert | None]
    most: int | None = None
    ours: bool = False


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        lines = (done.stderr + done.stdout).strip().splitlines() or ["no word why"]
        raise NotReadyError(f"{command[0]} {command[1]}: {lines[-1]}")


def _nothing() -> None:
    """The product is there."""


def _python_peers() -> None:
    stamp = PEERS / ".ready"
    wanted = _REQUIREMENTS.read_text()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    _run([sys.executable, "-m", "venv", "--clear", str(PEERS)])
    # No tool that looks through the checkout is to look in here.
    (PEERS / ".gitignore").write_text("*\n")
    pip = [str(PEERS / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _run([*pip, "--requirement", str(_REQUIREMENTS)])
    stamp.write_text(wanted)


def kafka_streams() -> None:
    """Builds the peer in Java, where it is not built yet."""
    _run(["mvn", "-B", "-q", "-f", str(_POM), "process-classes"])


def worker(run: Run, *options: str) -> list[str]:
    """The command of a parcelwatch worker."""
    start = [sys.executable, "-m", "streams", "worker", "--broker", f"kafka://{run.bootstrap}"]
    # Contenders write to the same outputs, one behind the other.
    return [*start, "--app-id", run.group, "--begin-anew", *options]


def stored(store: str, folder: Path) -> list[str]:
    """The options of a worker whose state is there."""
    return [] if store == MEMORY else ["--store", "rocksdict", "--state-dir", str(folder)]


def to_the_end() -> list[str]:
    """The options of a worker that ends when all scans have been judged."""
    return ["--clock", datetime.fromtimestamp(END, UTC).isoformat(), "--once"]


def _parcelwatch(store: str) -> Callable[[Run], list[str]]:
    return lambda run: worker(run, *to_the_end(), *stored(store, run.folder))


def _python(program: str) -> Callable[[Run], list[str]]:
    def command(run: Run) -> list[str]:
        arguments = [run.bootstrap, run.group, run.scans, run.alerts, str(run.folder)]
        extra = ["worker"] if program == "faust_app.py" else []
        return [str(PEERS / "bin" / "python"), str(HERE / "peers" / program), *arguments, *extra]

    return command


def java(store: str) -> Callable[[Run], list[str]]:
    """The command of the peer in Java with that store: memory or rocksdb."""

    def command(run: Run) -> list[str]:
        path = f"{_BUILT / 'classes'}:{_BUILT / 'lib' / '*'}"
        arguments = [run.bootstrap, run.group, run.scans, run.alerts, str(run.folder), store]
        quiet = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
        return ["java", "-Xmx1g", quiet, "-cp", path, "bench.StallWatch", *arguments]

    return command


MEMORY, DISK = "memory", "disk"
_EXACT = "exactly once"
CONTENDERS = (
    Contender("parcelwatch", "parcelwatch worker, state in memory", MEMORY, _EXACT,
              _parcelwatch(MEMORY), _nothing, from_parcelwatch, ours=True),
    Contender("parcelwatch-rocksdict", "parcelwatch worker, rocksdict", DISK, _EXACT,
              _parcelwatch(DISK), _nothing, from_parcelwatch, ours=True),
    Contender("kafka-streams", "Kafka Streams 4.1.1, state in memory", MEMORY, _EXACT,
              java("memory"), kafka_streams, from_peer),
    Contender("kafka-streams-rocksdb", "Kafka Streams 4.1.1, RocksDB", DISK, _EXACT,
              java("rocksdb"), kafka_streams, from_peer),
    Contender("quix", "Quix Streams 3.28.1, RocksDB, deadlines in memory", DISK, _EXACT,
              _python("quix_app.py"), _python_peers, from_peer),
    Contender("faust", "Faust 0.15.3, table in memory", MEMORY, "at least once",
              _python("faust_app.py"), _python_peers, from_peer, most=60_000),
)  # fmt: skip
