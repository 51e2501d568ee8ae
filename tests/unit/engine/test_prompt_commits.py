"""Commits that somebody waits for, and how many tasks of a worker commit at the same time."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from streams.engine.clock import Clock
from streams.engine.log.interface import Transaction, Writer
from streams.engine.log.memory import MemoryLog
from streams.engine.processor import Processor
from streams.engine.runner import Runner
from streams.engine.runtime import Cadence, TaskRuntime
from streams.engine.task import Task
from streams.engine.topology import TaskId
from streams.worker import Metrics
from tests.patience import PATIENCE
from tests.unit.engine.history import T0
from tests.unit.engine.simulator import log_of, topology_of
from tests.unit.engine.toy import HOUR, SECOND, pack, processor

COUNTS = {"desk": 2, "road": 2}
TOPOLOGY = topology_of(COUNTS)
#: Seconds that no test waits for.
NEVER = 100_000.0


def alarming(kind: str, partition: int) -> Processor:
    """A processor for whose output somebody always waits."""
    made: Any = processor(kind, partition, COUNTS)
    made.awaited = True
    return cast(Processor, made)


class Through:
    """Passes on what it does not have itself."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class Counting(MemoryLog):
    """Counts the commits that are under way."""

    now = most = done = 0

    async def writer(self, transactional_id: str, group: str) -> Writer:
        log = self

        class Counted(Through):
            async def commit(self, transaction: Transaction) -> int | None:
                log.now += 1
                log.most = max(log.most, log.now)
                for _ in range(20):
                    await asyncio.sleep(0)
                log.now -= 1
                log.done += 1
                end: int | None = await self._inner.commit(transaction)
                return end

        return Counted(await super().writer(transactional_id, group))


def counting() -> Counting:
    made = log_of(TOPOLOGY)
    made.__class__ = Counting
    return cast(Counting, made)


async def commits(log: Counting, cadence: Cadence, turns: asyncio.Semaphore, wanted: int) -> None:
    """Runs all tasks of the roads, each with a scan to read, until so many commits are done."""
    runtime = TaskRuntime(log=log, clock=Clock.wall(), now=lambda: T0 + 2 * HOUR, cadence=cadence)
    lives = []
    for partition in range(COUNTS["road"]):
        runner = Runner(runtime, TOPOLOGY, TaskId("road", partition), alarming, lambda *_: None, Metrics(), turns=turns)
        lives.append((runner, asyncio.create_task(runner.run())))
    async with asyncio.timeout(PATIENCE):
        while any(runner.task is None for runner, _ in lives):  # noqa: ASYNC110
            await asyncio.sleep(0)
        for runner, _ in lives:
            source = next(each for each in runner.sources if each.topic == "scans")
            log.append("scans", None, pack([T0, "scan", "p1"]), partition=source.partition)
            runner.put(log.read(source, 0, 100)._replace(epoch=runner.epoch), lambda: None)
        while log.done < wanted:  # noqa: ASYNC110
            await asyncio.sleep(0)
        for runner, _ in lives:
            runner.stop()
        await asyncio.gather(*(life for _, life in lives))


async def test_a_task_commits_long_before_its_interval_is_over_if_somebody_waits_for_it() -> None:
    await commits(counting(), Cadence(seconds=NEVER, prompt=0.0), asyncio.Semaphore(2), wanted=2)


@pytest.mark.parametrize("turns", [1, 2])
async def test_no_more_tasks_commit_at_the_same_time_than_there_are_turns(turns: int) -> None:
    log = counting()
    await commits(log, Cadence(seconds=0.0, prompt=0.0), asyncio.Semaphore(turns), wanted=2)
    assert log.most == turns


def task(clock: Clock) -> Task:
    made = Task(TOPOLOGY, TaskId("road", 0), alarming("road", 0), clock, lambda: T0, {})
    while made.advance():
        """To the end of the round."""
    return made


def test_nobody_waits_for_a_task_that_catches_up_with_the_past() -> None:
    assert task(Clock.wall()).awaited
    assert not task(Clock.catching_up()).awaited
    assert not task(Clock.stream()).awaited
    assert not task(Clock.end(T0)).awaited


def test_a_watermark_that_has_to_be_told_is_waited_for() -> None:
    made: Any = task(Clock.wall())
    made.processor.awaited = False
    assert not made.awaited
    made.at_end("scans", T0 + 2 * HOUR + SECOND, 0)
    while made.advance():
        """To the end of the round."""
    assert made.awaited
    made.snapshot()
    assert not made.awaited
