"""Another application's transaction that is left open on an input: the end of the partition is not where it begins."""

from __future__ import annotations

import asyncio

from schemas.times import DAY
from streams.engine.clock import system_now
from streams.engine.log.interface import TopicPartition
from streams.engine.log.kafka import KafkaLog, KafkaSettings
from tests.connected.broker_faults.scans import (
    SCANS,
    make_topics,
    named,
    scan,
    silent_since,
    stalled,
    until_stalled,
    working,
)
from tests.connected.marketplace import saying
from tests.connected.mortals import until_true
from tests.kafka_broker import Broker
from tests.patience import PATIENCE

PARCELS = named("P", 20)
STILL_SILENT = named("Q", 2)


async def test_what_lies_behind_an_open_transaction_is_unread_and_its_holder_is_named(kafka: Broker) -> None:
    await make_topics(kafka)
    await kafka.produce(SCANS, silent_since(8, [*PARCELS, *STILL_SILENT]))
    async with kafka.transaction("a-producer") as producer:
        await producer.send_and_wait(SCANS, b"undecided", partition=0)
        # They moved on four days ago: none of them is stalled, but that cannot be read yet.
        await kafka.produce(SCANS, [scan(parcel, system_now() - 4 * DAY) for parcel in PARCELS])
        async with working(kafka) as worker:
            await saying(worker.running, "an open transaction holds a partition up")

            async def is_held_up() -> bool:
                unread = [await worker.told(f"parcelwatch_{name}_records") for name in ("lag", "held_up")]
                return unread == [21, 21]

            await until_true(is_held_up)
            line = worker.heard("an open transaction holds a partition up")
            for part in ("logistics-scans", "22", "43", "transactional id a-producer"):
                assert part in line
            assert not await stalled(kafka)
            await producer.abort_transaction()
            await until_stalled(kafka, STILL_SILENT)

            async def is_free() -> bool:
                return await worker.told("parcelwatch_held_up_records") == 0

            await until_true(is_free)


async def test_the_end_is_the_high_watermark_and_what_can_be_read_is_less(kafka: Broker) -> None:
    await kafka.create_topics({"in": 2})
    first, second = TopicPartition("in", 0), TopicPartition("in", 1)
    log = KafkaLog(KafkaSettings(bootstrap=kafka.bootstrap))
    await log.start()
    await kafka.produce("in", [(None, b"read")], partition=0)
    async with kafka.transaction("open") as producer:
        await producer.send_and_wait("in", b"undecided", partition=0)
        await kafka.produce("in", [(None, b"behind it")], partition=0)
        assert await log.end_offsets([first, second]) == {first: 3, second: 0}
        assert await log.stable_offsets([first, second]) == {first: 1, second: 0}
        (holder,) = await log.holders(first)
        assert "transactional id open" in holder
        assert await log.holders(second) == []
        await producer.commit_transaction()
    async with asyncio.timeout(PATIENCE):
        while (await log.stable_offsets([first]))[first] < 4:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    assert await log.holders(first) == []
    await log.stop()


async def test_a_live_worker_goes_on_behind_a_transaction_that_ends(kafka: Broker) -> None:
    await make_topics(kafka)
    async with working(kafka) as worker:
        await until_true(worker.works)
        async with kafka.transaction("slow") as producer:
            (key, value), *_ = silent_since(9, ["S1"])
            await producer.send_and_wait(SCANS, value, key, partition=0)
            await kafka.produce(SCANS, [scan("S2", system_now() - 8 * DAY)])
            await asyncio.sleep(1)
            assert not await stalled(kafka)
            await producer.commit_transaction()
        await until_stalled(kafka, ["S1", "S2"])
