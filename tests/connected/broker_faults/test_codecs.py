"""Records are read and written in every codec that Kafka has."""

from __future__ import annotations

from typing import get_args

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.consumer.fetcher import FetchResult
from aiokafka.record.default_records import DefaultRecordBatch

from streams.engine.log.interface import TopicPartition as Source
from streams.engine.log.interface import Transaction
from streams.engine.log.kafka import KafkaLog, KafkaSettings
from streams.engine.log.kafka_codecs import Codec
from streams.engine.processor import Output
from tests.connected.broker_faults.scans import SCANS, make_topics, named, silent_since, until_stalled, working
from tests.connected.marketplace import OUTPUTS
from tests.kafka_broker import Broker

CODECS: tuple[Codec, ...] = get_args(Codec)
NUMBERS = {
    "none": 0,
    "gzip": DefaultRecordBatch.CODEC_GZIP,
    "snappy": DefaultRecordBatch.CODEC_SNAPPY,
    "lz4": DefaultRecordBatch.CODEC_LZ4,
    "zstd": DefaultRecordBatch.CODEC_ZSTD,
}


async def codecs_of(kafka: Broker, topic: str) -> set[int]:
    """Those in which batches lie in partition 0 of the topic, but for transactions' markers."""
    found: set[int] = set()

    class Seen(dict):  # type: ignore[type-arg]
        def __setitem__(self, partition: TopicPartition, result: object) -> None:
            if type(result) is FetchResult:
                records = result._partition_records._records
                while records.has_next():
                    batch = records.next_batch()
                    if not batch.is_control_batch:
                        found.add(batch.compression_type)
            super().__setitem__(partition, result)

    async with AIOKafkaConsumer(bootstrap_servers=kafka.bootstrap) as consumer:
        consumer._fetcher._records = Seen()
        consumer.assign([TopicPartition(topic, 0)])
        consumer.seek(TopicPartition(topic, 0), 0)
        while not found:
            await consumer.getmany(timeout_ms=100)
    return found


@pytest.mark.parametrize("codec", [None, *CODECS])
async def test_what_is_written_has_the_codec_that_was_asked_for(kafka: Broker, codec: Codec | None) -> None:
    await kafka.create_topics({"changes": 1, "out": 1, "edge": 1})
    changes = Source("changes", 0)
    transaction = Transaction(
        changes,
        outputs=[Output("out", b"k", b"v" * 2000)],
        envelopes=[(Source("edge", 0), b"e" * 2000)],
        rows={b"r": b"1" * 2000},
    )
    for transactions in (True, False):
        log = KafkaLog(KafkaSettings(bootstrap=kafka.bootstrap, compression=codec, transactions=transactions))
        await log.start()
        writer = await log.writer("t", "group")
        await writer.commit(transaction)
        await writer.close()
        begin, end = 0, (await log.end_offsets([changes]))[changes]
        rows = [row async for batch, _ in log.rows(changes, begin, end) for row in batch if row[0] == b"r"]
        assert rows[-1] == (b"r", b"1" * 2000)
        await log.stop()
    assert await codecs_of(kafka, "changes") == {NUMBERS[codec or "zstd"]}
    for topic in ("out", "edge"):
        assert await codecs_of(kafka, topic) == {NUMBERS[codec or "none"]}


async def test_producers_with_every_codec_are_read(kafka: Broker) -> None:
    await make_topics(kafka)
    parcels = []
    for codec in CODECS:
        names = named(codec[:2].upper(), 5)
        parcels += names
        compression = None if codec == "none" else codec
        async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, compression_type=compression) as producer:
            for key, value in silent_since(8, names):
                await producer.send(SCANS, value, key)
    assert await codecs_of(kafka, SCANS) == {*NUMBERS.values()}
    async with working(kafka):
        await until_stalled(kafka, parcels)


@pytest.mark.parametrize("codec", CODECS[1:])
async def test_topics_that_are_compressed_by_the_broker_are_read_and_written(kafka: Broker, codec: Codec) -> None:
    setting = {"compression.type": codec}
    await kafka.create_topics(
        {"orders": 1, "chats": 1, SCANS: 1, **OUTPUTS}, {SCANS: setting, "alerts.platform": setting}
    )
    await kafka.produce(SCANS, silent_since(8, named("P", 5)))
    async with working(kafka, "--compression", codec):
        await until_stalled(kafka, named("P", 5))
    assert await codecs_of(kafka, SCANS) == {NUMBERS[codec]}
