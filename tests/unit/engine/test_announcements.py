"""Watermarks that are gathered, so that one transaction tells them for all tasks of a worker."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from streams.engine import announcements
from streams.engine.announcements import Announcement, Announcements
from streams.engine.clock import Clock
from streams.engine.envelopes import unpack
from streams.engine.log.interface import Transaction
from streams.engine.processor import Horizon
from streams.engine.task import Task, progress_of
from streams.engine.topology import TaskId, Topology
from streams.engine.watermarks import START, Outgoing
from tests.patience import PATIENCE
from tests.unit.engine.task_double import DATAFLOW, HOUR, Double, settle, times
from tests.unit.engine.task_double import T0 as HOUR_BEGINS

#: Within an hour, and not where it begins: a watermark that passes that is told.
T0 = HOUR_BEGINS + 1
#: Seconds that no test waits for.
NEVER = 100_000.0
TASKS = 3


def task_of(rows: Mapping[bytes, bytes] | None = None, direct: int = 1, clock: Clock | None = None) -> Task:
    topology = Topology("app", DATAFLOW, {"k": TASKS})
    return Task(topology, TaskId("k", 0), Double(), clock or Clock.stream(), lambda: T0, rows or {}, direct)


def at(task: Task, time: int, offset: int = 0) -> Transaction:
    """Takes an event of that time, and snapshots."""
    task.accept(times("a", time + 60, offset=offset))
    settle(task)
    made = task.snapshot()
    assert made is not None
    return made


def test_a_watermark_for_many_is_left_to_be_told_together() -> None:
    task = task_of()
    transaction = at(task, T0)
    assert transaction.envelopes == []
    (made,) = task.announced
    listed = list(made.envelopes())
    assert [target.partition for target, _ in listed] == list(range(TASKS))
    assert {(unpack(value).source, unpack(value).watermark, unpack(value).number) for _, value in listed} == {
        (0, T0, made.number)
    }


@pytest.mark.parametrize(("direct", "sent"), [(TASKS - 1, 0), (TASKS, TASKS), (TASKS + 1, TASKS)])
def test_a_watermark_for_few_is_told_at_once(direct: int, sent: int) -> None:
    task = task_of(direct=direct)
    assert len(at(task, T0).envelopes) == sent
    assert len(task.announced) == (not sent)


def test_what_is_left_to_be_told_is_left_once() -> None:
    task = task_of()
    at(task, T0)
    task.accept(times("a", T0 + 61, offset=1))
    settle(task)
    task.snapshot()
    assert task.announced == []


def test_records_go_with_their_task_and_are_told_before_what_it_leaves_later() -> None:
    task = task_of()
    at(task, T0)
    (first,) = task.announced
    double: Any = task.processor
    double.effects.sends = {"loop": {1: ["x"]}}
    transaction = at(task, T0 + HOUR, offset=1)
    ((target, value),) = transaction.envelopes
    (second,) = task.announced
    assert (target.partition, unpack(value).records) == (1, ["x"])
    assert first.number < unpack(value).number < second.number


def restored(*transactions: Transaction) -> tuple[Task, dict[bytes, bytes]]:
    rows = {key: row for each in transactions for key, row in each.rows.items() if row is not None}
    task = task_of(rows)
    settle(task)
    return task, rows


def test_a_task_that_is_restored_before_it_was_told_leaves_it_to_be_told_again_by_another_number() -> None:
    task = task_of()
    first = at(task, T0)
    (left,) = task.announced
    again, _ = restored(first)
    assert again.snapshot() is not None
    (more,) = again.announced
    assert (more.horizon, more.number > left.number) == (left.horizon, True)


def test_a_task_that_is_restored_after_it_was_told_has_nothing_to_tell() -> None:
    task = task_of()
    first = at(task, T0)
    (left,) = task.announced
    left.outgoing.heard(left.horizon, left.number)
    second = at(task, T0 + 1, offset=1)
    again, rows = restored(first, second)
    progress = progress_of(rows)
    assert progress is not None
    assert Horizon(*progress.told["loop"]) == left.horizon
    assert again.snapshot() is None


def test_what_is_told_late_takes_nothing_back() -> None:
    outgoing = Outgoing(HOUR)
    outgoing.hold(Horizon(T0), "a")
    outgoing.hand()
    outgoing.hold(Horizon(T0 + HOUR), "a")
    outgoing.tell(2)
    outgoing.heard(Horizon(T0), 1)
    assert outgoing.told == Horizon(T0 + HOUR)
    assert not outgoing.due


def announcement(source: int, number: int = 1, targets: int = 2) -> Announcement:
    return Announcement("app-loop", targets, source, number, Horizon(T0), b"", Outgoing(HOUR))


async def ripe(gathered: Announcements) -> Callable[[], int]:
    """Waits until somebody is woken; how often so far."""
    woken = asyncio.Event()
    count = 0

    def wake() -> None:
        nonlocal count
        count += 1
        woken.set()

    gathered.listen(wake)
    async with asyncio.timeout(PATIENCE):
        await woken.wait()
    return lambda: count


def told(gathered: Announcements) -> list[tuple[int, int]]:
    """Sources and numbers of what a commit tells."""
    with gathered.telling() as telling:
        return [(each.source, each.number) for each in telling]


async def test_nothing_is_told_before_it_has_gathered() -> None:
    gathered = Announcements(NEVER)
    gathered.add([announcement(0)])
    assert told(gathered) == []
    gathered.close()


async def test_the_last_one_of_each_task_is_told_once() -> None:
    gathered = Announcements(0.0)
    gathered.add([announcement(0), announcement(1)])
    gathered.add([announcement(0, number=2)])
    await ripe(gathered)
    with gathered.telling() as telling:
        assert [(each.source, each.number) for each in telling] == [(0, 2), (1, 1)]
        assert {each.outgoing.told for each in telling} == {START}
    assert [each.outgoing.told for each in telling] == [Horizon(T0)] * 2
    assert told(gathered) == []


async def test_one_transaction_tells_at_a_time_whoever_else_commits_meanwhile() -> None:
    gathered = Announcements(0.0)
    gathered.add([announcement(0)])
    count = await ripe(gathered)
    with gathered.telling():
        gathered.add([announcement(1)])
        assert told(gathered) == []
        await asyncio.sleep(0.01)
        assert told(gathered) == []
        before = count()
    async with asyncio.timeout(PATIENCE):
        while count() == before:  # noqa: ASYNC110
            await asyncio.sleep(0)
    assert told(gathered) == [(1, 1)]


async def test_what_a_failed_commit_did_not_tell_is_told_by_another_unless_there_is_later_news() -> None:
    gathered = Announcements(0.0)
    gathered.add([announcement(0), announcement(1)])
    await ripe(gathered)

    def failing() -> None:
        with gathered.telling() as telling:
            gathered.add([announcement(1, number=2)])
            failed.extend(telling)
            raise ZeroDivisionError

    failed: list[Announcement] = []
    with pytest.raises(ZeroDivisionError):
        failing()
    assert {each.outgoing.told for each in failed} == {START}
    await ripe(gathered)
    assert sorted(told(gathered)) == [(0, 1), (1, 2)]


async def test_another_is_woken_where_one_does_not_commit() -> None:
    gathered = Announcements(0.0)
    gathered.listen(lambda: None)
    gathered.add([announcement(0)])
    assert (await ripe(gathered))() == 1
    gathered.close()


async def test_a_transaction_tells_no_more_than_it_can_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(announcements, "MOST", 5)
    gathered = Announcements(0.0)
    gathered.add([announcement(source) for source in range(5)])
    found = []
    for _ in range(3):
        await ripe(gathered)
        found.append(len(told(gathered)))
    assert found == [2, 2, 1]
