"""What the engine asks of a log.

Every method may raise `LogError`. Reads see committed records only. Offsets of a partition grow, with gaps: a
transaction's marker takes one too, so a partition is read to its end when the position is at or past its end offset. It
is not, where somebody's transaction is open in it: the position waits before what lies behind.
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
    """A topic to make."""

    topic: str
    partitions: int
    config: Mapping[str, str]


class Topic(NamedTuple):
    """A topic that exists. `id` tells it from others of its name, before and after it; empty where the log has none."""

    id: bytes
    partitions: int


class Fetched(NamedTuple):
    """Records of one partition, in offset order. `next` is the position behind them; records may be none.

    A record has the attributes of `Record`, and need be nothing else.

    `epoch` is that of the last `seek` before they were read.
    """

    source: TopicPartition
    records: Sequence[Record]
    next: int
    epoch: int = 0


class Rows(NamedTuple):
    """Keys and rows of a changelog, in offset order, None where one is gone. `next` is the position behind them."""

    rows: Sequence[tuple[bytes, bytes | None]]
    next: int


class Committed(NamedTuple):
    """A committed offset and the text that was committed with it."""

    offset: int
    metadata: str


@dataclass(slots=True)
class Transaction:
    """Everything that one commit of one task writes, all or nothing.

    `envelopes` go to the partitions they name; outputs to the partition of their key; `rows` to `changelog`. `wall` is
    the latest time of a clock that it follows from, in microseconds: a log that has a time of its own refuses what lies
    minutes ahead.
    """

    changelog: TopicPartition
    outputs: list[Output] = field(default_factory=list)
    envelopes: list[tuple[TopicPartition, bytes]] = field(default_factory=list)
    rows: dict[bytes, bytes | None] = field(default_factory=dict)
    offsets: dict[TopicPartition, Committed] = field(default_factory=dict)
    wall: int = 0


class Writer(Protocol):
    """The right to write for one task. A writer that raised once is of no more use: close it, open another."""

    async def resume(self, changelog: TopicPartition, saved: Mapping[bytes, bytes]) -> None:
        """Finishes what a former writer may have left half done, by the live rows that the changelog holds now.

        To be called before the first commit, unless the changelog ends with a commit of one's own. Raises `FatalError`
        where the rows were written under another guarantee.
        """

    async def commit(self, transaction: Transaction) -> int | None:
        """Writes it as one transaction, or so that a crash leaves all or nothing of it.

        Raises `ClockError` where `wall` is ahead, `FencedError` where the task has been taken over, `FatalError` where
        an output's topic does not exist.
        After any other error it is unknown whether the transaction was committed. Returns the offset behind it in the
        changelog: as long as that is the changelog's end, nobody has written there since. None where it has no rows.
        """

    async def close(self) -> None:
        """Gives up whatever is open. Never raises."""


class Listener(Protocol):
    """Told of what a group member gets and loses. Both are awaited before the member goes on."""

    async def on_revoked(self, partitions: frozenset[TopicPartition]) -> None:
        """The member is about to lose these."""

    async def on_assigned(self, partitions: frozenset[TopicPartition]) -> None:
        """The member has exactly these from now on. Nothing is fetched of one before `seek`."""


class Shared(NamedTuple):
    """What one member of a group gets, and what it is told with it."""

    partitions: frozenset[TopicPartition]
    told: bytes = b""


class Assignor(Protocol):
    """Shares the partitions of a group out among its members. Each member has one; that of one member is asked."""

    def told(self) -> bytes:
        """What this member tells whenever it joins."""

    def share(self, partitions: Mapping[str, int], members: Mapping[str, bytes]) -> Mapping[str, Shared]:
        """What each member gets. `partitions`: how many each topic has; `members`: what they told, perhaps nothing."""

    def hear(self, told: bytes) -> None:
        """What this member is told with its share, before its listener hears of the partitions."""


class Member(Protocol):
    """One member of a consumer group. Without an assignor, topics with equally many partitions are assigned equally."""

    def seek(self, source: TopicPartition, offset: int, epoch: int = 0) -> None:
        """Reads the partition from `offset` next. Does nothing where it is not the member's any more.

        A fetch may be under way: what it brings bears the epoch of the seek that it was read behind, so that it is
        known what is to be thrown away, and what must not be because nobody will fetch it again.
        """

    async def fetch(self, sources: Collection[TopicPartition], records: int, seconds: float) -> Sequence[Fetched]:
        """What is there for these partitions, in batches of at most `records`; waits up to `seconds` for it.

        Raises `LostMemberError` where no further call would help, `OutOfRangeError` where a position is not in its
        partition any more.
        """

    def rejoin(self) -> None:
        """Asks the group to share everything out anew."""

    def check(self) -> None:
        """Raises what the member has met in the background, and lets it try again.

        `LostMemberError` where no further call would help, `FatalError` where another member has taken its place.
        """

    @property
    def coordinated(self) -> bool:
        """Whether the group answers, as far as the member knows."""

    async def close(self) -> None:
        """Leaves the group. Never raises."""


class Tail(Protocol):
    """Reads changelog partitions as they grow, beside the group and without a share of it."""

    def follow(self, positions: Mapping[TopicPartition, int]) -> None:
        """Reads exactly these from now on, from these offsets."""

    async def read(self, seconds: float) -> Sequence[tuple[TopicPartition, Rows]]:
        """What there is, some thousands of rows of all; waits up to `seconds` for it.

        Raises `LogError` where one of the offsets is none of its partition's any more.
        """

    async def close(self) -> None:
        """Never raises."""


class Log(Protocol):
    """A partitioned log. `user`: the name by which it knows this client, as far as that is known."""

    user: str

    async def start(self) -> None: ...

    async def stop(self) -> None:
        """Lets go of all connections; `start` makes new ones, from the first addresses. Never raises."""

    async def ping(self) -> None:
        """Asks whoever answers first. Raises `LogError` where nobody does."""

    async def partitions(self, topics: Collection[str]) -> dict[str, int]:
        """The number of partitions of those topics that exist."""

    async def describe(self, topics: Collection[str]) -> dict[str, Topic]:
        """Those of the topics that exist. Asking makes none."""

    async def ids(self, sources: Collection[TopicPartition]) -> dict[str, bytes]:
        """The ids of those of the topics that exist, as they are behind everything that has been fetched before.

        Empty where the log has none.
        """

    async def settings(self, topics: Collection[str]) -> dict[str, Mapping[str, str]]:
        """What is set of each of the topics, by name, as far as the log has such settings."""

    async def create(self, specs: Sequence[TopicSpec]) -> None:
        """Makes topics; those that exist stay as they are."""

    async def begin_offsets(self, sources: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """The first offset that is still there, or will be."""

    async def end_offsets(self, sources: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """The offset behind the last record or marker, whether its transaction has ended or not."""

    async def stable_offsets(self, sources: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """The offset up to which a position can come now: the end, or the first of an open transaction."""

    async def holders(self, source: TopicPartition) -> Sequence[str]:
        """Who has transactions open in a partition, in words for people."""

    async def committed(self, group: str, sources: Collection[TopicPartition]) -> dict[TopicPartition, Committed]:
        """Committed offsets, of those partitions that have one; what was committed just now may be missing."""

    async def writer(self, transactional_id: str, group: str) -> Writer:
        """Opens a writer: whoever held one of this id is fenced, what it had open is undone."""

    async def trim(self, before: Mapping[TopicPartition, int]) -> None:
        """Deletes the records before these offsets, for good."""

    async def lacking(self, rights: Collection[Right]) -> list[Right]:
        """Those of the rights that the log denies, as far as it tells: none of what does not exist yet."""

    async def identity(self) -> str:
        """What tells this log from others: the cluster's id."""

    def rows(self, source: TopicPartition, begin: int, end: int) -> AsyncGenerator[Rows, None]:
        """Reads a changelog partition from one offset up to another, in batches: rows, and the position behind them."""

    async def tail(self) -> Tail:
        """Opens a reader that follows changelogs."""

    async def join(
        self, group: str, topics: Collection[str], listener: Listener, assignor: Assignor | None = None
    ) -> Member:
        """Joins a consumer group. The listener hears of the assignment later, from another task."""
