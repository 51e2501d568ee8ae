"""Of all notifiers of a group one has all partitions, and tells; the others wait to take its place.

Digests, cooldowns and the limits of channels are about all alerts together. Alerts are few, and one process reads them
all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from streams.engine.log.interface import Shared, TopicPartition

_LEADS = b"leads"


class OneLeads:
    """Gives all partitions to one member, to the one that has them if it is there; see `interface.Assignor`."""

    def __init__(self) -> None:
        self._had = b""

    def told(self) -> bytes:
        return self._had

    def share(self, partitions: Mapping[str, int], members: Mapping[str, bytes]) -> Mapping[str, Shared]:
        whole = frozenset(TopicPartition(topic, each) for topic, count in partitions.items() for each in range(count))
        leader = min(members, key=lambda member: (members[member] != _LEADS, member))
        return {member: Shared(whole, _LEADS) if member == leader else Shared(frozenset()) for member in members}

    def hear(self, told: bytes) -> None:
        self._had = told


class Assignments:
    """What the member has now; see `interface.Listener`. `revoked` is set when it is to be given back.

    `seconds`: how long the group waits for that.
    """

    def __init__(self, seconds: float) -> None:
        self.revoked = asyncio.Event()
        self._seconds = seconds
        self._given = asyncio.Event()
        self._released = asyncio.Event()
        self._released.set()
        self._partitions: frozenset[TopicPartition] = frozenset()

    async def on_revoked(self, partitions: frozenset[TopicPartition]) -> None:
        del partitions
        self._given.clear()
        self.revoked.set()
        try:
            async with asyncio.timeout(self._seconds):
                await self._released.wait()
        except TimeoutError:
            pass  # whoever takes over fences this one

    async def on_assigned(self, partitions: frozenset[TopicPartition]) -> None:
        self._partitions = partitions
        self.revoked.clear()
        if partitions:
            self._given.set()

    async def taken(self, seconds: float) -> frozenset[TopicPartition]:
        """Waits so long for partitions, and takes them; empty if there are none. They have to be given back."""
        try:
            async with asyncio.timeout(seconds):
                await self._given.wait()
        except TimeoutError:
            return frozenset()
        self._given.clear()
        self._released.clear()
        return self._partitions

    def give_back(self) -> None:
        """Nothing is done with what was taken any more."""
        self._released.set()
