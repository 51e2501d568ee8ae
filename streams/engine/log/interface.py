"""The log interface that the engine is written against.

Every method may raise `LogError`. Reads see committed records only. Offsets of a partition increase, with gaps: a
transaction marker takes one too, so a partition is read to its end when the position is at or past its end offset. An
open transaction keeps the position from getting there: it stops at the last stable offset.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from streams.engine.processor import Output, Record
from streams.engine.rights import Right


class TopicPartition(NamedTuple):
    """One partition of one topic."""

    topic: str
    partition: int


class TopicSpec(NamedTuple):
    """A topic to create."""

    topic: str
    partitions: int
    config: Mapping[str, str]


class Topic(NamedTuple):
    """An existing topic. `id` tells it from earlier and later topics of the same name; empty if the log has no ids."""

    id: bytes
    partitions: int


class Fetched(NamedTuple):
    """Records of one partition, in offset order. `next` is the position after them; `records` may be empty.

    Records are duck-typed: any object with the attributes of `Record` will do.

    `epoch` is that of the last `seek` before the read.
    """

    source: TopicPartition
    records: Sequence[Record]
    next: int
    epoch: int = 0


class Rows(NamedTuple):
    """Keys and rows of a changelog, in offset order; None is a tombstone. `next` is the position after them."""

    rows: Sequence[tuple[bytes, bytes | None]]
    next: int


class Committed(NamedTuple):
    """A committed offset and its metadata text."""

    offset: int
    metadata: str


@dataclass(slots=True)
class Transaction:
    """Everything that one commit of one task writes, atomically.

    `envelopes` go to the partitions they name, outputs to the partition of their key, `rows` to `changelog`. `wall` is
    the latest clock reading that the results depend on, in microseconds: a log with a clock of its own refuses the
    commit if that is minutes ahead.
    """

    changelog: TopicPartition
    outputs: list[Output] = field(default_factory=list)
    envelopes: list[tuple[TopicPartition, bytes]] = field(default_factory=list)
    rows: dict[bytes, bytes | None] = field(default_factory=dict)
    offsets: dict[TopicPartition, Committed] = field(default_factory=dict)
    wall: int = 0


class Writer(Protocol):
    """The right to write for one task. After any error a writer is unusable: close it and open another."""

    async def resume(self, changelog: TopicPartition, saved: Mapping[bytes, bytes]) -> None:
        """Completes what a previous writer may have left half done. `saved`: the live rows of the changelog.

        Call it before the first commit, unless the changelog ends with a commit of one's own. Raises `FatalError` if
        the rows were written under another processing guarantee.
        """

    async def commit(self, transaction: Transaction) -> int | None:
        """Commits atomically, in a transaction or so that a crash leaves all or nothing.

        Raises `ClockError` if `wall` is ahead of the log's clock, `FencedError` if the task has been taken over,
        `FatalError` if an output topic does not exist. After any other error the outcome is unknown.

        Returns the changelog offset after the commit: as long as it is the changelog's end offset, nobody has written
        there since. None if there are no rows.
        """

    async def close(self) -> None:
        """Aborts whatever is open. Never raises."""


class Listener(Protocol):
    """Rebalance callbacks of a group member. Both are awaited before the member goes on."""

    async def on_revoked(self, partitions: frozenset[TopicPartition]) -> None:
        """The member is about to lose these."""

    async def on_assigned(self, partitions: frozenset[TopicPartition]) -> None:
        """This is now the whole assignment. Nothing is fetched from a partition before `seek`."""


class Shared(NamedTuple):
    """One member's share of the group's partitions, and the data sent along with it."""

    partitions: frozenset[TopicPartition]
    told: bytes = b""


class Assignor(Protocol):
    """Assigns a group's partitions to its members. Each member has one; the group leader's does the work."""

    def told(self) -> bytes:
        """The data that this member sends whenever it joins."""

    def share(self, partitions: Mapping[str, int], members: Mapping[str, bytes]) -> Mapping[str, Shared]:
        """Each member's share. `partitions`: their number by topic; `members`: the data each sent, possibly empty."""

    def hear(self, told: bytes) -> None:
        """Takes the data sent with this member's share; called before the listener's `on_assigned`."""


