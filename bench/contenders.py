"""The contenders: how each is prepared, started, and known to have finished."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench import install
from bench.scans import END, Alert
from bench.traffic import from_parcelwatch, from_peer

#: parcelwatch reads and writes topics of fixed names; the others take what they are told.
SCANS_TOPIC, ALERTS_TOPIC = "logistics-scans", "alerts.platform"
#: What Flink needs of a JVM since Java 17, for copies of what it does not know.
_OPEN = ("--add-opens=java.base/java.util=ALL-UNNAMED", "--add-opens=java.base/java.lang=ALL-UNNAMED")


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


def worker(run: Run, *options: str) -> list[str]:
    """The command of a parcelwatch worker."""
    start = [sys.executable, "-m", "streams", "worker", "--broker", f"kafka://{run.bootstrap}"]
    # Contenders write to the same outputs, one behind the other.
    return [*start, "--app-id", run.group, "--begin-anew", *options]


def stored(store: str, folder: Path) -> list[str]:
    """The options of a worker whose state is there, or in a store of that name."""
    if store == MEMORY:
        return []
    return ["--store", "rocksdict" if store == DISK else store, "--state-dir", str(folder)]


def to_the_end() -> list[str]:
    """The options of a worker that ends when all scans have been judged."""
    return ["--clock", datetime.fromtimestamp(END, UTC).isoformat(), "--once"]


def _parcelwatch(store: str, native: str) -> Callable[[Run], list[str]]:
    return lambda run: worker(run, *to_the_end(), "--native", native, *stored(store, run.folder))


def _arguments(run: Run) -> list[str]:
    return [run.bootstrap, run.group, run.scans, run.alerts, str(run.folder)]


def _quix(run: Run) -> list[str]:
    return [install.PYTHON_PEERS.python, str(install.PEERS / "quix_app.py"), *_arguments(run)]


def _faust(run: Run) -> list[str]:
    return [install.PYTHON_PEERS.python, str(install.PEERS / "faust_app.py"), *_arguments(run), "worker"]


def _pyflink(mode: str) -> Callable[[Run], list[str]]:
    program = str(install.PEERS / "pyflink_app.py")
    return lambda run: [install.PYFLINK.python, program, *_arguments(run), mode, str(install.connector())]


def _java(peer: str, run: Run, *options: str, jvm: Sequence[str] = ()) -> list[str]:
    built = install.BUILT / peer
    quiet = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
    start = ["java", "-Xmx1g", quiet, *jvm, "-cp", f"{built / 'classes'}:{built / 'lib' / '*'}", "bench.StallWatch"]
    return [*start, *_arguments(run), *options]


def kafka_streams(store: str) -> Callable[[Run], list[str]]:
    """The command of the peer with Kafka Streams and that store: memory or rocksdb."""
    return lambda run: _java("kafka-streams", run, store)


def _flink(backend: str, milliseconds: int) -> Callable[[Run], list[str]]:
    return lambda run: _java("flink", run, backend, str(milliseconds), jvm=_OPEN)


MEMORY, DISK = "memory", "disk"
_EXACT = "exactly once"
CONTENDERS = (
    Contender("parcelwatch-native", "parcelwatch worker with native, state in memory", MEMORY, _EXACT,
              _parcelwatch(MEMORY, "on"), install.native, from_parcelwatch, ours=True),
    Contender("parcelwatch-native-file", "parcelwatch worker with native, row files on disk", DISK, _EXACT,
              _parcelwatch("file", "on"), install.native, from_parcelwatch, ours=True),
    Contender("parcelwatch-native-rocksdict", "parcelwatch worker with native, rocksdict", DISK, _EXACT,
              _parcelwatch(DISK, "on"), install.native, from_parcelwatch, ours=True),
    Contender("parcelwatch", "parcelwatch worker, state in memory", MEMORY, _EXACT,
              _parcelwatch(MEMORY, "off"), install.nothing, from_parcelwatch, ours=True),
    Contender("parcelwatch-rocksdict", "parcelwatch worker, rocksdict", DISK, _EXACT,
              _parcelwatch(DISK, "off"), install.nothing, from_parcelwatch, ours=True),
    Contender("kafka-streams", "Kafka Streams 4.1.1, state in memory", MEMORY, _EXACT,
              kafka_streams("memory"), install.kafka_streams, from_peer),
    Contender("kafka-streams-rocksdb", "Kafka Streams 4.1.1, RocksDB", DISK, _EXACT,
              kafka_streams("rocksdb"), install.kafka_streams, from_peer),
    Contender("flink-heap-500ms", "Flink 2.2.1, heap, a checkpoint each 0.5 s", MEMORY, _EXACT,
              _flink("hashmap", 500), install.flink, from_peer),
    Contender("flink-heap-5s", "Flink 2.2.1, heap, a checkpoint each 5 s", MEMORY, _EXACT,
              _flink("hashmap", 5000), install.flink, from_peer),
    Contender("flink-rocksdb-500ms", "Flink 2.2.1, RocksDB, a checkpoint each 0.5 s", DISK, _EXACT,
              _flink("rocksdb", 500), install.flink, from_peer),
    Contender("flink-rocksdb-5s", "Flink 2.2.1, RocksDB, a checkpoint each 5 s", DISK, _EXACT,
              _flink("rocksdb", 5000), install.flink, from_peer),
    Contender("quix", "Quix Streams 3.28.1, RocksDB, deadlines in memory", DISK, _EXACT,
              _quix, install.PYTHON_PEERS.ready, from_peer),
    Contender("pyflink-thread", "PyFlink 2.2.1, thread mode, heap", MEMORY, _EXACT,
              _pyflink("thread"), install.pyflink, from_peer, most=400_000),
    Contender("pyflink-process", "PyFlink 2.2.1, process mode, heap", MEMORY, _EXACT,
              _pyflink("process"), install.pyflink, from_peer, most=60_000),
    Contender("faust", "Faust 0.15.3, table in memory", MEMORY, "at least once",
              _faust, install.PYTHON_PEERS.ready, from_peer, most=60_000),
)  # fmt: skip
