"""Places tasks and standbys on the members of a group. Pure and deterministic, whichever member runs it.

The target is balance: of each kind, and of all kinds together, no member has two tasks more than another; few tasks
move. But a task does not move to a member that would have to restore it from the beginning while another member is
warm: the warm one keeps it, or takes it over, and the target follows as a standby until it has caught up. So a new
member warms up first, and a dead member's tasks go to their standbys, however uneven that is for the moment.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from streams.engine.topology import TaskId

#: Lag, in changelog offsets, up to which a takeover counts as warm: less than a second's restore.
NEAR = 10_000


class Held(NamedTuple):
    """A member's tasks so far, and the changelog offset that it holds of each task it knows; -1 if it holds none.

    `wanted`: the number of standbys per task that it asks for. A member that asks for none is given none.
    """

    tasks: Mapping[TaskId, int] = {}
    standbys: Mapping[TaskId, int] = {}
    wanted: int = 0

    def offset(self, task: TaskId) -> int:
        """The offset up to which it holds the task's changelog; -1 if not at all."""
        return self.tasks.get(task, self.standbys.get(task, -1))


@dataclass(slots=True)
class Share:
    """A member's share. `warming`: the standbys that become its tasks once they have caught up."""

    tasks: set[TaskId] = field(default_factory=set)
    standbys: set[TaskId] = field(default_factory=set)
    warming: set[TaskId] = field(default_factory=set)


def place(tasks: Collection[TaskId], members: Mapping[str, Held]) -> dict[str, Share]:
    """Assigns each task to one member, and standbys to others: as many as any member asks for, if there are enough."""
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
    """The target, unless it is cold and another member is warm."""
    known = {member: max(held.offset(task), 0) for member, held in members.items()}
    near = max(known.values()) - NEAR
    if known[target] >= near or members[target].wanted == 0:
        return target
    return min(
        (member for member, offset in known.items() if offset >= near),
        key=lambda member: (task not in members[member].tasks, len(members[member].tasks), member),
    )


class _Target:
    """The balanced placement to reach in the end."""

    def __init__(self, members: Mapping[str, Held]) -> None:
        self.tasks: dict[str, set[TaskId]] = {member: set() for member in sorted(members)}
        self._members = members

    def share_out(self, tasks: Sequence[TaskId]) -> None:
        """Places the tasks of one kind."""
        holders = {task: self._holders(task) for task in tasks}
        had = {task: found[0] for task, found in holders.items() if found and task in self._members[found[0]].tasks}
        warm = Counter(holders[task][0] for task in tasks if holders[task] and task not in had)
        room = self._room(len(tasks), Counter(had.values()), warm)
        # Owners keep their tasks. One with too many gives up first those that another member follows.
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
        """The members that know the task, furthest offset first; at equal offsets, its owner before its standbys."""
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
    """Matches as many tasks as possible, each to a member it wishes for, within each member's room."""
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
    """Places standbys: each member's tasks spread evenly over the others, and where they were before."""
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
