"""What the other connected tests take for granted of their broker."""

from __future__ import annotations

import asyncio

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError

from tests.kafka_broker import Broker

RECORDS = [(b"a", b"1"), (b"b", b"2"), (b"c", b"3"), (None, b"4")]


def values(records: list[ConsumerRecord]) -> list[bytes]:
    return sorted(record.value for record in records)


async def test_records_written_are_read_back(kafka: Broker) -> None:
    await kafka.create_topics({"things": 3}, {"things": {"retention.ms": "-1"}})
    await kafka.produce("things", RECORDS, headers=[("h", b"x")])
    read = await kafka.read_committed("things")
    assert values(read) == [b"1", b"2", b"3", b"4"]
    assert {record.headers for record in read} == {(("h", b"x"),)}
    assert sum((await kafka.end_offsets("things")).values()) == 4


async def test_each_test_finds_a_broker_without_topics(kafka: Broker) -> None:
    assert await kafka.topics() == set()


async def test_a_topic_is_never_created_by_naming_it(kafka: Broker) -> None:
    with pytest.raises(UnknownTopicOrPartitionError):
        await kafka.read_committed("nobody-made-it")


async def test_an_aborted_transaction_is_not_read_and_markers_do_not_block(kafka: Broker) -> None:
    await kafka.create_topics({"things": 1})
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, transactional_id="t") as producer:
        async with producer.transaction():
            await producer.send_and_wait("things", b"kept")
        await producer.begin_transaction()
        await producer.send_and_wait("things", b"dropped")
        await producer.abort_transaction()
    assert values(await kafka.read_committed("things")) == [b"kept"]


async def test_what_lies_behind_an_open_transaction_is_not_visible(kafka: Broker) -> None:
    await kafka.create_topics({"things": 1})
    async with kafka.transaction("open") as producer:
        await producer.send_and_wait("things", b"undecided")
        await kafka.produce("things", [(None, b"behind it")])
        assert await kafka.read_committed("things") == []
        assert await kafka.end_offsets("things") == {0: 2}
        await producer.commit_transaction()
    assert values(await kafka.read_committed("things")) == [b"behind it", b"undecided"]


async def test_offsets_that_a_group_commits_are_told(kafka: Broker) -> None:
    await kafka.create_topics({"things": 2})
    # Its end must not commit its own position, which may have become known by then.
    mine = {"group_id": "readers", "enable_auto_commit": False}
    async with AIOKafkaConsumer(bootstrap_servers=kafka.bootstrap, **mine) as consumer:
        consumer.assign([TopicPartition("things", 1)])
        await consumer.commit({TopicPartition("things", 1): 7})
    assert await kafka.committed("readers") == {("things", 1): 7}


@pytest.mark.parametrize("end", ["kill", "stop"])
async def test_records_outlive_the_brokers_end(mortal_kafka: Broker, end: str) -> None:
    await mortal_kafka.create_topics({"things": 2})
    await mortal_kafka.produce("things", RECORDS)
    await getattr(mortal_kafka, end)()
    assert not mortal_kafka.alive()
    await mortal_kafka.start()
    await mortal_kafka.produce("things", [(b"d", b"5")])
    assert values(await mortal_kafka.read_committed("things")) == [b"1", b"2", b"3", b"4", b"5"]


async def test_nothing_is_left_of_groups_where_the_broker_has_just_been_started(mortal_kafka: Broker) -> None:
    groups = [f"readers-{number}" for number in range(8)]
    await mortal_kafka.create_topics({"things": 1})
    for group in groups:
        mine = {"group_id": group, "enable_auto_commit": False}
        async with AIOKafkaConsumer(bootstrap_servers=mortal_kafka.bootstrap, **mine) as consumer:
            consumer.assign([TopicPartition("things", 0)])
            await consumer.commit({TopicPartition("things", 0): 7})
    await mortal_kafka.kill()
    await mortal_kafka.heal()
    await mortal_kafka.wipe()
    for group in groups:
        assert await mortal_kafka.committed(group) == {}


async def test_a_paused_broker_answers_nothing_until_it_goes_on(mortal_kafka: Broker) -> None:
    await mortal_kafka.create_topics({"things": 1})
    mortal_kafka.pause()
    with pytest.raises((TimeoutError, KafkaError)):
        await asyncio.wait_for(mortal_kafka.topics(), 0.5)
    mortal_kafka.resume()
    assert await mortal_kafka.topics() == {"things"}
