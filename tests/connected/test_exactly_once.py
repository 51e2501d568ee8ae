"""Workers that are killed and frozen again and again put out what the replay does, each alert once."""

from __future__ import annotations

import asyncio
import signal
from importlib.util import find_spec
from pathlib import Path
from random import Random

import pytest

from tests.connected.feed import feed
from tests.connected.marketplace import compare, progress
from tests.connected.mortals import at_work, finish, kill_often, pair, until_true
from tests.kafka_broker import Broker

#: With the part in Rust, where it is installed, and without.
NATIVE = ["off", *(["on"] if find_spec("parcelwatch_native") else [])]


@pytest.mark.parametrize("native", NATIVE)
async def test_twenty_kills_at_any_point_leave_no_trace(native: str, kafka: Broker, tmp_path: Path) -> None:
    async with feed(kafka, tmp_path, days=30) as stream, pair(kafka, "--native", native) as workers:
        await kill_often(kafka, workers, stream, Random(20), kills=20)
        await stream.read_all()
        taken = sum([await each.told("parcelwatch_native_scans_total") for each in await at_work(workers)])
        assert (taken > 0) == (native == "on")
        await finish(kafka, workers, stream, "--native", native)
        await compare(kafka, stream.out)


@pytest.mark.parametrize("number", [0, 1], ids=["static member", "dynamic member"])
async def test_a_worker_frozen_past_its_session_says_nothing_when_it_wakes(
    number: int, kafka: Broker, tmp_path: Path
) -> None:
    random = Random(number)
    async with feed(kafka, tmp_path) as stream, pair(kafka) as workers:
        frozen, other = workers[number], workers[1 - number]

        async def shared() -> bool:
            return all([await each.works() and 0 < await each.tasks() < 2 * 3 for each in workers])

        async def other_has_all() -> bool:
            return await other.tasks() == 2 * 3 and await other.works()

        await until_true(shared)
        flowing = asyncio.create_task(stream.flow(2000))
        await stream.read_beyond(await progress(kafka) + random.randrange(500))
        frozen.running.send_signal(signal.SIGSTOP)
        await until_true(other_has_all)
        await flowing
        # The group has given the tasks away, and the other one has gone on with them: what wakes is a zombie.
        await stream.read_all()
        flowing = asyncio.create_task(stream.flow(500))
        frozen.running.send_signal(signal.SIGCONT)
        # It learns that it has lost them, and gets its share again.
        await until_true(shared)
        await flowing
        await finish(kafka, workers, stream)
        await compare(kafka, stream.out)
