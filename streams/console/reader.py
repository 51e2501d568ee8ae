"""Reads topics from their beginning and follows them, outside of any consumer group: the console commits nothing.

One interface, on Kafka and on the log in memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol

from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition as KafkaPartition

from streams.engine.errors import LogError
from streams.engine.log.interface import Fetched, TopicPartition
from streams.engine.log.kafka import KafkaLog, KafkaSettings
from streams.engine.log.kafka_clients import errors, quietly
from streams.engine.log.memory import MemoryLog
from streams.engine.processor import Record

#: Records handed over at once, and bytes fetched of a partition and of all.
_RECORDS = 500
_PARTITION_BYTES, _BYTES = 1 << 20, 8 << 20


class Wanted(NamedTuple):
    """A topic to follow. `last`: how many records of it to begin with, at the most, over all partitions; None: all."""

    topic: str
    last: int | None = None


class Reader(Protocol):
    """Follows topics. Every method may raise `LogError`; whoever calls closes the reader then, and opens it again."""

    async def open(self, wanted: Sequence[Wanted]) -> frozenset[str]:
        """Begins with those of the topics that exist, and returns them."""

    async def existing(self, topics: Collection[str]) -> frozenset[str]:
        """Those of the topics that exist now."""

    async def read(self, seconds: float) -> Sequence[Fetched]:
        """The next records, a few hundred at the most; waits up to `seconds` for any."""

    async def behind(self) -> int:
        """How many offsets are left to read, as of now."""

    async def close(self) -> None:
        """Never raises."""


class MemoryReader:
    """A reader of a log in memory. The log may be written in another thread."""

    def __init__(self, log: MemoryLog) -> None:
        self._log = log
        self._positions: dict[TopicPartition, int] = {}

    async def open(self, wanted: Sequence[Wanted]) -> frozenset[str]:
        counts = await self._log.partitions([one.topic for one in wanted])
        sources = [TopicPartition(topic, each) for topic, count in counts.items() for each in range(count)]
        self._positions = _beginnings(
            wanted, await self._log.begin_offsets(sources), await self._log.end_offsets(sources)
        )
        return frozenset(counts)

    async def existing(self, topics: Collection[str]) -> frozenset[str]:
        return frozenset(await self._log.partitions(topics))

    async def read(self, seconds: float) -> Sequence[Fetched]:
        if not (found := self._read()):
            # Not the log's own signal: that belongs to the event loop of its writers.
            await asyncio.sleep(min(seconds, 0.1))
            found = self._read()
        return found

    def _read(self) -> list[Fetched]:
        found = []
        for source, position in self._positions.items():
            fetched = self._log.read(source, position, _RECORDS)
            if fetched.next > position:
                self._positions[source] = fetched.next
                found.append(fetched)
        return found

    async def behind(self) -> int:
        return sum(max(0, self._log.end(source) - position) for source, position in self._positions.items())

    async def close(self) -> None:
        """Nothing is open."""


class KafkaReader:
    """A reader of Kafka: committed records alone, by a consumer without a group."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._log = KafkaLog(settings)
        self._consumer: AIOKafkaConsumer | None = None
        self._positions: dict[TopicPartition, int] = {}

    async def open(self, wanted: Sequence[Wanted]) -> frozenset[str]:
        log = self._log
        await log.start()
        counts = await log.partitions([one.topic for one in wanted])
        sources = [TopicPartition(topic, each) for topic, count in counts.items() for each in range(count)]
        self._positions = _beginnings(wanted, await log.begin_offsets(sources), await log.stable_offsets(sources))
        # What is deleted while it is read was there to be seen for its whole retention: what is left comes next.
        reading = {**self._settings.reading(), "auto_offset_reset": "earliest"}
        consumer = self._consumer = AIOKafkaConsumer(
            **reading, max_partition_fetch_bytes=_PARTITION_BYTES, fetch_max_bytes=_BYTES
        )
        with errors(f"connecting to {self._settings.bootstrap}"):
            async with asyncio.timeout(self._settings.request_timeout):
                await consumer.start()
        consumer.assign([KafkaPartition(*source) for source in self._positions])
        for source, position in self._positions.items():
            consumer.seek(KafkaPartition(*source), position)
        return frozenset(counts)

    async def existing(self, topics: Collection[str]) -> frozenset[str]:
        return frozenset(await self._log.partitions(topics))

    async def read(self, seconds: float) -> Sequence[Fetched]:
        consumer = self._started()
        if not self._positions:
            await asyncio.sleep(seconds)
            return []
        with errors("reading the outputs", "Read"):
            batches = await consumer.getmany(timeout_ms=int(seconds * 1000), max_records=_RECORDS)
        found = []
        for partition, batch in batches.items():
            source = TopicPartition(*partition)
            records = [Record(one.offset, one.timestamp or -1, one.key, one.value, tuple(one.headers)) for one in batch]
            if records:
                self._positions[source] = records[-1].offset + 1
                found.append(Fetched(source, records, records[-1].offset + 1))
        return found

    async def behind(self) -> int:
        consumer = self._started()
        left = 0
        with errors("asking for the ends of the outputs"):
            async with asyncio.timeout(self._settings.request_timeout):
                for source in self._positions:
                    # The position passes transaction markers, which are never handed over.
                    end = consumer.last_stable_offset(KafkaPartition(*source))
                    if end is not None:
                        left += max(0, end - await consumer.position(KafkaPartition(*source)))
        return left

    async def close(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await quietly(consumer.stop())
        await self._log.stop()

    def _started(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            raise LogError("nothing has been opened")
        return self._consumer


def _beginnings(
    wanted: Sequence[Wanted], begin: Mapping[TopicPartition, int], end: Mapping[TopicPartition, int]
) -> dict[TopicPartition, int]:
    last = {one.topic: one.last for one in wanted}
    partitions = {topic: sum(source.topic == topic for source in begin) for topic in last}
    positions = {}
    for source, first in begin.items():
        most = last[source.topic]
        positions[source] = first if most is None else max(first, end[source] - most // partitions[source.topic])
    return positions
