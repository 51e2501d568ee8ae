"""Workers that are killed and frozen again and again put out what the replay does, each alert once."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from random import Random

import pytest

from tests.connected.marketplace import compare, ended_well, progress
from tests.connected.mortals import beyond, kill_often, pair, until_true, written
from tests.kafka_broker import Broker


async def test_twenty_kills_at_any_point_leave_no_trace(kafka: Broker, tmp_path: Path) -> None:
    random = Random(20)
    events, until, out = await written(kafka, tmp_path)
    async with pair(kafka, until) as workers:
        await kill_often(kafka, workers, events, random, kills=20)
    await compare(kafka, out)


@pytest.mark.parametrize("number", [0, 1], ids=["static member", "dynamic member"])
async def test_a_worker_frozen_past_its_session_says_nothing_when_it_wakes(
    number: int, kafka: Broker, tmp_path: Path
) -> None:
    random = Random(number)
    events, until, out = await written(kafka, tmp_path)
    async with pair(kafka, until) as workers:
        frozen, other = workers[number], workers[1 - number]
        await until_true(frozen.works)
        await beyond(kafka, await progress(kafka) + random.randrange(len(events) // 20), events)
        frozen.running.send_signal(signal.SIGSTOP)

        async def other_has_all() -> bool:
            return await other.tasks() == 2 * 3

        # The group has given the tasks away, and the other one has gone on with them: what wakes is a zombie.
        await until_true(other_has_all)
        await beyond(kafka, await progress(kafka), events)
        frozen.running.send_signal(signal.SIGCONT)
        await asyncio.gather(*(ended_well(each.running) for each in workers))
    await compare(kafka, out)
