"""A killed worker: whoever followed its tasks goes on with them; a static member that comes back has its own again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.connected.marketplace import compare, end, ended_well, progress, worker
from tests.connected.mortals import PACE, Mortal, beyond, until_true, written
from tests.kafka_broker import Broker

TASKS = 2 * 3


@asynccontextmanager
async def two(kafka: Broker, until: str, options: Sequence[Sequence[str]]) -> AsyncIterator[list[Mortal]]:
    """Two workers that have half of the tasks each, and follow the other half.

    With the session that workers have by default: within half of it they commit what they have, and keep it.
    """
    fixed = (*PACE, "--session-timeout", "8", "--standbys", "1")
    both = [Mortal(*worker(kafka, until, *fixed, *each)) for each in options]
    try:
        for each in both:
            await each.start()
        for each in both:
            await until_true(lambda each=each: has(each, TASKS // 2))
        yield both
    finally:
        for each in both:
            await end(each.running)


async def has(one: Mortal, tasks: int) -> bool:
    return await one.works() and await one.tasks() == tasks


async def has_caught_up(one: Mortal) -> bool:
    """Whether it follows, and is no more than a few commits behind."""
    return (
        await one.told("parcelwatch_standby_rows_total") > 0 and await one.told("parcelwatch_standby_lag_offsets") < 90
    )


@pytest.mark.parametrize("store", ["memory", "rocksdict"])
async def test_what_a_killed_worker_had_is_taken_over_without_reading_it(
    store: str, kafka: Broker, tmp_path: Path
) -> None:
    events, until, out = await written(kafka, tmp_path)
    options = [() if store == "memory" else ("--store", store, "--state-dir", str(tmp_path / each)) for each in "ab"]
    async with two(kafka, until, options) as (killed, other):
        await beyond(kafka, len(events) // 4, events)
        await until_true(lambda: has_caught_up(other))
        followed = await other.told("parcelwatch_standby_rows_total")
        read = await other.told("parcelwatch_restored_rows_total")
        await killed.kill()
        await until_true(lambda: has(other, TASKS))
        assert await other.told("parcelwatch_restored_rows_total") - read < followed / 4
        await beyond(kafka, await progress(kafka), events)
        await ended_well(other.running)
    await compare(kafka, out)


async def test_a_static_member_that_comes_back_has_its_tasks_and_others_keep_theirs(
    kafka: Broker, tmp_path: Path
) -> None:
    events, until, out = await written(kafka, tmp_path)
    names = [("--instance-id", name, "--session-timeout", "20") for name in ("one", "two")]
    async with two(kafka, until, names) as (killed, other):
        await beyond(kafka, len(events) // 4, events)
        before = await other.told("parcelwatch_restore_seconds_count")
        await killed.kill()
        await killed.start()
        await until_true(lambda: has(killed, TASKS // 2))
        await beyond(kafka, await progress(kafka), events)
        # A task that is revoked and given back is counted too.
        assert await other.told("parcelwatch_restore_seconds_count") == before
        await asyncio.gather(*(ended_well(each.running) for each in (killed, other)))
    await compare(kafka, out)
