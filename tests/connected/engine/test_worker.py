"""Workers of the toy dataflow as processes of one group on Kafka, and what may befall them and the broker."""

from __future__ import annotations

import asyncio
import signal
import sys
from asyncio.subprocess import Process
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from random import Random
from typing import Any

from aiokafka.errors import GroupCoordinatorNotAvailableError

from streams.engine.envelopes import pack as packed
from streams.engine.watermarks import START
from tests.connected.marketplace import end, ended_well, heard, heard_of, said, saying
from tests.kafka_broker import Broker
from tests.patience import LONG_SESSION, PATIENCE
from tests.ports import free_port
from tests.unit.engine.history import T0, UNTIL, Events, arrival, history, key_of
from tests.unit.engine.naive import naive
from tests.unit.engine.toy import RESULTS, pack, unpack

DESK, ROAD = 3, 3


class Stream:
    """A history of which the first half is in Kafka; `on` goes on with it, `rest` writes what is left.

    So there is always something to come while workers that follow the events are killed and frozen.
    """

    def __init__(self, kafka: Broker) -> None:
        random = Random(7)
        self.kafka = kafka
        self.events: Events = history(random, size=3000)
        self._arrival = arrival(random, self.events)
        self._written = 0

    async def begin(self) -> None:
        await self.kafka.create_topics({"orders": DESK, "calls": DESK, "scans": ROAD, RESULTS: 3})
        await self._write(50)

    async def on(self) -> None:
        """Some more, in portions; none of it is near the end of the history."""
        for percent in range(52, 82, 2):
            await self._write(percent)

    async def a_little_more(self) -> None:
        """Behind `on`, for as long as there is any that is not near the end."""
        if self._written < 95:
            await self._write(self._written + 1)

    async def rest(self) -> None:
        await self._write(100)

    async def _write(self, percent: int) -> None:
        for topic, listed in self._arrival.items():
            part = listed[len(listed) * self._written // 100 : len(listed) * percent // 100]
            await self.kafka.produce(topic, [(key_of(event), pack(event)) for event in part])
        self._written = percent

    async def end(self, *workers: Process) -> None:
        """Stops these workers; another one finds what one reader of everything finds."""
        for each in workers:
            each.terminate()
        for each in workers:
            await ended_well(each)
        await self.rest()
        async with worker(self.kafka, "end") as last:
            await ended_well(last)
        assert await results(self.kafka) == naive(self.events, UNTIL)


async def stream(kafka: Broker) -> Stream:
    found = Stream(kafka)
    await found.begin()
    return found


@asynccontextmanager
async def worker(kafka: Broker, clock: str, *options: str) -> AsyncIterator[Process]:
    process = await heard(sys.executable, "-m", "tests.connected.engine.toy_worker", kafka.bootstrap, clock, *options)
    try:
        yield process
    finally:
        await end(process)


async def results(kafka: Broker) -> Counter[tuple[Any, ...]]:
    return Counter(tuple(unpack(record.value)) for record in await kafka.read_committed(RESULTS))


async def more_results(kafka: Broker, than: int = 20) -> int:
    """Waits for more than so many; how many there are then."""
    async with asyncio.timeout(PATIENCE):
        while (found := sum((await results(kafka)).values())) <= than:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    return found


async def members(kafka: Broker, count: int) -> None:
    """Waits until the group has exactly so many members."""
    async with kafka.admin() as admin, asyncio.timeout(PATIENCE):
        while True:
            # The first group of a new broker has no coordinator for a moment.
            with suppress(GroupCoordinatorNotAvailableError):
                (answer,) = await admin.describe_consumer_groups(["toy"])
                if len(answer.groups[0][5]) == count:
                    return
            await asyncio.sleep(0.1)


async def test_two_workers_of_one_group_find_what_one_reader_finds(kafka: Broker) -> None:
    history = await stream(kafka)
    await history.rest()
    async with worker(kafka, "end") as one, worker(kafka, "end") as two:
        await asyncio.gather(ended_well(one), ended_well(two))
    assert await results(kafka) == naive(history.events, UNTIL)


async def test_a_worker_killed_in_the_middle_goes_on_where_it_was(kafka: Broker) -> None:
    history = await stream(kafka)
    async with worker(kafka, "stream") as process:
        await more_results(kafka)
        flowing = asyncio.create_task(history.on())
        await asyncio.sleep(0)
        process.kill()
        await said(process)
        assert process.returncode == -signal.SIGKILL
        await flowing
    await history.end()


async def test_a_broker_that_does_not_answer_is_waited_for_and_said_in_one_line() -> None:
    nobody = f"127.0.0.1:{free_port()}"
    toy = ("-m", "tests.connected.engine.toy_worker")
    process = await heard(sys.executable, *toy, nobody, "end", "--patience", "1")
    told = await said(process)
    assert process.returncode == 2
    (line,) = [line for line in told.splitlines() if line.startswith("parcelwatch: ")]
    assert "the broker cannot be used: connecting to 127.0.0.1:" in line
    assert "waiting for the brokers" in told
    assert "Traceback" not in told


async def test_a_worker_that_starts_before_its_broker_waits_for_it(mortal_kafka: Broker) -> None:
    history = await stream(mortal_kafka)
    await mortal_kafka.kill()
    async with worker(mortal_kafka, "stream", "--patience", "180") as process:
        await saying(process, "waiting for the brokers")
        await mortal_kafka.start()
        await more_results(mortal_kafka)
        await history.end(process)


async def test_a_worker_that_is_asked_to_stop_commits_and_leaves_at_once(kafka: Broker) -> None:
    history = await stream(kafka)
    # With such a session, whoever came next would wait longer for a worker that has not left than this test does.
    async with worker(kafka, "stream", "--session", str(LONG_SESSION)) as process:
        await more_results(kafka)
        flowing = asyncio.create_task(history.on())
        await asyncio.sleep(0)
        process.terminate()
        await ended_well(process)
        await members(kafka, 0)
        await flowing
    await history.end()


async def test_a_worker_in_the_midst_of_a_long_envelope_stays_a_member_and_stops_when_it_is_told(kafka: Broker) -> None:
    await (await stream(kafka)).rest()
    async with worker(kafka, "stream") as process:
        await more_results(kafka)
        process.terminate()
        await ended_well(process)
    # Five minutes of work: longer than this test waits for anything, and than the group for one that is silent.
    session = 8
    records = [[T0 + each, f"p{each}", f"o{each}"] for each in range(6000)]
    (envelope,) = packed(0, 10**6, START, START, "", records)
    await kafka.produce("toy-registrations", [(None, envelope)], partition=0)
    async with worker(kafka, "stream", "--slow", "0.05", "--session", str(session)) as process:
        await saying(process, "slow: an envelope")
        await asyncio.sleep(session + 2)
        await members(kafka, 1)
        process.terminate()
        await ended_well(process)
        assert "joining again" not in await said(process)


async def test_the_other_worker_takes_over_what_a_killed_one_had(kafka: Broker) -> None:
    history = await stream(kafka)
    async with worker(kafka, "stream") as one, worker(kafka, "stream") as two:
        await members(kafka, 2)
        found = await more_results(kafka)
        one.kill()
        await history.on()
        await members(kafka, 1)
        await more_results(kafka, found)
        await history.end(two)


async def test_a_worker_frozen_past_its_session_cannot_write_when_it_wakes(kafka: Broker) -> None:
    history = await stream(kafka)
    async with worker(kafka, "stream") as one, worker(kafka, "stream") as two:
        await members(kafka, 2)
        found = await more_results(kafka)
        one.send_signal(signal.SIGSTOP)
        await members(kafka, 1)
        await history.on()
        await more_results(kafka, found)
        one.send_signal(signal.SIGCONT)
        await members(kafka, 2)
        await history.end(one, two)


async def changes(kafka: Broker) -> set[tuple[str, int, int]]:
    """Where the records of the changelogs are: topic, partition, offset."""
    topics = [f"toy-{kind}-changelog" for kind in ("desk", "road")]
    return {(topic, each.partition, each.offset) for topic in topics for each in await kafka.read_committed(topic)}


async def compact_soon(kafka: Broker) -> None:
    """Lets Kafka throw away what later rows have replaced as soon as it can."""
    soon = {"segment.ms": "200", "min.cleanable.dirty.ratio": "0.01"}
    topics = [f"toy-{kind}-changelog" for kind in ("desk", "road")]
    await kafka.alter_topics({topic: {"cleanup.policy": "compact", **soon} for topic in topics})


async def test_a_compacted_changelog_says_as_much_as_a_whole_one(kafka: Broker) -> None:
    history = await stream(kafka)
    async with worker(kafka, "stream") as process:
        await more_results(kafka)
        written = await changes(kafka)
        await compact_soon(kafka)
        await history.on()
        async with asyncio.timeout(PATIENCE):
            while len(written & await changes(kafka)) > len(written) * 3 / 4:
                # The segment that is written to is never compacted.
                await history.a_little_more()
                await asyncio.sleep(0.2)
        process.kill()
    await history.end()


async def test_a_broker_killed_and_started_again_costs_nothing_but_time(mortal_kafka: Broker) -> None:
    history = await stream(mortal_kafka)
    async with worker(mortal_kafka, "stream") as one, worker(mortal_kafka, "stream") as two:
        await members(mortal_kafka, 2)
        found = await more_results(mortal_kafka)
        await mortal_kafka.kill()
        await mortal_kafka.start()
        await history.on()
        await more_results(mortal_kafka, found)
        await history.end(one, two)


async def test_a_broker_frozen_past_the_transactions_costs_nothing_but_time(mortal_kafka: Broker) -> None:
    history = await stream(mortal_kafka)
    async with worker(mortal_kafka, "stream") as process:
        found = await more_results(mortal_kafka)
        flowing = asyncio.create_task(history.on())
        # Until a commit has had no answer for as long as a transaction may take; for less than makes clients anew.
        async with asyncio.timeout(PATIENCE):
            while not any("task starts over" in line for line in heard_of(process)):
                await asyncio.sleep(0.1)
                mortal_kafka.pause()
                await asyncio.sleep(7)
                mortal_kafka.resume()
                if flowing.done():
                    await history.a_little_more()
        await flowing
        await more_results(mortal_kafka, found)
        await history.end(process)
