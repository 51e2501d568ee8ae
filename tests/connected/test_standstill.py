"""Tasks and memberships that stand still on a live worker are noticed, told of, and started again, or the worker ends.

What takes 30 s and more otherwise takes a few here.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.connected.broker_faults.scans import SCANS, live, make_topics, named, silent_since, until_stalled
from tests.connected.marketplace import end, heard, said, saying
from tests.connected.mortals import Mortal, until_true
from tests.kafka_broker import Broker

#: Seconds behind which a standstill is noticed: longer than a restart of a task takes, and than one look may count.
SOON = "6"
PARCELS = named("P", 5)


@asynccontextmanager
async def faulty(kafka: Broker, fault: str, *options: str, soon: str = SOON) -> AsyncIterator[Mortal]:
    """A live worker with a fault of `faulty_worker`, and parcels that are stalled; nothing is left of it."""
    await make_topics(kafka)
    await kafka.produce(SCANS, silent_since(8, PARCELS))
    worker = live(kafka, *options)
    module = ("-m", "tests.connected.faulty_worker", fault)
    worker.running = await heard(sys.executable, *module, *worker._command, WATCHED_SOON=soon)
    try:
        yield worker
    finally:
        await end(worker.running)


@pytest.mark.parametrize(("fault", "what"), [("idle", "task"), ("deaf", "member"), ("hanging", "member")])
async def test_what_stands_still_is_told_of_and_started_again(kafka: Broker, fault: str, what: str) -> None:
    async with faulty(kafka, fault) as worker:
        await saying(worker.running, "reason='standstill'")

        async def again() -> bool:
            return await worker.told("parcelwatch_standstill_restarts_total") > 0

        await until_true(again)
        assert await worker.lives()
        # With a new start all is well, and nothing was lost.
        await until_stalled(kafka, PARCELS)
        await until_true(worker.works)
        assert worker.heard(f"step='{what}'")


async def test_a_task_behind_another_applications_transaction_is_told_of_and_not_started_again(kafka: Broker) -> None:
    # Whose it is has been found out by then.
    async with faulty(kafka, "none", soon="15") as worker, kafka.transaction("a-producer") as producer:
        await until_true(worker.works)
        await producer.send_and_wait(SCANS, b"undecided", partition=0)
        await kafka.produce(SCANS, silent_since(9, ["Q"]))

        async def is_named() -> bool:
            return "an open transaction, of" in (await worker.reasons()).get("standstill", "")

        await until_true(is_named)
        assert "transactional id a-producer" in (await worker.reasons())["standstill"]
        assert await worker.lives()
        await producer.abort_transaction()
        await until_stalled(kafka, [*PARCELS, "Q"])
        assert await worker.told("parcelwatch_standstill_restarts_total") == 0


async def test_a_worker_that_nothing_helps_ends_with_status_three(kafka: Broker) -> None:
    async with faulty(kafka, "dead", "--broker-patience", "6") as worker:
        text = await said(worker.running)
        assert worker.running.returncode == 3
        (line,) = [line for line in text.splitlines() if line.startswith("parcelwatch: ")]
        assert f"has read nothing of {SCANS}-0 from 0 on" in line
        assert "step='task'" in text
        assert "step='member'" in text


async def test_a_step_without_end_is_told_of_by_its_place_and_ends_the_worker_with_status_one(kafka: Broker) -> None:
    async with faulty(kafka, "loop") as worker:
        text = await said(worker.running)
        assert worker.running.returncode == 1
        assert "the event loop does not come round" in text
        (line,) = [line for line in text.splitlines() if line.startswith("parcelwatch: ")]
        assert "one step has taken" in line
        assert "streams/engine/" in line
