"""Clocks that jump by two days under a live worker: no parcel is stalled that is not."""

from __future__ import annotations

import asyncio
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer

from tests.connected.broker_faults.scans import (
    SCANS,
    make_topics,
    named,
    silent_since,
    stalled,
    until_stalled,
    working,
)
from tests.connected.marketplace import APP, end, heard, said, saying
from tests.kafka_broker import Broker
from tests.patience import PATIENCE

#: Stalled in a day and a half, and since a day.
SOON, ALREADY = named("P", 50), ["Q1"]


@asynccontextmanager
async def jumping(kafka: Broker, what: str) -> AsyncIterator[Process]:
    """A live worker that has read the scans, and whose clocks then go two days ahead."""
    await make_topics(kafka)
    await kafka.produce(SCANS, silent_since(5.5, SOON))
    await kafka.produce(SCANS, silent_since(8, ALREADY))
    process = await heard(
        *(sys.executable, "-m", "tests.connected.broker_faults.jumping_worker", what, "worker"),
        *("--broker", f"kafka://{kafka.bootstrap}", "--app-id", APP, "--commit-interval", "0.1"),
    )
    try:
        await until_stalled(kafka, ALREADY)
        process.send_signal(signal.SIGUSR1)
        yield process
    finally:
        await end(process)


async def test_a_machines_clock_that_jumps_raises_nothing(kafka: Broker) -> None:
    async with jumping(kafka, "system") as process:
        await kafka.produce(SCANS, silent_since(8, ["Q2"]))
        await until_stalled(kafka, [*ALREADY, "Q2"])
        await asyncio.sleep(1)
        process.send_signal(signal.SIGUSR2)
        await kafka.produce(SCANS, silent_since(8, ["Q3"]))
        await until_stalled(kafka, [*ALREADY, "Q2", "Q3"])


async def test_a_whole_process_that_jumps_commits_nothing_that_follows_from_it(kafka: Broker) -> None:
    async with jumping(kafka, "process") as process:
        await saying(process, "the clocks of this machine and of the brokers differ")
        process.send_signal(signal.SIGUSR2)
        text = await said(process)
        assert process.returncode == 3, text[-3000:]
        (line,) = [line for line in text.splitlines() if line.startswith("parcelwatch: ")]
        # By two days, less what has passed since it was read last.
        assert "the monotonic clock of this process went back by 172" in line
    assert await stalled(kafka) == {*ALREADY}
    # Nor is anything ahead behind a restart.
    await kafka.produce(SCANS, silent_since(8, ["Q2"]))
    async with working(kafka):
        await until_stalled(kafka, [*ALREADY, "Q2"])


async def test_a_clock_that_is_wrong_from_the_start_raises_nothing_and_the_worker_works(kafka: Broker) -> None:
    async with jumping(kafka, "process") as process:
        await saying(process, "the clocks of this machine and of the brokers differ")
        await kafka.produce(SCANS, silent_since(8, ["Q2"]))
        await until_stalled(kafka, [*ALREADY, "Q2"])
        assert process.returncode is None


async def test_internal_topics_bear_the_brokers_time(kafka: Broker) -> None:
    await make_topics(kafka)
    await kafka.produce(SCANS, silent_since(8, ALREADY))
    async with working(kafka):
        await until_stalled(kafka, ALREADY)
    for topic in ("shipments-changelog", "carrier-hours"):
        async with AIOKafkaConsumer(
            f"{APP}-{topic}", bootstrap_servers=kafka.bootstrap, auto_offset_reset="earliest"
        ) as reader:
            assert (await asyncio.wait_for(reader.getone(), PATIENCE)).timestamp_type == 1
