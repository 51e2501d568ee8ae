"""The log on Kafka keeps the contract, and what befalls its clients ends as the engine expects."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from operator import attrgetter

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import CorruptRecordException

from streams.engine.errors import FatalError, FencedError, LogError, LostMemberError
from streams.engine.log import kafka_group
from streams.engine.log.interface import Committed, Member, TopicPartition, Transaction
from streams.engine.log.kafka import KafkaLog, KafkaSettings
from streams.engine.log.kafka_spans import KafkaSpans
from streams.engine.processor import Output, Record, Unread
from tests.kafka_broker import Broker
from tests.odd_batches import send_spoiled
from tests.patience import PATIENCE
from tests.unit.engine.log_contract import Ears, LogContract, until


class KafkaBench:
    def __init__(self, kafka: Broker) -> None:
        self.kafka = kafka
        self.log = KafkaLog(KafkaSettings(bootstrap=kafka.bootstrap))

    async def make(self, topic: str, partitions: int) -> None:
        await self.kafka.create_topics({topic: partitions})

    async def drop(self, topic: str) -> None:
        await self.kafka.delete_topics([topic])

    async def produce(self, source: TopicPartition, values: Sequence[bytes]) -> None:
        await self.kafka.produce(source.topic, [(None, value) for value in values], partition=source.partition)


class TestKafkaLog(LogContract):
    @pytest.fixture
    async def bench(self, kafka: Broker) -> AsyncIterator[KafkaBench]:
        bench = KafkaBench(kafka)
        await bench.log.start()
        yield bench
        await bench.log.stop()


OTHER = TopicPartition("other", 0)
CHANGES = TopicPartition("changes", 0)


@pytest.fixture
async def log(kafka: Broker) -> AsyncIterator[KafkaLog]:
    await kafka.create_topics({"in": 1, "other": 1, "out": 3, "changes": 1})
    log = KafkaLog(KafkaSettings(bootstrap=kafka.bootstrap))
    await log.start()
    yield log
    await log.stop()


@pytest.mark.parametrize("known", [True, False], ids=["topics known", "topics to be asked for"])
async def test_a_fenced_writer_is_told_so_whichever_of_its_calls_meets_it(log: KafkaLog, known: bool) -> None:
    # Its first request to the coordinator may be answered before or behind any other call: each way is a fencing.
    transaction = Transaction(
        CHANGES,
        outputs=[Output("out", b"%d" % number, b"v" * 200_000) for number in range(12)],
        envelopes=[(OTHER, b"e" * 300_000)] * 4,
        rows={b"r": b"1"},
        offsets={TopicPartition("in", 0): Committed(1, "")},
    )
    for attempt in range(5):
        old = await log.writer(f"t{attempt}", "group")
        if known:
            await old.commit(transaction)
        new = await log.writer(f"t{attempt}", "group")
        with pytest.raises(FencedError):
            await old.commit(transaction)
        # And so is everything that is tried with it later.
        with pytest.raises(FencedError):
            await old.commit(transaction)
        await old.close()
        await new.close()


async def test_a_topic_that_takes_no_large_batches_is_told_by_its_name(log: KafkaLog, kafka: Broker) -> None:
    await kafka.create_topics({"small": 1}, {"small": {"max.message.bytes": "1000"}})
    writer = await log.writer("t", "group")
    with pytest.raises(FatalError, match="topic small refuses a batch as too large"):
        await writer.commit(Transaction(CHANGES, outputs=[Output("small", b"k", b"v" * 2000)]))
    await writer.close()


@pytest.mark.parametrize("task", ["_fetcher._fetch_task", "_coordinator._coordination_task"])
async def test_a_member_whose_client_has_ended_by_itself_is_lost(log: KafkaLog, task: str) -> None:
    ears = Ears()
    member = await log.join("group", ["in"], ears)
    await until(lambda: bool(ears.assigned))
    ending = attrgetter(task)(member._consumer)
    ending.cancel()
    await asyncio.wait([ending])
    with pytest.raises(LostMemberError):
        await member.fetch([TopicPartition("in", 0)], 10, 0.1)
    await member.close()
    again = await log.join("group", ["in"], ears)
    await until(lambda: ears.told.count("assigned") == 2)
    again.seek(TopicPartition("in", 0), 0)
    assert not await again.fetch([TopicPartition("in", 0)], 10, 0.1)
    await again.close()


async def test_a_fetch_that_meets_a_rebalance_ends_though_no_assignment_ever_comes(
    log: KafkaLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As when brokers go away amid one: the member is closed, and another one takes its place.
    monkeypatch.setattr(kafka_group, "_REBALANCE", 0.5)
    ears = Ears()
    member = await log.join("group", ["in"], ears)
    await until(lambda: bool(ears.assigned))
    member._consumer._subscription.begin_reassignment()
    fetching = asyncio.create_task(member.fetch([TopicPartition("in", 0)], 10, 0.1))
    await asyncio.sleep(0)
    await member.close()
    async with asyncio.timeout(PATIENCE):
        assert not await fetching


async def test_an_error_over_one_partition_loses_nothing_of_another(log: KafkaLog, kafka: Broker) -> None:
    source, ears = TopicPartition("in", 0), Ears()
    await kafka.produce("in", [(None, b"1"), (None, b"2")], partition=0)
    member = await log.join("group", ["in"], ears)
    await until(lambda: bool(ears.assigned))
    member.seek(source, 0)
    take = member._consumer.getmany

    async def take_and_fail(*partitions: object, **options: object) -> object:
        # The client has taken these out of itself when it meets a record of another partition that it cannot read.
        if found := await take(*partitions, **options):
            raise CorruptRecordException
        return found

    member._consumer.getmany = take_and_fail
    with pytest.raises(LogError):
        await fetched(member, source, 2)
    member._consumer.getmany = take
    assert await fetched(member, source, 2) == [b"1", b"2"]
    await member.close()


async def test_records_that_cannot_be_read_stop_neither_a_member_nor_whoever_reads_a_span(
    log: KafkaLog, kafka: Broker
) -> None:
    source, ears = TopicPartition("in", 0), Ears()
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap) as producer:
        await producer.send_and_wait("in", b"1")
        await send_spoiled(producer, "in", 0)
        await producer.send_and_wait("in", b"2")
    expected = [
        Record(0, 0, None, b"1"),
        Record(1, 0, b"odd", b"value 0"),
        Unread(3, 0, None, b""),
        Record(4, 0, None, b"2"),
    ]
    member = await log.join("group", ["in"], ears)
    await until(lambda: bool(ears.assigned))
    # Wherever one begins, one gets the same.
    for begin in range(5):
        member.seek(source, begin)
        found = await taken(member, source, 5)
        assert [plain(one) for one in found] == [one for one in expected if one.offset >= begin]
    await member.close()
    spans = KafkaSpans(KafkaSettings(bootstrap=kafka.bootstrap), {source: (0, 5)}, passes=True)
    await spans.open()
    found = []
    async with asyncio.timeout(PATIENCE):
        while source not in spans.ended:
            found += [record for each in await spans.read([source]) for record in each.records]
    await spans.close()
    assert [plain(one) for one in found] == expected


def plain(record: Record) -> Record:
    """Without its time."""
    kind = Unread if isinstance(record, Unread) else Record
    return kind(record.offset, 0, record.key, record.value)


async def taken(member: Member, source: TopicPartition, end: int) -> list[Record]:
    """The records up to an offset."""
    found: list[Record] = []
    async with asyncio.timeout(PATIENCE):
        while True:
            for each in await member.fetch([source], 10, 0.1):
                found += each.records
                if each.next == end:
                    return found


async def fetched(member: Member, source: TopicPartition, count: int) -> list[bytes | None]:
    found: list[bytes | None] = []
    async with asyncio.timeout(PATIENCE):
        while len(found) < count:
            found += [record.value for each in await member.fetch([source], 10, 0.1) for record in each.records]
    return found
