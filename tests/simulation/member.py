"""One member of a consumer group, as a client behaves."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from streams.engine.errors import LogError
from streams.engine.log.interface import Assignor, Committed, Fetched, Listener, Shared, TopicPartition
from tests.simulation.group import Joined, Rebalancing, UnknownMember

if TYPE_CHECKING:
    from tests.simulation.client import SimulatedLog


class SimulatedMember:
    """See `streams.engine.log.interface.Member`. It joins in the background."""

    def __init__(
        self, log: SimulatedLog, group: str, topics: Mapping[str, int], listener: Listener, assignor: Assignor
    ) -> None:
        self._log = log
        self._group = log.broker.group(group)
        self._name = group
        self._topics = topics
        self._listener = listener
        self._assignor = assignor
        self._member = ""
        self._generation = -1
        self._assigned: frozenset[TopicPartition] = frozenset()
        self._positions: dict[TopicPartition, int] = {}
        self._epochs: dict[TopicPartition, int] = {}
        self._rejoin = asyncio.Event()
        self._rejoin.set()
        self._closing = False
        self._life = asyncio.create_task(self._live())
        self._beating = asyncio.create_task(self._beat())

    # -- the group

    async def _live(self) -> None:
        while True:
            await self._rejoin.wait()
            revoked, self._assigned = self._assigned, frozenset()
            self._positions.clear()
            if revoked:
                await self._listener.on_revoked(revoked)
            self._rejoin.clear()
            try:
                share = await self._join()
            except (LogError, UnknownMember, Rebalancing) as error:
                if isinstance(error, UnknownMember):
                    self._member = ""
                self._generation = -1
                self._rejoin.set()
                await asyncio.sleep(0.05)
                continue
            self._assignor.hear(share.told)
            self._assigned = share.partitions
            await self._listener.on_assigned(share.partitions)

    async def _join(self) -> Shared:
        log, group = self._log, self._group
        told = self._assignor.told()
        # Heartbeats go on while tasks are given up, and stop here.
        member, self._generation = self._member, -1
        joined: Joined = await log.link.ask_for(
            "join", lambda reply: group.join(member, told, log.session, log.session, reply)
        )
        self._member, self._generation = joined.member, joined.generation
        shares = self._assignor.share(self._topics, joined.members) if joined.leader else None
        share: Shared = await log.link.ask_for(
            "sync", lambda reply: group.sync(joined.member, joined.generation, shares, reply)
        )
        return share

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._log.session / 4)
            member, generation = self._member, self._generation
            if generation < 0:
                continue
            try:
                await self._log.link.ask("heartbeat", lambda: self._group.heartbeat(member, generation))  # noqa: B023
            except UnknownMember:
                if self._generation == generation:
                    self._member, self._generation = "", -1
                    self._rejoin.set()
            except Rebalancing:
                if self._generation == generation:
                    self._rejoin.set()
            except LogError:
                continue

    def rejoin(self) -> None:
        self._rejoin.set()

    def check(self) -> None:
        """Nothing happens in the background that it does not try again by itself."""

    @property
    def coordinated(self) -> bool:
        return True

    @property
    def name(self) -> str:
        return self._member

    async def tell(self, offsets: Mapping[TopicPartition, Committed]) -> None:
        member, generation = self._member, self._generation

        def question() -> None:
            try:
                self._group.check(member, generation)
            except UnknownMember:
                raise LogError("the group takes nothing from a member that it has lost") from None
            self._log.broker.offsets.setdefault(self._name, {}).update(offsets)

        await self._log.link.ask("tell", question)

    async def close(self) -> None:
        for each in (self._life, self._beating):
            each.cancel()
        await asyncio.wait([self._life, self._beating])
        if self._member:
            try:
                await self._log.link.ask("leave", lambda: self._group.leave(self._member, self._log.session))
            except LogError:
                return

    # -- records

    def seek(self, source: TopicPartition, offset: int, epoch: int = 0) -> None:
        if source in self._assigned:
            self._positions[source] = offset
            self._epochs[source] = epoch

    async def fetch(self, sources: Collection[TopicPartition], records: int, seconds: float) -> Sequence[Fetched]:
        asked = {source: self._positions[source] for source in sources if source in self._positions}
        epochs = dict(self._epochs)
        if not asked:
            await asyncio.sleep(seconds)
            return []
        found = []
        for fetched in await self._log.read(asked, records, seconds):
            source = fetched.source
            # A seek while it was under way has thrown the records away.
            if self._positions.get(source) == asked[source] and self._epochs[source] == epochs[source]:
                self._positions[source] = fetched.next
                found.append(fetched._replace(epoch=epochs[source]))
        return found
