"""Rows are read batch by batch: what was aborted, or lies before the first offset, is none of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiokafka import AIOKafkaProducer

from streams.engine.errors import LogError
from streams.engine.log.interface import TopicPartition
from streams.engine.log.kafka import KafkaLog, KafkaSettings
from tests.kafka_broker import Broker
from tests.patience import PATIENCE

CHANGES = TopicPartition("changes", 0)

#: Keys and rows in the log, by offset: 0 to 3 and their marker, 5 to 7 that were aborted, 9 to 11.
FIRST = [(b"a", b"1"), (b"b", b"1"), (b"c", b"1"), (b"d", b"1")]
ABORTED = [(b"a", b"x"), (b"b", b"x"), (b"e", b"x")]
LAST = [(b"a", b"2"), (b"b", None), (b"f", b"")]
END = 13


@pytest.fixture
async def log(kafka: Broker) -> AsyncIterator[KafkaLog]:
    await kafka.create_topics({CHANGES.topic: 1})
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, transactional_id="t")
    await producer.start()
    for rows in (FIRST, ABORTED, LAST):
        await producer.begin_transaction()
        batch = producer.create_batch()
        for key, row in rows:
            batch.append(timestamp=None, key=key, value=row, headers=[])
        await (await producer.send_batch(batch, CHANGES.topic, partition=CHANGES.partition))
        await (producer.abort_transaction() if rows is ABORTED else producer.commit_transaction())
    await producer.stop()
    log = KafkaLog(KafkaSettings(bootstrap=kafka.bootstrap))
    await log.start()
    yield log
    await log.stop()


@pytest.mark.parametrize("begin", [0, 1, 3, 4, 5, 6, 9, 10, 12, END])
async def test_rows_are_those_that_are_committed_from_an_offset_on(log: KafkaLog, begin: int) -> None:
    assert await log.end_offsets([CHANGES]) == {CHANGES: END}
    batches = [batch async for batch in log.rows(CHANGES, begin, END)]
    found = [row for batch in batches for row in batch.rows]
    offsets = {**dict(enumerate(FIRST)), **dict(enumerate(LAST, start=9))}
    assert found == [row for offset, row in offsets.items() if offset >= begin]
    assert [batch.next for batch in batches[-1:]] == [END] * (begin < END)


async def test_a_follower_reads_them_too_and_what_is_written_later(kafka: Broker, log: KafkaLog) -> None:
    tail = await log.tail()
    tail.follow({CHANGES: 2})
    found, position = [], 2
    async with asyncio.timeout(PATIENCE):
        while position < END:
            for source, rows in await tail.read(0.2):
                assert source == CHANGES
                found += rows.rows
                position = rows.next
        assert found == FIRST[2:] + LAST
        await kafka.produce(CHANGES.topic, [(b"g", b"1")], partition=0)
        while not (later := await tail.read(0.2)):
            pass
    assert [(source, [*rows.rows], rows.next) for source, rows in later] == [(CHANGES, [(b"g", b"1")], END + 1)]
    await tail.close()


async def test_a_follower_does_not_begin_anew_by_itself_where_its_offset_is_gone(log: KafkaLog) -> None:
    await log.trim({CHANGES: 9})
    tail = await log.tail()
    tail.follow({CHANGES: 2})

    async def read_on() -> None:
        while True:
            await tail.read(0.2)

    with pytest.raises(LogError):
        await asyncio.wait_for(read_on(), PATIENCE)
    await tail.close()
