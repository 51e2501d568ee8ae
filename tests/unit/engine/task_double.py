"""A processor that tells what it was told, in a dataflow of one kind with an edge to itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from streams.engine.log.interface import Fetched, TopicPartition
from streams.engine.processor import (
    Dataflow,
    Edge,
    Effects,
    ExternalInput,
    Horizon,
    PartitionClock,
    Record,
    TaskKind,
)
from streams.engine.task import Task

HOUR = 3_600_000_000
#: 2026-03-02T00:00:00Z.
T0 = 1_772_409_600_000_000

DATAFLOW = Dataflow(
    kinds=(TaskKind("k", (ExternalInput("a", 60), ExternalInput("b", 0)), {"all": ("a", "b", "loop")}),),
    edges=(Edge("loop", "k", "k", ("a",), HOUR),),
)


class Double:
    """A processor that takes times, tells what it was told, and sends what it is made to send."""

    def __init__(self) -> None:
        self.horizons: list[Horizon] = []
        #: What it had been told before it took the last events.
        self.before: list[Horizon] = []
        self.effects = Effects()
        self.taken: list[Any] = []
        self.more = 0
        self.unsettled = 0
        self.restored: dict[bytes, bytes] = {}

    def events(self, topic: str, partition: int, records: Sequence[Record], clock: PartitionClock) -> None:
        self.before = list(self.horizons)
        for record in records:
            clock.passed(int(record.value or b""))

    def envelope(self, edge: str, source: int, records: Sequence[Any]) -> None:
        self.taken += records
        self.effects.rows[b"got"] = repr((edge, source, records)).encode()

    def advance(self, horizons: Mapping[str, Horizon]) -> bool:
        self.horizons.append(horizons["all"])
        self.more = max(self.more - 1, -1)
        return self.more >= 0

    def collect(self) -> Effects:
        effects, self.effects = self.effects, Effects()
        return effects

    def restore(self, rows: Iterable[tuple[bytes, bytes]]) -> None:
        self.restored = dict(rows)


def times(topic: str, *listed: int, offset: int = 0) -> Fetched:
    records = [Record(offset + number, 0, b"", b"%d" % time) for number, time in enumerate(listed)]
    return Fetched(TopicPartition(topic, 0), records, offset + len(records))


def settle(task: Task) -> None:
    while task.advance():
        pass
