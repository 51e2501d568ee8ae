"""Who is measured: how each is made ready, started, and known to have come to the end."""

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
PARCELWATCH = "parcelwatch"
#: parcelwatch reads topics of fixed names; the others take what they are told.
SCANS_TOPIC = "logistics-scans"


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

    `ends`: its process ends by itself. `commits`: the offsets of its group tell that it has read everything.
    """

    name: str
    what: str
    guarantee: str
    command: Callable[[Run], Sequence[str]]
    ready: Callable[[], None]
    decode: Callable[[bytes], Alert | None]
    most: int | None = None
    ends: bool = False


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


def _kafka_streams() -> None:
    _run(["mvn", "-B", "-q", "-f", str(_POM), "process-classes"])


def _parcelwatch(run: Run) -> list[str]:
    end = datetime.fromtimestamp(END, UTC).isoformat()
    worker = [sys.executable, "-m", "streams", "worker", "--broker", f"kafka://{run.bootstrap}"]
    return [*worker, "--app-id", run.group, "--clock", end, "--once"]


def _python(program: str) -> Callable[[Run], list[str]]:
    def command(run: Run) -> list[str]:
        arguments = [run.bootstrap, run.group, run.scans, run.alerts, str(run.folder)]
        extra = ["worker"] if program == "faust_app.py" else []
        return [str(PEERS / "bin" / "python"), str(HERE / "peers" / program), *arguments, *extra]

    return command


def _java(store: str) -> Callable[[Run], list[str]]:
    def command(run: Run) -> list[str]:
        path = f"{_BUILT / 'classes'}:{_BUILT / 'lib' / '*'}"
        arguments = [run.bootstrap, run.group, run.scans, run.alerts, str(run.folder), store]
        quiet = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
        return ["java", "-Xmx1g", quiet, "-cp", path, "bench.StallWatch", *arguments]

    return command


EXACT = "exactly once"
CONTENDERS = (
    Contender(PARCELWATCH, "parcelwatch worker, state in memory", EXACT,
              _parcelwatch, _nothing, from_parcelwatch, ends=True),
    Contender("kafka-streams", "Kafka Streams 4.1.1, state in memory", EXACT,
              _java("memory"), _kafka_streams, from_peer),
    Contender("kafka-streams-rocksdb", "Kafka Streams 4.1.1, RocksDB", EXACT,
              _java("rocksdb"), _kafka_streams, from_peer),
    Contender("quix", "Quix Streams 3.28.1, RocksDB, deadlines in memory", EXACT,
              _python("quix_app.py"), _python_peers, from_peer),
    Contender("faust", "Faust 0.15.3, table in memory", "at least once",
              _python("faust_app.py"), _python_peers, from_peer, most=60_000),
)  # fmt: skip
