"""Consumer groups of the log in memory: range assignment, and rebalances as members come and go."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from streams.engine.log.interface import Fetched, Listener, TopicPartition


class _Readable(Protocol):
    def read(self, source: TopicPartition, offset: int, records: int) -> Fetched: ...

    async def grown(self, seconds: float) -> None: ...


class MemoryMember:
    """One member of a group on a log in memory."""

    def __init__(self, group: MemoryGroup, log: _Readable, topics: Mapping[str, int], listener: Listener) -> None:
        self._group = group
        self._log = log
        self.topics = topics
        self.listener = listener
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
            fetched = self._log.read(source, position, records)
            if fetched.next > position:
                self._positions[source] = fetched.next
                found.append(fetched._replace(epoch=self._epochs[source]))
        return found

    async def assign(self, sources: frozenset[TopicPartition]) -> None:
        """Takes a new assignment; positions have to be sought again."""
        self._positions.clear()
        self.assigned = sources
        await self.listener.on_assigned(sources)

    async def revoke(self) -> None:
        """Loses everything before a new assignment."""
        if self.assigned:
            await self.listener.on_revoked(self.assigned)

    async def close(self) -> None:
        await self._group.remove(self)


class MemoryGroup:
    """The members of one group. Whenever one comes or goes, all lose what they have and are assigned anew."""

    def __init__(self) -> None:
        self._members: list[MemoryMember] = []
        self._changing = asyncio.Lock()
        self._rebalances: set[asyncio.Task[None]] = set()

    def add(self, log: _Readable, topics: Mapping[str, int], listener: Listener) -> MemoryMember:
        member = MemoryMember(self, log, topics, listener)
        self._members.append(member)
        rebalance = asyncio.get_running_loop().create_task(self._rebalance())
        self._rebalances.add(rebalance)
        rebalance.add_done_callback(self._rebalances.discard)
        return member

    async def remove(self, member: MemoryMember) -> None:
        if member in self._members:
            self._members.remove(member)
            member.assigned = frozenset()
            await self._rebalance()

    async def _rebalance(self) -> None:
        async with self._changing:
            members = list(self._members)
            for member in members:
                await member.revoke()
            for number, member in enumerate(members):
                share = {
                    TopicPartition(topic, partition)
                    for topic, count in member.topics.items()
                    for partition in _range(count, number, len(members))
                }
                await member.assign(frozenset(share))


def _range(partitions: int, number: int, members: int) -> range:
    each, extra = divmod(partitions, members)
    start = each * number + min(number, extra)
    return range(start, start + each + (1 if number < extra else 0))