class Member(Protocol):
    """One member of a consumer group. Without an assignor, co-partitioned topics are assigned alike."""

    def seek(self, source: TopicPartition, offset: int, epoch: int = 0) -> None:
        """Sets the position to `offset`. Does nothing if the partition is no longer assigned to the member.

        A fetch may be in flight: its records carry the epoch of the seek that preceded it, so the caller can tell stale
        records, to be dropped, from current ones, which will not be fetched again.
        """

    async def fetch(self, sources: Collection[TopicPartition], records: int, seconds: float) -> Sequence[Fetched]:
        """Fetches from these partitions, in batches of at most `records`; waits up to `seconds`.

        Raises `LostMemberError` if no further call would help, `OutOfRangeError` if a position is no longer in its
        partition.
        """

    def rejoin(self) -> None:
        """Requests a rebalance."""

    def check(self) -> None:
        """Raises the error that the member met in the background, and lets it try again.

        `LostMemberError` if no further call would help, `FatalError` if another member has taken its place.
        """

    @property
    def coordinated(self) -> bool:
        """Whether the group coordinator answers, as far as the member knows."""

    @property
    def name(self) -> str:
        """The id by which the group knows the member; empty before it has joined."""

    async def tell(self, offsets: Mapping[TopicPartition, Committed]) -> None:
        """Commits offsets that nobody reads from, for who looks at the group from outside.

        A log whose groups nobody can look at keeps nothing. The group takes nothing from a member that it has lost.
        """

    async def close(self) -> None:
        """Leaves the group. Never raises."""


class Tail(Protocol):
    """Follows changelog partitions as they grow, outside the consumer group."""

    def follow(self, positions: Mapping[TopicPartition, int]) -> None:
        """Follows exactly these from now on, from these offsets."""

    async def read(self, seconds: float) -> Sequence[tuple[TopicPartition, Rows]]:
        """Reads up to a few thousand rows across all partitions; waits up to `seconds`.

        Raises `LogError` if an offset is no longer in its partition.
        """

    async def close(self) -> None:
        """Never raises."""


class Log(Protocol):
    """A partitioned log. `user`: the name under which it knows this client, if that is known."""

    user: str

    async def start(self) -> None: ...

    async def stop(self) -> None:
        """Closes all connections; `start` opens new ones, from the bootstrap addresses. Never raises."""

    async def ping(self) -> None:
        """Checks that any broker answers. Raises `LogError` if none does."""

    def refused(self) -> str | None:
        """Why it and this client do not accept each other now, in one line, as far as new connections have shown it."""

    async def partitions(self, topics: Collection[str]) -> dict[str, int]:
        """The number of partitions of those topics that exist."""

    async def describe(self, topics: Collection[str]) -> dict[str, Topic]:
        """Those of the topics that exist. Never creates one."""

    async def ids(self, sources: Collection[TopicPartition]) -> dict[str, bytes]:
        """The ids of those topics that exist, no older than anything fetched before the call.

        Empty if the log has no ids.
        """

    async def settings(self, topics: Collection[str]) -> dict[str, Mapping[str, str]]:
        """The settings of each topic, by name, as far as the log has any."""

    async def create(self, specs: Sequence[TopicSpec]) -> None:
        """Creates topics; existing ones stay as they are."""

    async def begin_offsets(self, sources: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """The first offset of each partition that is still retained, or will be written."""

    async def end_offsets(self, sources: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """The end offset of each partition: after the last record or marker, records of open transactions included."""

    async def stable_offsets(self, sources: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """The last stable offset of each partition: its end, or the first offset of an open transaction."""

    async def holding(self, spans: Mapping[TopicPartition, tuple[int, int]]) -> set[TopicPartition]:
        """Those of the spans (first offset, and the one after the last) that hold a committed record.

        What was aborted takes offsets too. Raises `DeniedError` where this user may not read.
        """

    async def holders(self, source: TopicPartition) -> Sequence[str]:
        """Describes, for the operator, who has transactions open in a partition."""

    async def committed(self, group: str, sources: Collection[TopicPartition]) -> dict[TopicPartition, Committed]:
        """Committed offsets, of those partitions that have one; very recent commits may be missing."""

    async def writer(self, transactional_id: str, group: str) -> Writer:
        """Opens a writer: any earlier holder of the id is fenced, and its open transaction aborted."""

    async def trim(self, before: Mapping[TopicPartition, int]) -> None:
        """Deletes the records before these offsets permanently."""

    async def lacking(self, rights: Collection[Right]) -> list[Right]:
        """The rights that the log denies, as far as it tells: nothing is known of resources that do not exist yet."""

    async def identity(self) -> str:
        """The cluster id, which tells this log from others."""

    def rows(self, source: TopicPartition, begin: int, end: int) -> AsyncGenerator[Rows, None]:
        """Reads a changelog partition from offset `begin` up to `end`, in batches."""

    async def tail(self) -> Tail:
        """Opens a reader that follows changelogs."""

    async def join(
        self, group: str, topics: Collection[str], listener: Listener, assignor: Assignor | None = None
    ) -> Member:
        """Joins a consumer group. The listener hears of the assignment later, from another task."""
