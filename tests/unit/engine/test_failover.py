"""Workers in memory that follow each other's tasks: who takes over starts warm, and nothing is lost or said twice."""

from __future__ import annotations

import asyncio
from pathlib import Path
from random import Random

import pytest

from streams.engine import placement, standby
from streams.engine.clock import Clock
from streams.engine.log.interface import TopicPartition
from streams.engine.log.memory import MemoryLog
from streams.worker import Embedded
from tests.patience import PATIENCE
from tests.unit.engine.disk_stores import KINDS, made
from tests.unit.engine.embedding import append_all, embedded, results, until
from tests.unit.engine.history import UNTIL, Events, arrival, history
from tests.unit.engine.naive import naive

COUNTS = {"desk": 4, "road": 4}
TASKS = sum(COUNTS.values())
CHANGELOGS = [TopicPartition(f"toy-{kind}-changelog", each) for kind, count in COUNTS.items() for each in range(count)]


def told(worker: Embedded, name: str) -> float:
    """A metric's sum over its labels."""
    return sum(
        sample.value for family in worker.metrics.registry.collect() for sample in family.samples if sample.name == name
    )


def follows(worker: Embedded) -> int:
    """How many tasks it follows and has caught up with."""
    samples = [sample for family in worker.metrics.registry.collect() for sample in family.samples]
    return sum(sample.name == "parcelwatch_standby_lag_offsets" and sample.value == 0 for sample in samples)


def until_the_end(events: Events) -> Events:
    """Without events after the end, which a worker without an end would go past."""
    return {topic: [event for event in listed if event[0] <= UNTIL] for topic, listed in events.items()}


def halves(events: Events) -> tuple[Events, Events]:
    early = {topic: listed[: len(listed) // 2] for topic, listed in events.items()}
    return early, {topic: listed[len(listed) // 2 :] for topic, listed in events.items()}


async def quiet(worker: Embedded) -> None:
    """Until nothing has been written to the changelogs for a while."""
    await until(lambda: told(worker, "parcelwatch_commits_total") > 0)
    before: list[int] = []
    while (ends := [worker.log.end(each) for each in CHANGELOGS]) != before or not all(ends):
        before = ends
        await asyncio.sleep(0.2)


async def test_what_a_worker_had_is_taken_over_by_those_who_followed_it() -> None:
    random = Random(11)
    events = until_the_end(history(random, size=600))
    early, late = halves(arrival(random, events))
    log = MemoryLog()
    async with asyncio.timeout(PATIENCE), embedded(COUNTS, log, standbys=1, clock=Clock.stream()) as one:
        append_all(one, early)
        async with embedded(COUNTS, log, standbys=1, clock=Clock.stream()) as two:
            await until(lambda: told(one, "parcelwatch_tasks") == told(two, "parcelwatch_tasks") == TASKS / 2)
            await quiet(one)
            await until(lambda: follows(one) == follows(two) == TASKS / 2)
            before = told(one, "parcelwatch_restored_rows_total")
        await until(lambda: told(one, "parcelwatch_tasks") == TASKS)
        # What the other one has committed when it left may be read, and no more.
        assert told(one, "parcelwatch_restored_rows_total") - before < 30
        assert follows(one) == 0
        append_all(one, late)
        await quiet(one)
    async with asyncio.timeout(PATIENCE), embedded(COUNTS, log, once=True) as last:
        assert await last.finished() == 0
    assert results(one) == naive(events, UNTIL)


async def test_who_joins_warms_up_and_has_its_share_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placement, "NEAR", 10)
    monkeypatch.setattr(standby, "NEAR", 10)
    random = Random(12)
    events = history(random, size=600)
    log = MemoryLog()
    async with asyncio.timeout(PATIENCE), embedded(COUNTS, log, standbys=1, clock=Clock.end(UNTIL)) as one:
        append_all(one, arrival(random, events))
        await quiet(one)
        async with embedded(COUNTS, log, standbys=1, clock=Clock.end(UNTIL)) as two:
            await until(lambda: told(two, "parcelwatch_tasks") == TASKS / 2)
            assert told(two, "parcelwatch_standby_rows_total") > 10 * told(two, "parcelwatch_restored_rows_total")
    assert results(one) == naive(events, UNTIL)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_worker_that_comes_back_has_the_tasks_that_it_left_on_disk(kind: str, tmp_path: Path) -> None:
    random = Random(14)
    log = MemoryLog()
    clock = Clock.stream()

    def worker(name: str) -> Embedded:
        return embedded(COUNTS, log, clock=clock, store=made(kind, tmp_path / name))

    async with asyncio.timeout(PATIENCE), worker("one") as one:
        async with worker("two") as two:
            await until(lambda: told(one, "parcelwatch_tasks") == told(two, "parcelwatch_tasks") == TASKS / 2)
            append_all(one, arrival(random, history(random, size=600)))
            await quiet(one)
        async with worker("two") as two:
            await until(lambda: told(one, "parcelwatch_tasks") == told(two, "parcelwatch_tasks") == TASKS / 2)
            # Nothing but what the other one has committed meanwhile.
            assert told(two, "parcelwatch_restored_rows_total") < 30


async def test_workers_with_and_without_standbys_work_together() -> None:
    random = Random(13)
    events = history(random, size=600)
    log = MemoryLog()
    async with asyncio.timeout(PATIENCE), embedded(COUNTS, log, once=True) as one:
        append_all(one, arrival(random, events))
        async with embedded(COUNTS, log, standbys=2, once=True) as two:
            await until(lambda: told(two, "parcelwatch_tasks") == TASKS / 2)
            assert [await one.finished(), await two.finished()] == [0, 0]
    assert results(one) == naive(events, UNTIL)
