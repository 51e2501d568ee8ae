"""The coordinator of a consumer group: generations, rebalances, sessions."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from streams.engine.log.interface import Shared
from tests.simulation.loop import SimulatedLoop


class UnknownMember(Exception):
    """The group does not know the member, or not in this generation: join anew."""


class Rebalancing(Exception):
    """Give up what you have, and join again."""


class Joined(NamedTuple):
    """What a member is told when a generation begins. `members`: what each has told, for the leader alone."""

    member: str
    generation: int
    leader: bool
    members: Mapping[str, bytes]


@dataclass(slots=True, eq=False)
class _Member:
    told: bytes
    session: float
    heard: float
    joining: Callable[[Joined | Exception], None] | None = None
    syncing: Callable[[Shared | Exception], None] | None = None


class Group:
    """One group, with the eager protocol: at a rebalance every member gives up everything and joins again."""

    def __init__(self, loop: SimulatedLoop, random: Random) -> None:
        self._loop = loop
        self._random = random
        self._ids = itertools.count(1)
        self.generation = 0
        self.state = "empty"
        self.members: dict[str, _Member] = {}
        self._leader = ""
        self._shares: Mapping[str, Shared] = {}
        self._round = 0

    def join(
        self, member: str, told: bytes, session: float, rebalance: float, reply: Callable[[Joined | Exception], None]
    ) -> None:
        """Replies when all that are known have joined again, or have had `rebalance` seconds for it."""
        if member and member not in self.members:
            reply(UnknownMember())
            return
        if not member:
            member = f"member-{next(self._ids):04}"
            self.members[member] = _Member(told, session, self._loop.time())
            self._watch(member)
        each = self.members[member]
        each.told, each.heard = told, self._loop.time()
        if each.joining is not None:
            each.joining(UnknownMember())  # an earlier request of its own
        each.joining = reply
        self._prepare(rebalance)
        self._complete_if_all()

    def _prepare(self, seconds: float) -> None:
        if self.state == "preparing":
            return
        self.state = "preparing"
        self._round += 1
        for each in self.members.values():
            if each.syncing is not None:
                each.syncing(Rebalancing())
                each.syncing = None
        # A group that begins waits for others to come.
        begins = self.generation == 0
        self._loop.later(0.1 if begins else seconds, self._late, self._round)

    def _complete_if_all(self) -> None:
        if self.generation and self.state == "preparing" and all(each.joining for each in self.members.values()):
            self._complete()

    def _late(self, number: int) -> None:
        if self.state != "preparing" or self._round != number:
            return
        for member in [name for name, each in self.members.items() if each.joining is None]:
            del self.members[member]
        if self.members:
            self._complete()
        else:
            self.state = "empty"

    def _complete(self) -> None:
        self.generation += 1
        self.state = "completing"
        self._shares = {}
        if self._leader not in self.members:
            self._leader = next(iter(self.members))
        told = {member: each.told for member, each in self.members.items()}
        self._loop.note(f"generation {self.generation} {sorted(told)}")
        for member, each in self.members.items():
            reply, each.joining = each.joining, None
            each.heard = self._loop.time()
            assert reply is not None
            leads = member == self._leader
            reply(Joined(member, self.generation, leads, told if leads else {}))

    def sync(
        self,
        member: str,
        generation: int,
        shares: Mapping[str, Shared] | None,
        reply: Callable[[Shared | Exception], None],
    ) -> None:
        """Replies with the member's share, once the leader has brought all of them."""
        each = self.members.get(member)
        if each is None or generation != self.generation:
            reply(UnknownMember())
        elif self.state == "preparing":
            reply(Rebalancing())
        elif self.state == "stable":
            reply(self._shares.get(member, Shared(frozenset())))
        else:
            each.heard = self._loop.time()
            each.syncing = reply
            if shares is not None and member == self._leader:
                self._shares = shares
                self.state = "stable"
                for name, other in self.members.items():
                    if other.syncing is not None:
                        other.syncing(shares.get(name, Shared(frozenset())))
                        other.syncing = None

    def check(self, member: str, generation: int) -> None:
        """Raises unless the member belongs to this generation."""
        if member not in self.members or generation != self.generation:
            raise UnknownMember

    def heartbeat(self, member: str, generation: int) -> None:
        self.check(member, generation)
        self.members[member].heard = self._loop.time()
        if self.state == "preparing":
            raise Rebalancing

    def leave(self, member: str, rebalance: float) -> None:
        if member in self.members:
            self._remove(member, rebalance)

    def _remove(self, member: str, rebalance: float) -> None:
        del self.members[member]
        if not self.members:
            self.state = "empty"
            return
        self._prepare(rebalance)
        self._complete_if_all()

    def _watch(self, member: str) -> None:
        each = self.members.get(member)
        if each is None:
            return
        left = each.heard + each.session - self._loop.time()
        waits = each.joining is not None
        if left <= 0 and not waits:
            self._loop.note(f"expire {member}")
            self._remove(member, each.session)
            return
        self._loop.later(each.session if waits else max(left, 0.001), self._watch, member)
