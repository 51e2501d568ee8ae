"""A killed worker: whoever followed its tasks goes on with them; a static member that comes back has its own again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.connected.feed import feed
from tests.connected.marketplace import compare
from tests.connected.mortals import Mortal, alive, finish, streaming, until_true
from tests.kafka_broker import Broker
from tests.patience import LONG_SESSION
from tests.unit.engine.disk_stores import KINDS

TASKS = 2 * 3


@asynccontextmanager
async def two(kafka: Broker, options: Sequence[Sequence[str]]) -> AsyncIterator[list[Mortal]]:
    """Two workers that have half of the tasks each, and follow the other half.

    With the session that workers have by default: within half of it they commit what they have, and keep it.
    """
    both = [streaming(kafka, "--session-timeout", "8", "--standbys", "1", *each) for each in options]
    async with alive(*both):
        for each in both:
            await until_true(lambda each=each: has(each, TASKS // 2))
        yield both


async def has(one: Mortal, tasks: int) -> bool:
    return await one.works() and await one.tasks() == tasks


async def has_caught_up(one: Mortal) -> bool:
    """Whether it follows, and has read all."""
    return await one.told("parcelwatch_standby_rows_total") > 0 == await one.told("parcelwatch_standby_lag_offsets")


@pytest.mark.parametrize("store", ["memory", *KINDS])
async def test_what_a_killed_worker_had_is_taken_over_without_reading_it(
    store: str, kafka: Broker, tmp_path: Path
) -> None:
    options = [() if store == "memory" else ("--store", store, "--state-dir", str(tmp_path / each)) for each in "ab"]
    async with feed(kafka, tmp_path) as stream, two(kafka, options) as (killed, other):
        await stream.flow(4000)
        await stream.read_all()
        await until_true(lambda: has_caught_up(other))
        followed = await other.told("parcelwatch_standby_rows_total")
        read = await other.told("parcelwatch_restored_rows_total")
        flowing = asyncio.create_task(stream.flow(500))
        await killed.kill()
        await until_true(lambda: has(other, TASKS))
        assert await other.told("parcelwatch_restored_rows_total") - read < followed / 4
        await flowing
        await stream.read_all()
        await finish(kafka, [other], stream)
        await compare(kafka, stream.out)


async def test_a_static_member_that_comes_back_has_its_tasks_and_others_keep_theirs(
    kafka: Broker, tmp_path: Path
) -> None:
    # In such a session it comes back on any machine.
    names = [("--instance-id", name, "--session-timeout", str(LONG_SESSION)) for name in ("one", "two")]
    async with feed(kafka, tmp_path) as stream, two(kafka, names) as (killed, other):
        await stream.flow(1000)
        before = await other.told("parcelwatch_restore_seconds_count")
        flowing = asyncio.create_task(stream.flow(1000))
        await killed.kill()
        await killed.start()
        await until_true(lambda: has(killed, TASKS // 2))
        await flowing
        await stream.read_all()
        # A task that is revoked and given back is counted too.
        assert await other.told("parcelwatch_restore_seconds_count") == before
        await finish(kafka, [killed, other], stream)
        await compare(kafka, stream.out)
