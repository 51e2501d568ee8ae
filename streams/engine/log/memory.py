"""The log in memory: topics, partitions, offsets, transactions, fencing and consumer groups inside the process."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from streams.engine.clock import Now
from streams.engine.errors import FatalError, FencedError, LogError, OutOfRangeError
from streams.engine.log.interface import (
    Assignor,
    Committed,
    Fetched,
    Listener,
    Rows,
    Topic,
    TopicPartition,
    TopicSpec,
    Transaction,
    Writer,
)
from streams.engine.log.journal import refuse
from streams.engine.log.memory_group import MemoryGroup, MemoryMember
from streams.engine.partitioner import partition_for
from streams.engine.processor import Record
from streams.engine.rights import Right
from streams.engine.wall_clock import check_wall

#: Rows per batch of a changelog read.
_BATCH = 1000


@dataclass(slots=True)
class _Partition:
    """Records by offset; `end` counts transaction markers too."""

    records: list[Record] = field(default_factory=list)
    end: int = 0
    begin: int = 0

    def append(self, key: bytes | None, value: bytes | None, headers: tuple[tuple[str, bytes], ...]) -> int:
        self.records.append(Record(self.end, time.time_ns() // 1_000_000, key, value, headers))
        self.end += 1
        return self.end - 1

    def find(self, offset: int) -> int:
        low, high = 0, len(self.records)
        while low < high:
            middle = (low + high) // 2
            if self.records[middle].offset < offset:
                low = middle + 1
            else:
                high = middle
        return low


class MemoryLog:
    """A log in memory. `append`, `read` and `apply` are synchronous, for producers, readers and simulators.

    `now` is its own time in microseconds; without it, writes are not checked against a clock.
    """

    def __init__(self, now: Now | None = None) -> None:
        self._now = now
        self._topics: dict[str, list[_Partition]] = {}
        self._ids: dict[str, bytes] = {}
        #: Settings of topics; they change nothing here.
        self.configs: dict[str, Mapping[str, str]] = {}
        self._offsets: dict[str, dict[TopicPartition, Committed]] = {}
        self._epochs: dict[str, int] = {}
        self._groups: dict[str, MemoryGroup] = {}
        self._grown = asyncio.Event()
        self._identity = uuid.uuid4().hex
        self.user = "worker"
        #: Rights denied to this user.
        self.denied: set[Right] = set()
        #: Why it does not accept this user.
        self.refusal: str | None = None

    async def start(self) -> None:
        """Nothing has to be opened."""

    async def stop(self) -> None:
        """Nothing has to be closed; the content stays."""

    async def ping(self) -> None:
        """It answers always."""

    def refused(self) -> str | None:
        return self.refusal

    # -- topics

    def make(self, topic: str, partitions: int) -> None:
        """Makes a topic; one that exists stays as it is."""
        if topic not in self._topics:
            self._topics[topic] = [_Partition() for _ in range(partitions)]
            self._ids[topic] = uuid.uuid4().bytes

    def drop(self, topic: str) -> None:
        """Deletes a topic; one created again under its name gets another id."""
        del self._topics[topic]

    def grow(self, topic: str, partitions: int) -> None:
        """Adds partitions until the topic has this many."""
        listed = self._topics[topic]
        listed += [_Partition() for _ in range(partitions - len(listed))]

    async def partitions(self, topics: Collection[str]) -> dict[str, int]:
        return {topic: len(self._topics[topic]) for topic in topics if topic in self._topics}

    async def describe(self, topics: Collection[str]) -> dict[str, Topic]:
        known = self._topics
        return {topic: Topic(self._ids[topic], len(known[topic])) for topic in topics if topic in known}

    async def ids(self, sources: Collection[TopicPartition]) -> dict[str, bytes]:
        return {source.topic: self._ids[source.topic] for source in sources if source.topic in self._topics}

    async def settings(self, topics: Collection[str]) -> dict[str, Mapping[str, str]]:
        return {topic: self.configs[topic] for topic in topics if topic in self.configs}

    async def create(self, specs: Sequence[TopicSpec]) -> None:
        for spec in specs:
            self.make(spec.topic, spec.partitions)
            self.configs.setdefault(spec.topic, spec.config)

    def compact(self, source: TopicPartition, before: int = 1 << 62) -> None:
        """Keeps the last record of each key below `before`, like Kafka's cleaner; offsets do not change."""
        partition = self._partition(source)
        cut = partition.find(before)
        last = {record.key: record.offset for record in partition.records[:cut]}
        kept = [record for record in partition.records[:cut] if last[record.key] == record.offset]
        partition.records = kept + partition.records[cut:]

    def truncate(self, source: TopicPartition, before: int) -> None:
        """Deletes the records before an offset, like retention and DeleteRecords."""
        partition = self._partition(source)
        partition.records = partition.records[partition.find(before) :]
        partition.begin = max(partition.begin, before)

    async def trim(self, before: Mapping[TopicPartition, int]) -> None:
        for source, offset in before.items():
            self.truncate(source, offset)

    def _partition(self, source: TopicPartition) -> _Partition:
        try:
            return self._topics[source.topic][source.partition]
        except (KeyError, IndexError):
            raise LogError(f"{source.topic}-{source.partition} does not exist") from None

    # -- records

    def append(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: tuple[tuple[str, bytes], ...] = (),
        partition: int | None = None,
    ) -> TopicPartition:
        """Adds one record at once, outside of any transaction. Without a key: to partition 0."""
        if partition is None:
            partition = 0 if key is None else partition_for(key, len(self._topics[topic]))
        source = TopicPartition(topic, partition)
        self._partition(source).append(key, value, headers)
        self._wake()
        return source

    def check(self, source: TopicPartition, offset: int) -> None:
        """Raises `OutOfRangeError` if a position is not in its partition."""
        partition = self._partition(source)
        if not partition.begin <= offset <= partition.end:
            raise OutOfRangeError(f"out of range: {source.topic}-{source.partition} at {offset}", [source])

    def read(self, source: TopicPartition, offset: int, records: int) -> Fetched:
        """Reads from `offset` on, at most `records` records."""
        partition = self._partition(source)
        start = partition.find(offset)
        found = partition.records[start : start + records]
        reached = start + len(found) >= len(partition.records)
        return Fetched(source, found, partition.end if reached else found[-1].offset + 1)

    def end(self, source: TopicPartition) -> int:
        """The offset after the last record or marker."""
        return self._partition(source).end

    async def begin_offsets(self, sources: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        return {source: self._partition(source).begin for source in sources}

    async def stable_offsets(self, sources: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        return {source: self._partition(source).end for source in sources}

    async def holding(self, spans: Mapping[TopicPartition, tuple[int, int]]) -> set[TopicPartition]:
        return {
            source
            for source, (begin, end) in spans.items()
            if any(begin <= record.offset < end for record in self._partition(source).records)
        }

    async def holders(self, source: TopicPartition) -> Sequence[str]:
        """Transactions are never open here."""
        del source
        return []

    async def end_offsets(self, sources: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        return {source: self._partition(source).end for source in sources}

    async def lacking(self, rights: Collection[Right]) -> list[Right]:
        return [right for right in rights if right in self.denied]

    async def identity(self) -> str:
        return self._identity

    async def rows(self, source: TopicPartition, begin: int, end: int) -> AsyncGenerator[Rows, None]:
        position = begin
        while position < end:
            fetched = self.read(source, position, _BATCH)
            position = fetched.next
            rows = [(each.key, each.value) for each in fetched.records if each.key is not None and each.offset < end]
            yield Rows(rows, position)
            await asyncio.sleep(0)

    # -- transactions

    def fence(self, transactional_id: str) -> int:
        """Takes the id over and returns the new epoch."""
        epoch = self._epochs.get(transactional_id, -1) + 1
        self._epochs[transactional_id] = epoch
        return epoch

    def apply(self, transactional_id: str, epoch: int, group: str, transaction: Transaction) -> int | None:
        """Commits at once. Raises `FencedError` if the epoch is stale, and then writes nothing."""
        if self._epochs[transactional_id] != epoch:
            raise FencedError(f"{transactional_id} has been taken over")
        if self._now is not None:
            check_wall(transaction.wall, self._now())
        for output in transaction.outputs:
            if output.topic not in self._topics:
                raise FatalError(f"topic {output.topic} does not exist, and there is something to be written to it")
        touched: set[TopicPartition] = set()
        for output in transaction.outputs:
            touched.add(self.append(output.topic, output.key, output.value, output.headers))
        for target, value in transaction.envelopes:
            touched.add(self.append(target.topic, None, value, partition=target.partition))
        for key, row in transaction.rows.items():
            changelog = transaction.changelog
            touched.add(self.append(changelog.topic, key, row, partition=changelog.partition))
        for source in touched:
            self._partition(source).end += 1  # the transaction's marker
        self._offsets.setdefault(group, {}).update(transaction.offsets)
        self._wake()
        return self._partition(transaction.changelog).end if transaction.rows else None

    async def writer(self, transactional_id: str, group: str) -> Writer:
        return MemoryWriter(self, transactional_id, group, self.fence(transactional_id))

    async def committed(self, group: str, sources: Collection[TopicPartition]) -> dict[TopicPartition, Committed]:
        known = self._offsets.get(group, {})
        return {source: known[source] for source in sources if source in known}

    # -- groups

    async def tail(self) -> MemoryTail:
        return MemoryTail(self)

    async def join(
        self, group: str, topics: Collection[str], listener: Listener, assignor: Assignor | None = None
    ) -> MemoryMember:
        counts = {topic: len(self._topics[topic]) for topic in topics}
        members = self._groups.setdefault(group, MemoryGroup())
        return members.add(self, counts, listener, assignor)

    async def grown(self, seconds: float) -> None:
        """Waits until something has been written, but not for longer than `seconds`."""
        event = self._grown
        try:
            await asyncio.wait_for(event.wait(), seconds)
        except TimeoutError:
            return

    def _wake(self) -> None:
        self._grown.set()
        self._grown = asyncio.Event()


class MemoryTail:
    """Follows changelogs on a log in memory."""

    def __init__(self, log: MemoryLog) -> None:
        self._log = log
        self._positions: dict[TopicPartition, int] = {}

    def follow(self, positions: Mapping[TopicPartition, int]) -> None:
        self._positions = dict(positions)

    async def read(self, seconds: float) -> Sequence[tuple[TopicPartition, Rows]]:
        if not (found := self._read()):
            await self._log.grown(seconds)
            found = self._read()
        return found

    def _read(self) -> list[tuple[TopicPartition, Rows]]:
        found, most = [], _BATCH
        for source, position in self._positions.items():
            if position > self._log.end(source):
                raise LogError(f"{source.topic}-{source.partition} ends before {position}")
            fetched = self._log.read(source, position, most)
            if fetched.next > position:
                self._positions[source] = fetched.next
                most -= len(fetched.records)
                rows = [(each.key, each.value) for each in fetched.records if each.key is not None]
                found.append((source, Rows(rows, fetched.next)))
            if most <= 0:
                break
        return found

    async def close(self) -> None:
        """Nothing is open."""


class MemoryWriter:
    """A writer on a log in memory."""

    def __init__(self, log: MemoryLog, transactional_id: str, group: str, epoch: int) -> None:
        self._log = log
        self._id = transactional_id
        self._group = group
        self._epoch = epoch

    async def resume(self, changelog: TopicPartition, saved: Mapping[bytes, bytes]) -> None:
        refuse(changelog, saved)

    async def commit(self, transaction: Transaction) -> int | None:
        await asyncio.sleep(0)
        return self._log.apply(self._id, self._epoch, self._group, transaction)

    async def close(self) -> None:
        """Nothing is ever open between commits."""
