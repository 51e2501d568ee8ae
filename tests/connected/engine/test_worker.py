"""Workers of the toy dataflow as processes of one group on Kafka."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from random import Random
from typing import Any

import pytest
from aiohttp.test_utils import unused_port
from aiokafka.errors import GroupCoordinatorNotAvailableError

from tests.kafka_broker import Broker
from tests.unit.engine.history import UNTIL, Events, arrival, history, key_of
from tests.unit.engine.naive import naive
from tests.unit.engine.toy import RESULTS, pack, unpack

PATIENCE = 180.0
DESK, ROAD = 3, 3


@asynccontextmanager
async def worker(kafka: Broker, *settings: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.connected.engine.toy_worker", kafka.bootstrap, *settings
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def ended(process: asyncio.subprocess.Process) -> int:
    async with asyncio.timeout(PATIENCE):
        return await process.wait()


async def results(kafka: Broker) -> Counter[tuple[Any, ...]]:
    return Counter(tuple(unpack(record.value)) for record in await kafka.read_committed(RESULTS))


async def some_results(kafka: Broker, count: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while sum((await results(kafka)).values()) < count:  # noqa: ASYNC110
            await asyncio.sleep(0.1)


async def members(kafka: Broker, count: int) -> None:
    """Waits until the group has so many members."""
    async with kafka.admin() as admin, asyncio.timeout(PATIENCE):
        while True:
            # The first group of a new broker has no coordinator for a moment.
            with suppress(GroupCoordinatorNotAvailableError):
                (answer,) = await admin.describe_consumer_groups(["toy"])
                if len(answer.groups[0][5]) >= count:
                    return
            await asyncio.sleep(0.1)


@pytest.fixture
async def events(kafka: Broker) -> Events:
    """A history, written to the broker."""
    return await written(kafka)


async def written(kafka: Broker) -> Events:
    """Writes a history to topics of three partitions."""
    random = Random(7)
    made = history(random, size=3000)
    await kafka.create_topics({"orders": DESK, "calls": DESK, "scans": ROAD, RESULTS: 3})
    for topic, listed in arrival(random, made).items():
        await kafka.produce(topic, [(key_of(event), pack(event)) for event in listed])
    return made


async def test_two_workers_of_one_group_find_what_one_reader_finds(kafka: Broker, events: Events) -> None:
    async with worker(kafka) as one, worker(kafka) as two:
        assert [await ended(one), await ended(two)] == [0, 0]
    assert await results(kafka) == naive(events, UNTIL)


async def in_the_middle(kafka: Broker, events: Events) -> None:
    """Waits for some results, but not for all."""
    await some_results(kafka, 20)
    assert sum((await results(kafka)).values()) < sum(naive(events, UNTIL).values())


async def test_a_worker_killed_in_the_middle_goes_on_where_it_was(kafka: Broker, events: Events) -> None:
    async with worker(kafka) as process:
        await in_the_middle(kafka, events)
        process.kill()
        assert await ended(process) == -signal.SIGKILL
    async with worker(kafka) as process:
        assert await ended(process) == 0
    assert await results(kafka) == naive(events, UNTIL)


async def test_a_broker_that_does_not_answer_is_said_in_one_line() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.connected.engine.toy_worker", f"127.0.0.1:{unused_port()}"),
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(PATIENCE):
        _, said = await process.communicate()
    assert process.returncode == 2
    lines = [line for line in said.decode().splitlines() if line.startswith("parcelwatch: ")]
    assert len(lines) == 1
    assert "the broker cannot be used: connecting to 127.0.0.1:" in lines[0]
    assert "Traceback" not in said.decode()


async def test_a_worker_that_is_asked_to_stop_commits_and_leaves_at_once(kafka: Broker, events: Events) -> None:
    session = ("20", "30")
    async with worker(kafka, *session) as process:
        await in_the_middle(kafka, events)
        process.terminate()
        assert await ended(process) == 0
    async with worker(kafka, *session) as process, asyncio.timeout(60):
        # It need not wait for the session of the first one to end, which is longer than this patience.
        assert await ended(process) == 0
    assert await results(kafka) == naive(events, UNTIL)


async def test_the_other_worker_takes_over_what_a_killed_one_had(kafka: Broker, events: Events) -> None:
    async with worker(kafka) as one, worker(kafka) as two:
        await in_the_middle(kafka, events)
        one.kill()
        assert await ended(two) == 0
    assert await results(kafka) == naive(events, UNTIL)


async def test_a_worker_frozen_past_its_session_cannot_write_when_it_wakes(kafka: Broker, events: Events) -> None:
    async with worker(kafka) as one, worker(kafka) as two:
        await in_the_middle(kafka, events)
        one.send_signal(signal.SIGSTOP)
        before = sum((await results(kafka)).values())
        await some_results(kafka, before + 1)
        await asyncio.sleep(8)
        one.send_signal(signal.SIGCONT)
        assert [await ended(one), await ended(two)] == [0, 0]
    assert await results(kafka) == naive(events, UNTIL)


async def test_a_broker_killed_and_started_again_costs_nothing_but_time(mortal_kafka: Broker) -> None:
    events = await written(mortal_kafka)
    async with worker(mortal_kafka) as one, worker(mortal_kafka) as two:
        # Both have to have begun: a worker that finds no broker at its start ends, as it should.
        await members(mortal_kafka, 2)
        await in_the_middle(mortal_kafka, events)
        await mortal_kafka.kill()
        await mortal_kafka.start()
        assert [await ended(one), await ended(two)] == [0, 0]
    assert await results(mortal_kafka) == naive(events, UNTIL)


async def test_a_broker_frozen_past_the_transactions_costs_nothing_but_time(mortal_kafka: Broker) -> None:
    events = await written(mortal_kafka)
    async with worker(mortal_kafka) as process:
        await in_the_middle(mortal_kafka, events)
        mortal_kafka.pause()
        await asyncio.sleep(12)
        mortal_kafka.resume()
        assert await ended(process) == 0
    assert await results(mortal_kafka) == naive(events, UNTIL)
