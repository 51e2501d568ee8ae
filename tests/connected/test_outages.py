"""Brokers that are away, have moved or belong to somebody else: what a worker says of its health, and what it does."""

from __future__ import annotations

import asyncio
import time

from aiokafka import AIOKafkaConsumer
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor

from tests.connected.marketplace import APP, INPUTS, generated, produce, progress, said, saying, valid
from tests.connected.mortals import SESSION, Mortal, alive, until_true
from tests.kafka_broker import Broker
from tests.kafka_broker.forwarder import forwarding

ONE = dict.fromkeys(INPUTS, 1)
#: While one stands still, another of its name is not forgotten.
LASTING = ("--session-timeout", "30")
PACE = ("--session-timeout", str(SESSION), "--commit-interval", "0.2")


def watching(address: str, *options: str) -> Mortal:
    return Mortal("worker", "--broker", f"kafka://{address}", "--app-id", APP, *PACE, *options)


async def begun(kafka: Broker) -> None:
    await produce(kafka, valid(generated(days=1))[:200], ONE)


async def until_read_on(kafka: Broker, worker: Mortal) -> None:
    """Writes a record, and waits until the worker has read it."""
    await kafka.produce("orders", [(b"?", b"no event")])

    async def has_read() -> bool:
        assert worker.running.returncode is None, (await said(worker.running))[-4000:]
        return (await kafka.committed(APP)).get(("orders", 0)) == (await kafka.end_offsets("orders"))[0]

    await until_true(has_read)


async def until_not_ready(worker: Mortal, reason: str, text: str = "") -> None:
    async def tells() -> bool:
        assert worker.running.returncode is None, (await said(worker.running))[-4000:]
        why = (await worker.reasons()).get(reason)
        return why is not None and text in why

    await until_true(tells)


async def test_brokers_that_are_away_make_a_worker_unready_but_not_dead(mortal_kafka: Broker) -> None:
    await begun(mortal_kafka)
    worker = watching(mortal_kafka.bootstrap)
    async with alive(worker):
        await until_true(worker.works)
        await mortal_kafka.stop()
        await until_not_ready(worker, "brokers")
        assert await worker.lives()
        # It stays so while connections are made anew in vain.
        await saying(worker.running, "clients are made anew")
        assert not await worker.works()
        assert await worker.lives()
        assert time.time() - await worker.told("parcelwatch_broker_answer_timestamp_seconds") > 2
        await mortal_kafka.start()
        await until_true(worker.works)
        await until_read_on(mortal_kafka, worker)
        rebuilt = await worker.told("parcelwatch_client_rebuilds_total")
        await worker.stop()
    told = await said(worker.running)
    assert told.count("clients are made anew") == rebuilt > 0
    assert told.count("no broker has answered") < 4 + worker.minutes
    assert "Traceback" not in told


async def test_brokers_that_are_all_at_new_addresses_are_found_by_the_first_one(mortal_kafka: Broker) -> None:
    await begun(mortal_kafka)
    async with forwarding(mortal_kafka.bootstrap) as name:
        worker = watching(name.address, "--instance-id", "one")
        async with alive(worker):
            await until_true(worker.works)
            await mortal_kafka.move()
            await until_not_ready(worker, "brokers")
            name.target = mortal_kafka.bootstrap
            await until_true(worker.works)
            await until_read_on(mortal_kafka, worker)
            await worker.stop()
    told = await said(worker.running)
    # The member of before has ended: the two would have taken the name from each other.
    assert "has taken the place" not in told


async def test_a_worker_whose_brokers_stay_away_ends_with_status_three(mortal_kafka: Broker) -> None:
    await begun(mortal_kafka)
    worker = watching(mortal_kafka.bootstrap, "--broker-patience", "5")
    async with alive(worker):
        await until_true(worker.works)
        await mortal_kafka.kill()
        told = await said(worker.running)
    assert worker.running.returncode == 3
    (line,) = [line for line in told.splitlines() if line.startswith("parcelwatch: ")]
    assert "no broker has answered for" in line
    assert "Traceback" not in told


async def test_a_worker_stops_when_it_is_told_though_its_broker_is_frozen(mortal_kafka: Broker) -> None:
    await begun(mortal_kafka)
    worker = watching(mortal_kafka.bootstrap)
    async with alive(worker):
        await until_true(worker.works)
        mortal_kafka.pause()
        await until_not_ready(worker, "brokers")
        worker.running.terminate()
        await said(worker.running)
    assert worker.running.returncode == 0


async def test_a_group_that_speaks_otherwise_is_told_of_and_waited_for(mortal_kafka: Broker) -> None:
    await begun(mortal_kafka)
    other = AIOKafkaConsumer(
        "orders",
        bootstrap_servers=mortal_kafka.bootstrap,
        group_id=APP,
        partition_assignment_strategy=[RoundRobinPartitionAssignor],
        enable_auto_commit=False,
    )
    await other.start()
    worker = watching(mortal_kafka.bootstrap)
    async with alive(worker):
        try:
            await until_not_ready(worker, "group", "InconsistentGroupProtocol")
            await asyncio.sleep(2)  # it goes on being tried
            assert not await worker.works()
        finally:
            await other.stop()
        await until_true(worker.works)
        await worker.stop()
    assert (await said(worker.running)).count("InconsistentGroupProtocol") < 10 + worker.minutes


async def test_two_workers_of_one_name_are_told_so_and_the_first_one_ends(mortal_kafka: Broker) -> None:
    await begun(mortal_kafka)
    first, second = (watching(mortal_kafka.bootstrap, "--instance-id", "one", *LASTING) for _ in range(2))
    async with alive(first):
        await until_true(first.works)
        async with alive(second):
            told = await said(first.running)
            assert first.running.returncode == 2
            await until_true(second.works)
            await until_read_on(mortal_kafka, second)
            await second.stop()
    (line,) = [line for line in told.splitlines() if line.startswith("parcelwatch: ")]
    assert "another worker runs with --instance-id one: member " in line
    assert "Traceback" not in told
    assert "has taken the place" not in await said(second.running)


async def test_a_worker_that_is_started_again_under_its_name_is_taken_for_no_other(mortal_kafka: Broker) -> None:
    await begun(mortal_kafka)
    worker = watching(mortal_kafka.bootstrap, "--instance-id", "one")
    async with alive(worker):
        await until_true(worker.works)
        await worker.kill()
        await worker.start()
        await until_true(worker.works)
        await until_read_on(mortal_kafka, worker)
        assert await progress(mortal_kafka)
        await worker.stop()
