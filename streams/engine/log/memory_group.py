"""Consumer groups of the log in memory: assignments, and rebalances as members join and leave."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from streams.engine.log.interface import Assignor, Committed, Fetched, Listener, Shared, TopicPartition


class _Readable(Protocol):
    def check(self, source: TopicPartition, offset: int) -> None: ...

    def read(self, source: TopicPartition, offset: int, records: int) -> Fetched: ...

    async def grown(self, seconds: float) -> None: ...


class MemoryMember:
    """One member of a group on a log in memory."""

    def __init__(
        self, group: MemoryGroup, log: _Readable, topics: Mapping[str, int], listener: Listener, assignor: Assignor
    ) -> None:
        self._group = group
        self._log = log
        self.topics = topics
        self.listener = listener
        self.assignor = assignor
        self.assigned: frozenset[TopicPartition] = frozenset()
        self._positions: dict[TopicPartition, int] = {}
        self._epochs: dict[TopicPartition, int] = {}

    def seek(self, source: TopicPartition, offset: int, epoch: int = 0) -> None:
        if source in self.assigned:
            self._positions[source] = offset
            self._epochs[source] = epoch

    async def fetch(self, sources: Collection[TopicPartition], records: int, seconds: float) -> Sequence[Fetched]:
        found = self._read(sources, records)
        if not found:
            await self._log.grown(seconds)
            found = self._read(sources, records)
        return found

    def _read(self, sources: Collection[TopicPartition], records: int) -> list[Fetched]:
        found = []
        for source in sources:
            position = self._positions.get(source)
            if position is None:
                continue
            self._log.check(source, position)
            fetched = self._log.read(source, position, records)
            if fetched.next > position:
                self._positions[source] = fetched.next
                found.append(fetched._replace(epoch=self._epochs[source]))
        return found

    async def assign(self, sources: frozenset[TopicPartition]) -> None:
        """Takes a new assignment; every partition needs a new `seek`."""
        self._positions.clear()
        self.assigned = sources
        await self.listener.on_assigned(sources)

    async def revoke(self) -> None:
        """Loses everything before a new assignment."""
        if self.assigned:
            await self.listener.on_revoked(self.assigned)

    def rejoin(self) -> None:
        self._group.rebalance()

    def check(self) -> None:
        """Nothing happens in the background."""

    @property
    def coordinated(self) -> bool:
        return True

    @property
    def name(self) -> str:
        return ""

    async def tell(self, offsets: Mapping[TopicPartition, Committed]) -> None:
        """Nobody looks at it from outside."""

    async def close(self) -> None:
        await self._group.remove(self)


class MemoryGroup:
    """The members of one group. Whenever one joins or leaves, all are revoked and assigned again."""

    def __init__(self) -> None:
        self._members: list[MemoryMember] = []
        self._changing = asyncio.Lock()
        self._rebalances: set[asyncio.Task[None]] = set()

    def add(
        self, log: _Readable, topics: Mapping[str, int], listener: Listener, assignor: Assignor | None
    ) -> MemoryMember:
        member = MemoryMember(self, log, topics, listener, assignor or _Range())
        self._members.append(member)
        self.rebalance()
        return member

    def rebalance(self) -> None:
        """Schedules a rebalance."""
        rebalance = asyncio.get_running_loop().create_task(self._rebalance())
        self._rebalances.add(rebalance)
        rebalance.add_done_callback(self._rebalances.discard)

    async def remove(self, member: MemoryMember) -> None:
        if member in self._members:
            self._members.remove(member)
            member.assigned = frozenset()
            await self._rebalance()

    async def _rebalance(self) -> None:
        async with self._changing:
            members = {f"member-{number:04}": member for number, member in enumerate(self._members)}
            for member in members.values():
                await member.revoke()
            if not members:
                return
            first = next(iter(members.values()))
            told = {name: member.assignor.told() for name, member in members.items()}
            shared = first.assignor.share(first.topics, told)
            for name, member in members.items():
                member.assignor.hear(shared[name].told)
                await member.assign(shared[name].partitions)


class _Range:
    """Gives each member a range of every topic's partitions; see `streams.engine.log.interface.Assignor`."""

    def told(self) -> bytes:
        return b""

    def share(self, partitions: Mapping[str, int], members: Mapping[str, bytes]) -> Mapping[str, Shared]:
        return {
            member: Shared(
                frozenset(
                    TopicPartition(topic, partition)
                    for topic, count in partitions.items()
                    for partition in _range(count, number, len(members))
                )
            )
            for number, member in enumerate(members)
        }

    def hear(self, told: bytes) -> None:
        """There is nothing to be told."""


def _range(partitions: int, number: int, members: int) -> range:
    each, extra = divmod(partitions, members)
    start = each * number + min(number, extra)
    return range(start, start + each + (1 if number < extra else 0))
