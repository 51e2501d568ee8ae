"""The interface between the engine and the logic that it runs; it knows nothing of the domain.

A *dataflow* is two or more kinds of *task*. A task owns one partition number of its input topics, keeps keyed state,
and is driven by the engine in three steps that never await:

1. inputs: `events` for a batch of external records, `envelope` for what another task sent;
2. `advance` once the watermarks of the inputs have moved: settle events, judge deadlines;
3. `collect` before a commit: everything to write, atomically, with the input offsets.

Times are integers: microseconds since 1970-01-01T00:00:00Z.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, runtime_checkable

#: Before every event: the watermark of an input that has had no event yet.
BEGINNING = -(1 << 62)
#: Keys of a processor's rows begin with it in the changelog, beside the engine's own.
PREFIX = b"p"


class Horizon(NamedTuple):
    """Progress of a set of inputs: deadlines below `watermark` have passed, events below it are settled.

    `final` says that nothing follows (the end of a replay or of `--clock TIME`): events *at* the watermark are
    settled too; deadlines at it still have not passed.
    """

    watermark: int
    final: bool = False

    @property
    def settled(self) -> int:
        """Events with a time below this are settled."""
        return self.watermark + 1 if self.final else self.watermark


@dataclass(frozen=True, slots=True)
class ExternalInput:
    """A topic that upstream systems write; the task of partition p reads partition p.

    `lateness` (microseconds) is the expected disorder: how far the watermark trails the greatest event time.
    `known_as`: its name for the logic, the horizons and the edges, if that is not the topic's name in the log.
    """

    topic: str
    lateness: int
    known_as: str | None = None

    @property
    def name(self) -> str:
        return self.topic if self.known_as is None else self.known_as


@dataclass(frozen=True, slots=True)
class Edge:
    """An internal topic from every task of one kind to the tasks of another (or the same) kind.

    The watermark that travels on it is the least over `depends`: names of external topics and of edges that the
    sending task reads. A *broadcast* edge delivers each record to every receiving task. Without records an envelope
    goes out only when the watermark enters a new `granularity` (microseconds) or becomes final.
    """

    name: str
    source: str
    target: str
    depends: tuple[str, ...]
    granularity: int
    broadcast: bool = False


@dataclass(frozen=True, slots=True)
class TaskKind:
    """One kind of task: its external inputs, and the named horizons that its logic asks for.

    `horizons` maps a name to the inputs (external topics, edges) over which the least is taken.
    """

    name: str
    inputs: tuple[ExternalInput, ...]
    horizons: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Dataflow:
    """All kinds of task and the edges between them. `outputs`: external topics that must exist, to be written to."""

    kinds: tuple[TaskKind, ...]
    edges: tuple[Edge, ...]
    outputs: tuple[str, ...] = ()

    def kind(self, name: str) -> TaskKind:
        return next(kind for kind in self.kinds if kind.name == name)

    def edge(self, name: str) -> Edge:
        return next(edge for edge in self.edges if edge.name == name)

    def edges_into(self, kind: str) -> tuple[Edge, ...]:
        return tuple(edge for edge in self.edges if edge.target == kind)

    def edges_from(self, kind: str) -> tuple[Edge, ...]:
        return tuple(edge for edge in self.edges if edge.source == kind)


class Record(NamedTuple):
    """One external record as the log holds it. `timestamp` is the log's own, in milliseconds."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


class Unread(Record):
    """Stands for records of a batch that cannot be read, at the offset of the batch's last; its value is empty."""

    __slots__ = ()


@dataclass(slots=True)
class PartitionClock:
    """Event time of one external partition.

    Before it looks at the next record, the logic raises `greatest` to the greatest event time that it accepted, but
    not past `ceiling`, if set (the present: an event dated ahead of it moves no watermark further). An event older
    than `greatest - lateness` when it is read is late. Events after `until` are left out and counted.
    The engine raises `greatest` too, when a partition read to its end follows a clock.
    """

    lateness: int
    until: int | None = None
    ceiling: int | None = None
    greatest: int = BEGINNING
    late: int = 0
    left_out: int = 0

    def passed(self, time: int) -> bool:
        """Takes the time of the next event; returns whether it is late."""
        if time > self.greatest:
            self.greatest = time if self.ceiling is None or time <= self.ceiling else max(self.greatest, self.ceiling)
            return False
        return time < self.greatest - self.lateness


class Output(NamedTuple):
    """One record for an external output topic; the log chooses the partition by murmur2 of the key."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


@dataclass(slots=True)
class Effects:
    """What one commit writes beside the input offsets.

    `sends`: per edge, per receiving partition (for a broadcast edge: under -1) the records, in order; each is
    anything that MessagePack can hold. `rows`: changed rows of the state, a tombstone (None) where one is gone.
    `keyed`: more of them, whose keys begin with `PREFIX` already; of a row that is in both, this one holds.
    """

    outputs: list[Output] = field(default_factory=list)
    sends: dict[str, dict[int, list[Any]]] = field(default_factory=dict)
    rows: dict[bytes, bytes | None] = field(default_factory=dict)
    keyed: dict[bytes, bytes | None] = field(default_factory=dict)

    def changes(self) -> dict[bytes, bytes | None]:
        """All changed rows by the keys that they have in the changelog. To be called once."""
        # There may be one of these for every record that was read: they are not gone through again.
        changes = self.keyed
        for key, row in self.rows.items():
            changes.setdefault(PREFIX + key, row)
        return changes


@runtime_checkable
class Bounded(Protocol):
    """A processor that tells how many of its entries no watermark has passed yet."""

    @property
    def unsettled(self) -> int: ...


@runtime_checkable
class Prompt(Protocol):
    """A processor that tells whether it has something to hand over for which somebody waits."""

    @property
    def awaited(self) -> bool: ...


@runtime_checkable
class Laden(Protocol):
    """A processor whose outputs may be large: as large as what it reads."""

    @property
    def held(self) -> int:
        """Bytes of those that it hands over next."""


@runtime_checkable
class Measured(Protocol):
    """A processor that tells how large its state is."""

    @property
    def sizes(self) -> Mapping[str, int]:
        """The number of rows by table; of a table on disk an estimate."""

    @property
    def due_bytes(self) -> int:
        """The size of its due index."""


class Processor(Protocol):
    """The logic of one task. Deterministic, synchronous; it reads no clock and does no I/O."""

    def events(self, name: str, partition: int, records: Sequence[Record], clock: PartitionClock, /) -> None:
        """Takes a batch of one external partition, in offset order. `name`: the topic's name for the logic."""

    def envelope(self, edge: str, source: int, records: Sequence[Any], /) -> None:
        """Takes what task number `source` of the edge's sending kind sent in one transaction."""

    def advance(self, horizons: Mapping[str, Horizon]) -> bool:
        """Settles and judges up to the horizons. True: a slice is done and there is more; call it again."""

    def collect(self) -> Effects:
        """Hands over everything since the last call. `restore` rebuilds an equal processor from the rows."""

    def restore(self, rows: Iterable[tuple[bytes, bytes]]) -> None:
        """Rebuilds the state from the live rows of the changelog, each key once, before any other call."""
