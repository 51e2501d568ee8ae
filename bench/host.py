"""One task outside a worker: its processor, driven as by the engine, and what a commit writes to disk.

For figures of the state alone, without Kafka. The processor is told that every input is known up to one watermark.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from schemas.events import SCANS
from streams.engine.clock import system_now
from streams.engine.partitioner import partition_for
from streams.engine.processor import Effects, Horizon, PartitionClock, Record
from streams.engine.store.file import FileStore
from streams.engine.store.interface import CommittedTable, Copy, Origin, Store
from streams.engine.store.memory import MemoryStore
from streams.engine.store.rocks import RocksStore
from streams.engine.table import Tabled
from streams.engine.task import prefix_of
from streams.engine.topology import TaskId
from streams.policy import load
from streams.stages.dataflow import ORDERS_TASK, SHIPMENTS_TASK, dataflow
from streams.stages.factory import processor
from streams.stages.shipments.native_scans import chosen
from streams.stages.task_context import Setting

_STORES = ("memory", "rocksdict")
_NATIVELY = ", natively"
#: With the part in Rust, too, where it is installed; the store of files is of it alone.
STORES = (*_STORES, *(f"{store}{_NATIVELY}" for store in (*_STORES, "file") if find_spec("parcelwatch_native")))
POLICY = load.default()
_FLOW = dataflow(POLICY)
#: All of it is partition 0.
PARTITION = 0


class Scan(NamedTuple):
    """One scan as it reaches Kafka, at `at` (milliseconds)."""

    key: bytes
    value: bytes
    at: int


def as_the_command_does() -> None:
    """The collector as `parcelwatch` sets it: see `streams.cli`."""
    gc.freeze()
    gc.set_threshold(200_000, 50, 1_000)


def is_in_memory(store: str) -> bool:
    """Whether the rows of one of `STORES` are in memory."""
    return store.startswith(_STORES[0])


def copy_of(store: str, folder: Path, kind: str) -> Copy:
    """Where a commit's rows go on this machine."""
    kept: Store
    native = chosen("auto")
    if is_in_memory(store):
        kept = MemoryStore()
    elif store.startswith("file") and native is not None:
        kept = FileStore(folder, native)
    else:
        kept = RocksStore(folder)
    copy = kept.open(TaskId(kind, PARTITION))
    copy.hold(Origin("bench", kind, PARTITION, b"bench"), 0)
    return copy


class Host:
    """One task of a kind with one partition; what it sends over an edge to its own kind comes back to it.

    `longest` is the longest time (seconds) that any one step kept the event loop from others; `written` how many bytes
    of keys and rows were committed.
    """

    def __init__(self, kind: str, store: str, folder: Path) -> None:
        self._kind = _FLOW.kind(kind)
        self._own = {edge.name for edge in _FLOW.edges if edge.source == edge.target == kind}
        native = chosen("on" if store.endswith(_NATIVELY) else "off")
        self._processor = processor(Setting(POLICY, 1, 1, partition_for, system_now, native=native), kind, PARTITION)
        self._copy = copy_of(store, folder, kind)
        self._table: CommittedTable | None = None
        if isinstance(self._processor, Tabled):
            self._table = self._copy.table(prefix_of(self._processor.letter))
            if self._table is not None:
                self._processor.attach(self._table)
        self._processor.restore(())
        self._clocks = {item.topic: PartitionClock(item.lateness) for item in self._kind.inputs}
        self._commits = 0
        self.longest = 0.0
        self.written = 0

    def take(self, topic: str, records: Sequence[Record]) -> None:
        """A batch as it is fetched."""
        self._timed(lambda: self._processor.events(topic, PARTITION, records, self._clocks[topic]))

    def hear(self, edge: str, records: Sequence[Any]) -> None:
        """What another kind of task sent."""
        self._timed(lambda: self._processor.envelope(edge, PARTITION, records))

    def watermark(self, topic: str) -> int:
        """Of an external topic, by what was taken of it."""
        clock = self._clocks[topic]
        return clock.greatest - clock.lateness

    def advance(self, watermark: int) -> None:
        """Everything is known up to there."""
        horizons = dict.fromkeys(self._kind.horizons, Horizon(watermark))
        while self._timed(lambda: self._processor.advance(horizons)):
            pass

    def commit(self) -> Effects:
        """Collects, hands back what it tells its own kind, and writes the rows."""
        effects: Effects = self._timed(self._processor.collect)
        for edge in self._own & effects.sends.keys():
            for records in effects.sends[edge].values():
                self.hear(edge, records)
        self._commits += 1
        changes = effects.changes()
        self.written += sum(len(key) + len(row or b"") for key, row in changes.items())
        # In a thread, in a worker: it keeps nobody from his turn.
        if self._table is not None:
            self._table.collected()
        self._copy.write(changes, self._commits)
        if self._table is not None:
            self._table.committed()
        return effects

    def close(self) -> None:
        self._copy.close()

    def _timed(self, step: Callable[[], Any]) -> Any:
        began = time.perf_counter()
        done = step()
        self.longest = max(self.longest, time.perf_counter() - began)
        return done


class Shipments(Host):
    """The task of the shipments: scans in, commits when there are as many as a worker has in an interval or so."""

    _EVERY = 20_000

    def __init__(self, store: str, folder: Path) -> None:
        super().__init__(SHIPMENTS_TASK, store, folder)
        self._taken = 0
        self._since = 0

    def scans(self, batch: Sequence[Scan]) -> list[Effects]:
        """Takes scans, advances, and commits every now and then."""
        records = [Record(self._taken + place, at, key, value) for place, (key, value, at) in enumerate(batch)]
        self._taken += len(records)
        self._since += len(records)
        self.take(SCANS, records)
        self.advance(self.watermark(SCANS))
        if self._since < self._EVERY:
            return []
        self._since = 0
        return [self.commit()]


class Orders(Host):
    """The task of the orders."""

    def __init__(self, store: str, folder: Path) -> None:
        super().__init__(ORDERS_TASK, store, folder)
