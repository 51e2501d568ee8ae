"""The Kafka client of a redrive."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import MessageSizeTooLargeError

from streams.engine.log.interface import TopicPartition
from streams.engine.log.kafka import KafkaLog, KafkaSettings
from streams.engine.log.kafka_clients import errors, quietly
from streams.engine.log.kafka_spans import KafkaSpans
from streams.engine.processor import Record
from streams.redrive.letters import Redriven
from streams.redrive.run import Broker, Spans

#: Delivery timeout, in seconds.
_ARRIVED = 60.0


@asynccontextmanager
async def connected(bootstrap: str, client: Mapping[str, Any]) -> AsyncIterator[Broker]:
    """Connects for as long as the block lasts. Raises `FatalError` and `LogError`, and so does what it gives."""
    settings = KafkaSettings(bootstrap=bootstrap, client=client)
    log = KafkaLog(settings)
    producer = AIOKafkaProducer(**settings.common(), acks="all", enable_idempotence=True, linger_ms=20)

    async def held(sources: Sequence[TopicPartition]) -> Spans:
        if not sources:
            return {}
        begin, end = await log.begin_offsets(sources), await log.end_offsets(sources)
        return {source: (begin[source], end[source]) for source in sources}

    async def read(spans: Spans) -> AsyncIterator[tuple[TopicPartition, Record]]:
        reader = KafkaSpans(settings, spans, passes=True)
        try:
            await reader.open()
            while batches := await reader.read(spans.keys()):
                for fetched in batches:
                    for record in fetched.records:
                        yield fetched.source, record
        finally:
            await reader.close()

    async def send(records: Sequence[Redriven]) -> int:
        sent, refused = [], 0
        with errors("sending records again", "Write"):
            async with asyncio.timeout(_ARRIVED):
                for topic, partition, key, value, headers in records:
                    try:
                        sent.append(await producer.send(topic, value, key, partition=partition, headers=list(headers)))
                    except MessageSizeTooLargeError:
                        refused += 1
                answers = await asyncio.gather(*sent, return_exceptions=True)
                for answer in answers:
                    if isinstance(answer, BaseException) and not isinstance(answer, MessageSizeTooLargeError):
                        raise answer
        return refused + sum(isinstance(answer, MessageSizeTooLargeError) for answer in answers)

    try:
        await log.start()
        with errors(f"connecting to {bootstrap}"):
            await producer.start()
        yield Broker(log.partitions, held, read, send)
    finally:
        await quietly(producer.stop())
        await log.stop()
