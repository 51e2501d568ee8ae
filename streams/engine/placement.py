"""Which member of a group has which tasks, and follows which as a standby. Pure, and the same whoever works it out.

Of each kind, and of all kinds together, no member is to have two tasks more than another: that is the target, found so
that few tasks change hands. But a task does not go where its state would have to be read from the beginning, as long
as another member knows it: that one keeps it, or takes it over, and the target follows as a standby until it has caught
up. So whoever joins warms up first, and what a dead member had goes to those who followed it, however uneven that is
for the moment.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from streams.engine.topology import TaskId

#: Offsets of a changelog that may be left to read when a task is taken over warm: less than a second's work.
NEAR = 10_000


class Held(NamedTuple):
    """What a member had until now, with the offset up to which it knows a task's changelog; -1 where it knows nothing.

    `wanted`: how many standbys it asks for, of every task. One that asks for none is given none either.
    """

    tasks: Mapping[TaskId, int] = {}
    standbys: Mapping[TaskId, int] = {}
    wanted: int = 0

    def offset(self, task: TaskId) -> int:
        """Up to where it knows the task's changelog; -1 where not at all."""
        return self.tasks.get(task, self.standbys.get(task, -1))


@dataclass(slots=True)
class Share:
    """What a member gets. `warming`: those of the standbys that become its tasks once they have caught up."""

    tasks: set[TaskId] = field(default_factory=set)
    standbys: set[TaskId] = field(default_factory=set)
    warming: set[TaskId] = field(default_factory=set)


def place(tasks: Collection[TaskId], members: Mapping[str, Held]) -> dict[str, Share]:
    """Every task to one member, and its standbys to as many others as any member asks for and there are."""
    if not members:
        return {}
    target = _Target(members)
    for kind in sorted({task.kind for task in tasks}):
        target.share_out(sorted(task for task in tasks if task.kind == kind))
    shares = {member: Share() for member in target.tasks}
    for member, aimed in target.tasks.items():
        for task in aimed:
            owner = _for_now(task, member, members)
            shares[owner].tasks.add(task)
            if owner != member:
                shares[member].standbys.add(task)
                shares[member].warming.add(task)
    _spread(sorted(tasks), members, shares)
    return shares


def _for_now(task: TaskId, target: str, members: Mapping[str, Held]) -> str:
    """The target, unless it would have to read much that another member knows."""
    known = {member: max(held.offset(task), 0) for member, held in members.items()}
    near = max(known.values()) - NEAR
    if known[target] >= near or members[target].wanted == 0:
        return target
    return min(
        (member for member, offset in known.items() if offset >= near),
        key=lambda member: (task not in members[member].tasks, len(members[member].tasks), member),
    )


class _Target:
    """Who is to have which tasks, in the end."""

    def __init__(self, members: Mapping[str, Held]) -> None:
        self.tasks: dict[str, set[TaskId]] = {member: set() for member in sorted(members)}
        self._members = members

    def share_out(self, tasks: Sequence[TaskId]) -> None:
        """The tasks of one kind."""
        holders = {task: self._holders(task) for task in tasks}
        had = {task: found[0] for task, found in holders.items() if found and task in self._members[found[0]].tasks}
        warm = Counter(holders[task][0] for task in tasks if holders[task] and task not in had)
        room = self._room(len(tasks), Counter(had.values()), warm)
        # Whoever had a task keeps it. Where that is too much, those are given up that another one follows.
        left = []
        for task in sorted(tasks, key=lambda task: (len(holders[task]) > 1, task)):
            if task in had and room[had[task]]:
                self._give(task, had[task], room)
            else:
                left.append(task)
        matched = _matched({task: holders[task] for task in left}, room)
        for task, member in matched.items():
            self._give(task, member, room)
        for task in left:
            if task not in matched:
                self._give(task, max(room, key=lambda member: room[member]), room)

    def _holders(self, task: TaskId) -> list[str]:
        """Who knows the task: who has come furthest first, among those who had it before who followed."""
        known = [member for member in self.tasks if self._members[member].offset(task) >= 0]
        had = [member for member in self.tasks if task in self._members[member].tasks]

        def rank(member: str) -> tuple[int, bool]:
            return self._members[member].offset(task), member in had

        return sorted(known or had, key=rank, reverse=True)

    def _room(self, tasks: int, had: Mapping[str, int], warm: Mapping[str, int]) -> dict[str, int]:
        """How many of so many tasks each member gets: one more than others those with the fewest of other kinds.

        Among these come first who had as many (`had`) and would have to give one up, then who has followed the most of
        those that nobody has now (`warm`).
        """
        least, more = divmod(tasks, len(self.tasks))

        def turn(member: str) -> tuple[int, bool, int, int]:
            before = len(self._members[member].tasks)
            return len(self.tasks[member]), had.get(member, 0) <= least, before, -warm.get(member, 0)

        favoured = set(sorted(self.tasks, key=turn)[:more])
        return {member: least + (member in favoured) for member in self.tasks}

    def _give(self, task: TaskId, member: str, room: dict[str, int]) -> None:
        self.tasks[member].add(task)
        room[member] -= 1


def _matched(wishes: Mapping[TaskId, Sequence[str]], room: Mapping[str, int]) -> dict[TaskId, str]:
    """As many tasks as can be, each to one of those it wishes for, without filling more than there is room."""
    taken: dict[str, list[TaskId]] = {member: [] for member in room}

    def settle(task: TaskId, asked: set[str]) -> bool:
        for member in wishes[task]:
            if member in asked:
                continue
            asked.add(member)
            if len(taken[member]) < room[member]:
                taken[member].append(task)
                return True
            for place, other in enumerate(taken[member]):
                if settle(other, asked):
                    taken[member][place] = task
                    return True
        return False

    for task in wishes:
        settle(task, set())
    return {task: member for member, listed in taken.items() for task in listed}


def _spread(tasks: Sequence[TaskId], members: Mapping[str, Held], shares: Mapping[str, Share]) -> None:
    """Standbys: as even as can be over the others for each member's tasks, and where they were before."""
    able = [member for member in shares if members[member].wanted > 0]
    wanted = max(held.wanted for held in members.values())
    share = -(-len(tasks) * min(wanted, len(able) - 1) // max(len(able), 1))
    owners = {task: member for member, share in shares.items() for task in share.tasks}
    followed: Counter[tuple[str, str]] = Counter()
    follows: Counter[str] = Counter()
    for _ in range(wanted):
        for task in tasks:
            owner = owners[task]
            free = [member for member in able if member != owner and task not in shares[member].standbys]
            if not free:
                continue
            others = len(able) - (owner in able)
            full = -(-len(shares[owner].tasks) * min(wanted, others) // others)

            def turn(member: str, task: TaskId = task, owner: str = owner, full: int = full) -> tuple[int, ...]:
                known = members[member].offset(task) >= 0
                enough = followed[owner, member] >= full or follows[member] >= share
                return enough, not known, followed[owner, member], follows[member]

            chosen = min(free, key=turn)
            shares[chosen].standbys.add(task)
            followed[owner, chosen] += 1
            follows[chosen] += 1
