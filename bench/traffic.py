"""Scans into Kafka, alerts out of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from bench.scans import Alert, Sent
from schemas.times import parse

#: Bytes of one batch on the wire and on disk; not compressed.
_BATCH = 65_536
#: Batches on their way to the broker at once.
_AHEAD = 200
_STALLED = "parcelwatch.shipment.stalled.v1"


async def produce(bootstrap: str, topic: str, records: Iterable[Sent]) -> None:
    """Writes the records in batches, each partition's in order."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, max_batch_size=_BATCH, enable_idempotence=True)
    await producer.start()
    try:
        builders: dict[int, Any] = {}
        under_way: list[asyncio.Future[Any]] = []
        for partition, timestamp, key, value in records:
            builder = builders.get(partition)
            while builder is None or builder.append(timestamp=timestamp, key=key, value=value) is None:
                if builder is not None:
                    under_way.append(await producer.send_batch(builder, topic, partition=partition))
                if len(under_way) > _AHEAD:
                    await asyncio.gather(*under_way)
                    under_way.clear()
                builder = builders[partition] = producer.create_batch()
        for partition, builder in builders.items():
            under_way.append(await producer.send_batch(builder, topic, partition=partition))
        await asyncio.gather(*under_way)
    finally:
        await producer.stop()


def from_parcelwatch(value: bytes) -> Alert | None:
    """The alert of a stalled shipment, from a record of `alerts.platform`."""
    event = orjson.loads(value)
    if event["type"] != _STALLED:
        return None
    return Alert(event["subject"], event["data"]["status"], parse(event["time"]) // 1000)


def from_peer(value: bytes) -> Alert:
    """From a record of a peer's own topic."""
    event = orjson.loads(value)
    return Alert(event["tracking_no"], event["status"], event["time"])


class Reader:
    """Reads a topic of alerts as it grows, `read_committed`. `found` are those so far, `records` how many came."""

    def __init__(
        self, bootstrap: str, topic: str, partitions: Iterable[int], decode: Callable[[bytes], Alert | None]
    ) -> None:
        self.found: set[Alert] = set()
        self.records = 0
        self._partitions = [TopicPartition(topic, partition) for partition in partitions]
        self._decode = decode
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap,
            isolation_level="read_committed",
            auto_offset_reset="earliest",
            enable_auto_commit=False,
        )

    async def __aenter__(self) -> Reader:
        await self._consumer.start()
        self._consumer.assign(self._partitions)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._consumer.stop()

    async def look(self, seconds: float) -> None:
        """Takes what is there, or comes in so long."""
        for records in (await self._consumer.getmany(timeout_ms=round(seconds * 1000))).values():
            for record in records:
                alert = self._decode(record.value)
                if alert is not None:
                    self.records += 1
                    self.found.add(alert)

    async def finish(self) -> None:
        """Takes everything that is there now."""
        ends = await self._consumer.end_offsets(self._partitions)
        while any([await self._consumer.position(each) < end for each, end in ends.items()]):
            await self.look(0.1)
