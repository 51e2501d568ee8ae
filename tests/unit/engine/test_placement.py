"""Tasks are placed evenly, stay where they are known, and move only to those who know them."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.engine.placement import NEAR, Held, Share, place
from streams.engine.topology import TaskId

#: A changelog that takes long to read.
LONG = 1_000_000

COUNTS = st.fixed_dictionaries({"desk": st.integers(1, 12), "road": st.integers(1, 12)})
#: The group begins with so many members; then one joins (None), or the one of this number leaves.
CHANGES = st.tuples(st.integers(1, 6), st.lists(st.one_of(st.none(), st.integers(0, 5)), max_size=5))


def tasks_of(counts: Mapping[str, int]) -> list[TaskId]:
    return [TaskId(kind, partition) for kind, count in counts.items() for partition in range(count)]


DESKS = tasks_of({"desk": 4})


class Group:
    """Members that hold what they were given, and have caught up with all of it whenever shares are made anew."""

    def __init__(self, tasks: list[TaskId], wanted: int, members: int) -> None:
        self.tasks = tasks
        self.wanted = wanted
        self.held = {f"m{number}": Held(wanted=wanted) for number in range(members)}
        self._named = members

    def again(self) -> dict[str, Share]:
        shares = place(self.tasks, self.held)
        self.held = {
            member: Held(dict.fromkeys(share.tasks, LONG), dict.fromkeys(share.standbys, LONG), self.wanted)
            for member, share in shares.items()
        }
        return shares

    def settle(self) -> dict[str, Share]:
        """Shares out again as long as somebody has caught up with what it is to have."""
        for _ in range(10):
            shares = self.again()
            if not any(share.warming for share in shares.values()):
                return shares
        raise AssertionError("tasks move for ever")

    def join(self) -> None:
        self._named += 1
        self.held[f"m{self._named}"] = Held(wanted=self.wanted)

    def leave(self, number: int) -> str:
        gone = sorted(self.held)[number % len(self.held)]
        del self.held[gone]
        return gone

    def change(self, change: int | None) -> None:
        if change is None or len(self.held) == 1:
            self.join()
        else:
            self.leave(change)


def settled(counts: Mapping[str, int], wanted: int, changes: tuple[int, list[int | None]]) -> Group:
    """A group that has seen these changes, one after the other."""
    group = Group(tasks_of(counts), wanted, changes[0])
    for change in changes[1]:
        group.settle()
        group.change(change)
    return group


def owners(shares: Mapping[str, Share]) -> dict[TaskId, str]:
    return {task: member for member, share in shares.items() for task in share.tasks}


def spread(numbers: list[int]) -> int:
    return max(numbers) - min(numbers)


def moved(before: Mapping[TaskId, str], after: Mapping[TaskId, str], members: Mapping[str, object]) -> set[TaskId]:
    """Tasks that members who are still there have lost."""
    return {task for task, member in before.items() if member in members and after[task] != member}


@given(COUNTS, st.integers(0, 2), CHANGES)
def test_every_task_has_one_owner_and_as_many_standbys_as_can_be(
    counts: dict[str, int], wanted: int, changes: tuple[int, list[int | None]]
) -> None:
    group = settled(counts, wanted, changes)
    shares = group.again()
    listed = [task for share in shares.values() for task in share.tasks]
    assert sorted(listed) == sorted(group.tasks)
    for task in group.tasks:
        following = [member for member, share in shares.items() if task in share.standbys - share.warming]
        assert len(following) >= min(wanted, len(shares) - 1) - any(task in share.warming for share in shares.values())
    for share in shares.values():
        assert not share.tasks & share.standbys
        assert share.warming <= share.standbys


@given(COUNTS, st.integers(0, 2), CHANGES)
def test_once_all_have_caught_up_no_member_has_two_tasks_more_than_another(
    counts: dict[str, int], wanted: int, changes: tuple[int, list[int | None]]
) -> None:
    shares = settled(counts, wanted, changes).settle().values()
    assert spread([len(share.tasks) for share in shares]) <= 1
    for kind in counts:
        assert spread([sum(task.kind == kind for task in share.tasks) for share in shares]) <= 1


@given(COUNTS, st.integers(0, 2), CHANGES)
def test_who_asks_again_gets_the_same_tasks(
    counts: dict[str, int], wanted: int, changes: tuple[int, list[int | None]]
) -> None:
    group = settled(counts, wanted, changes)
    before = owners(group.settle())
    assert owners(group.again()) == before


@given(COUNTS, st.integers(1, 2), CHANGES, st.integers(0, 5))
def test_what_a_member_had_that_is_gone_goes_to_those_who_followed_it_and_nothing_else_moves_cold(
    counts: dict[str, int], wanted: int, changes: tuple[int, list[int | None]], number: int
) -> None:
    group = settled(counts, wanted, changes)
    before = owners(group.settle())
    if len(group.held) == 1:
        group.join()
        before = owners(group.settle())
    gone = group.leave(number)
    followed = {member: set(held.standbys) for member, held in group.held.items()}
    after = owners(group.again())
    for task, member in after.items():
        assert before[task] == member or task in followed[member], (task, gone)


@given(COUNTS, st.integers(0, 2), CHANGES)
def test_the_order_of_members_and_tasks_is_of_no_importance(
    counts: dict[str, int], wanted: int, changes: tuple[int, list[int | None]]
) -> None:
    group = settled(counts, wanted, changes)
    turned = {member: group.held[member] for member in sorted(group.held, reverse=True)}
    assert place(group.tasks[::-1], turned) == place(group.tasks, group.held)


@pytest.mark.parametrize("wanted", [0, 1])
def test_a_member_that_leaves_takes_nothing_from_those_who_stay(wanted: int) -> None:
    group = Group(tasks_of({"desk": 12, "road": 12}), wanted, 4)
    before = owners(group.settle())
    group.leave(1)
    assert not moved(before, owners(group.again()), group.held)


def test_a_member_that_joins_takes_no_more_than_its_share() -> None:
    group = Group(tasks_of({"desk": 12, "road": 12}), 0, 3)
    before = owners(group.settle())
    group.join()
    after = group.again()
    assert len(moved(before, owners(after), group.held)) == len(after["m4"].tasks) == 6


def test_a_member_that_joins_warms_up_before_anything_moves() -> None:
    group = Group(DESKS, 1, 1)
    before = owners(group.settle())
    group.join()
    shares = group.again()
    assert owners(shares) == before
    assert len(shares["m2"].warming) == 2
    shares = group.again()
    assert [len(share.tasks) for share in shares.values()] == [2, 2]
    assert not any(share.warming for share in shares.values())


def test_standbys_of_one_members_tasks_are_spread_over_the_others() -> None:
    shares = Group(tasks_of({"desk": 12, "road": 12}), 1, 4).settle()
    had = owners(shares)
    for member in shares:
        followers = [sum(had[task] == member for task in share.standbys) for share in shares.values()]
        assert sorted(followers) == [0, 2, 2, 2]


@pytest.mark.parametrize(
    ("behind", "warms_up"), [(NEAR - 1, False), (NEAR, False), (NEAR + 1, True)], ids=["near", "just near", "far"]
)
def test_a_task_moves_to_whoever_has_little_left_to_read(behind: int, warms_up: bool) -> None:
    one = Held(dict.fromkeys(DESKS, LONG), wanted=1)
    two = Held({}, dict.fromkeys(DESKS, LONG - behind), wanted=1)
    shares = place(DESKS, {"one": one, "two": two})
    assert len(shares["two"].tasks) == (0 if warms_up else 2)
    assert len(shares["two"].warming) == (2 if warms_up else 0)


@pytest.mark.parametrize(("length", "warms_up"), [(NEAR - 1, False), (NEAR, False), (NEAR + 1, True)])
def test_a_short_changelog_needs_no_warming_up(length: int, warms_up: bool) -> None:
    shares = place(DESKS, {"one": Held(dict.fromkeys(DESKS, length), wanted=1), "two": Held(wanted=1)})
    assert bool(shares["two"].warming) is warms_up


def test_of_two_standbys_the_one_that_has_come_further_takes_over() -> None:
    task = DESKS[0]
    members = {
        "behind": Held({}, {task: LONG - 1}, 1),
        "further": Held({}, {task: LONG}, 1),
        "nothing": Held(wanted=1),
    }
    assert place([task], members)["further"].tasks == {task}


def test_of_two_who_say_they_had_a_task_the_one_that_has_come_further_is_believed() -> None:
    task = DESKS[0]
    zombie, owner = Held({task: LONG - 5}), Held({task: LONG})
    assert place([task], {"a": zombie, "b": owner})["b"].tasks == {task}


def test_a_task_whose_state_was_thrown_away_goes_to_its_standby() -> None:
    task = DESKS[0]
    shares = place([task], {"a": Held({task: -1}, wanted=1), "b": Held({}, {task: LONG}, 1)})
    assert shares["b"].tasks == {task}


def test_a_task_whose_state_nobody_has_stays_where_it_was() -> None:
    assert place(DESKS[:1], {"a": Held(), "b": Held({DESKS[0]: -1})})["b"].tasks == {DESKS[0]}


def test_members_that_tell_nothing_have_their_share_of_tasks_and_follow_none() -> None:
    shares = place(DESKS, {"old": Held(), "new": Held(dict.fromkeys(DESKS, 5), wanted=1)})
    assert [len(share.tasks) for share in shares.values()] == [2, 2]
    assert not shares["old"].standbys
    assert shares["new"].standbys == shares["old"].tasks


def test_more_members_than_tasks_leave_some_with_standbys_alone() -> None:
    shares = Group(DESKS[:2], 1, 4).settle()
    assert sorted(len(share.tasks) for share in shares.values()) == [0, 0, 1, 1]
    assert sum(len(share.standbys) for share in shares.values()) == 2


def test_a_group_without_members_or_tasks_has_nothing_to_share() -> None:
    assert place(DESKS, {}) == {}
    assert place([], {"a": Held(wanted=1)}) == {"a": Share()}
