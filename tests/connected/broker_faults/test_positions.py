"""Inputs that are deleted, made again, cut or grown under a worker: nothing is lost or taken twice without a word."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import NewPartitions
from aiokafka.structs import TopicPartition

from tests.connected.broker_faults.scans import (
    SCANS,
    make_topics,
    named,
    refused,
    silent_since,
    stalled,
    until_stalled,
    working,
)
from tests.connected.marketplace import APP
from tests.connected.mortals import Mortal
from tests.kafka_broker import Broker
from tests.patience import PATIENCE

GO_ON = ("--on-lost-offsets", "continue")
OLD, NEW = named("P", 20), named("Q", 10)


async def make_again(kafka: Broker, topic: str, partitions: int = 1) -> None:
    await kafka.delete_topics([topic])
    await kafka.create_topics({topic: partitions})


@asynccontextmanager
async def having_read(kafka: Broker, *options: str, partitions: int = 1) -> AsyncIterator[Mortal]:
    """A live worker that has read the scans of the old parcels, and said what is to be said of them."""
    await make_topics(kafka, partitions)
    await kafka.produce(SCANS, silent_since(8, OLD))
    async with working(kafka, *options) as worker:
        await until_stalled(kafka, OLD)
        yield worker


# -- an input that is made again: shorter than what was read, as long, and grown past it


@pytest.mark.parametrize("count", [10, 20, 40])
async def test_an_input_made_again_while_the_worker_was_down_ends_it(kafka: Broker, count: int) -> None:
    async with having_read(kafka) as worker:
        await worker.stop()
    await make_again(kafka, SCANS)
    await kafka.produce(SCANS, silent_since(8, named("Q", count)))
    async with working(kafka) as again:
        line = await refused(again)
    assert line.startswith(f"parcelwatch: logistics-scans-0: position 20, first offset 0, end {count}: the topic was")
    assert await stalled(kafka) == {*OLD}
    # Told so, it goes on with all that the new topic has, and the next start finds nothing wrong.
    async with working(kafka, *GO_ON) as told:
        await until_stalled(kafka, [*OLD, *named("Q", count)])
        assert "going_on_at=0" in told.heard("offsets are lost, going on")
        await told.stop()
    await kafka.produce(SCANS, silent_since(8, ["R1"]))
    async with working(kafka):
        await until_stalled(kafka, [*OLD, *named("Q", count), "R1"])


@pytest.mark.parametrize("count", [10, 40])
async def test_an_input_made_again_under_a_live_worker_ends_it(kafka: Broker, count: int) -> None:
    async with having_read(kafka) as worker:
        await make_again(kafka, SCANS)
        await kafka.produce(SCANS, silent_since(8, named("Q", count)))
        assert "logistics-scans-0: position 20, first offset 0, end " in await refused(worker)
    assert await stalled(kafka) == {*OLD}


async def test_a_live_worker_that_is_told_so_goes_on_with_an_input_made_again(kafka: Broker) -> None:
    async with having_read(kafka, *GO_ON) as worker:
        await make_again(kafka, SCANS)
        await kafka.produce(SCANS, silent_since(8, named("Q", 40)))
        await until_stalled(kafka, [*OLD, *named("Q", 40)])
        assert await worker.told("parcelwatch_records_lost_total") == 0


async def test_an_input_made_again_with_more_partitions_ends_the_worker(kafka: Broker) -> None:
    async with having_read(kafka) as worker:
        await worker.stop()
    await make_again(kafka, SCANS, 3)
    async with working(kafka) as again:
        assert "partitions" in await refused(again)


async def test_an_input_that_is_gone_ends_a_live_worker(kafka: Broker) -> None:
    async with having_read(kafka) as worker:
        await kafka.delete_topics([SCANS])
        assert (await refused(worker)).startswith("parcelwatch: topic logistics-scans does not exist any more")


# -- records that are gone before they were read


async def test_records_that_retention_took_unread_end_the_worker_or_are_counted(kafka: Broker) -> None:
    async with having_read(kafka) as worker:
        await worker.stop()
    await kafka.produce(SCANS, silent_since(8, [*named("L", 15), *NEW]))
    await kafka.delete_records(SCANS, 35)
    async with working(kafka) as again:
        line = await refused(again)
    assert line.startswith("parcelwatch: logistics-scans-0: position 20, first offset 35, end 45: records were deleted")
    async with working(kafka, *GO_ON) as told:
        await until_stalled(kafka, [*OLD, *NEW])
        assert await told.told("parcelwatch_records_lost_total") == 15


async def test_records_deleted_just_behind_what_was_read_are_no_loss(kafka: Broker) -> None:
    async with having_read(kafka) as worker:
        await kafka.delete_records(SCANS, 20)
        await kafka.produce(SCANS, silent_since(8, NEW))
        await until_stalled(kafka, [*OLD, *NEW])
        await worker.stop()
    async with working(kafka):
        await kafka.produce(SCANS, silent_since(8, ["R1"]))
        await until_stalled(kafka, [*OLD, *NEW, "R1"])


async def test_offsets_set_beyond_the_end_by_hand_end_the_worker(kafka: Broker) -> None:
    async with having_read(kafka) as worker:
        await worker.stop()
    async with AIOKafkaConsumer(bootstrap_servers=kafka.bootstrap, group_id=APP, enable_auto_commit=False) as one:
        one.assign([TopicPartition(SCANS, 0)])
        await one.commit({TopicPartition(SCANS, 0): 5000})
    async with working(kafka) as again:
        line = await refused(again)
    assert "logistics-scans-0: position 20, first offset 0, end 20: the group's offset is 5000" in line


# -- internal topics


@pytest.mark.parametrize("made_again", [True, False])
async def test_an_edge_that_was_deleted_while_the_worker_was_down_ends_it(kafka: Broker, made_again: bool) -> None:
    edge = f"{APP}-registrations"
    async with having_read(kafka) as worker:
        await worker.stop()
    await kafka.delete_topics([edge])
    if made_again:
        await kafka.create_topics({edge: 1})
    async with working(kafka) as again:
        line = await refused(again)
    assert edge in line
    if not made_again:
        assert edge not in await kafka.topics()


async def test_a_worker_that_is_told_so_goes_on_with_an_edge_that_was_made_again(kafka: Broker) -> None:
    async with having_read(kafka) as worker:
        await worker.stop()
    await make_again(kafka, f"{APP}-stall-points")
    async with working(kafka, *GO_ON):
        await kafka.produce(SCANS, silent_since(8, NEW))
        await until_stalled(kafka, [*OLD, *NEW])


async def test_an_edge_that_is_made_again_under_a_live_worker_ends_it(kafka: Broker) -> None:
    edge = f"{APP}-stall-points"
    async with having_read(kafka) as worker:
        await make_again(kafka, edge)
        await kafka.produce(SCANS, silent_since(8, NEW))
        assert edge in await refused(worker)


async def test_a_changelog_that_is_made_again_under_a_live_worker_ends_it(kafka: Broker) -> None:
    async with having_read(kafka) as worker:
        await make_again(kafka, f"{APP}-shipments-changelog")
        await kafka.produce(SCANS, silent_since(8, NEW))
        line = await refused(worker)
    assert f"{APP}-shipments-changelog" in line
    assert await stalled(kafka) == {*OLD}


# -- more partitions


async def test_partitions_that_are_added_to_an_input_end_a_live_worker_within_seconds(kafka: Broker) -> None:
    async with having_read(kafka) as worker:
        async with kafka.admin() as admin:
            await admin.create_partitions({SCANS: NewPartitions(total_count=2)})
        # By itself a client looks after five minutes.
        async with asyncio.timeout(PATIENCE / 5):
            line = await refused(worker)
    assert line.startswith("parcelwatch: topic logistics-scans has 2 partitions, 1 are needed")
