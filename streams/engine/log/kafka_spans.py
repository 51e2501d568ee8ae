"""Reads given offset ranges of any partitions, committed records only."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition as KafkaPartition

from streams.engine.errors import LogError
from streams.engine.log.interface import Fetched, TopicPartition
from streams.engine.log.kafka_clients import errors, quietly
from streams.engine.log.kafka_records import pass_over_unreadable
from streams.engine.processor import Record, Unread

if TYPE_CHECKING:
    from streams.engine.log.kafka import KafkaSettings

#: Bytes per fetch and partition, and records handed over at once.
_BYTES, _RECORDS = 2 << 20, 5_000


class KafkaSpans:
    """Reads partitions by (begin, end) offsets. `ended`: those that have been read completely.

    `passes`: an `Unread` stands for records that cannot be read, which are an error otherwise.
    """

    def __init__(
        self, settings: KafkaSettings, spans: Mapping[TopicPartition, tuple[int, int]], *, passes: bool = False
    ) -> None:
        self.ended = {source for source, (begin, end) in spans.items() if begin >= end}
        self._settings = settings
        self._passes = passes
        self._spans = {source: span for source, span in spans.items() if source not in self.ended}
        self._positions = {source: begin for source, (begin, _) in self._spans.items()}
        self._consumer: AIOKafkaConsumer | None = None

    async def open(self) -> None:
        """Connects. Raises `LogError`."""
        if not self._spans:
            return
        consumer = self._consumer = AIOKafkaConsumer(
            **self._settings.reading(), max_partition_fetch_bytes=_BYTES, fetch_max_bytes=8 * _BYTES
        )
        with errors(f"connecting to {self._settings.bootstrap}"):
            async with asyncio.timeout(self._settings.request_timeout):
                await consumer.start()
                if self._passes:
                    pass_over_unreadable(consumer)
                consumer.assign([KafkaPartition(*source) for source in self._spans])
                for source, begin in self._positions.items():
                    consumer.seek(KafkaPartition(*source), begin)

    async def read(self, sources: Collection[TopicPartition]) -> list[Fetched]:
        """The next records of these partitions, of at least one that has not ended. Raises `LogError`."""
        wanted = [KafkaPartition(*source) for source in sources if source not in self.ended]
        if not wanted:
            return []
        consumer = self._consumer
        if consumer is None:
            raise LogError("nothing has been opened")
        found: list[Fetched] = []
        with errors(f"reading {wanted[0].topic}-{wanted[0].partition}", "Read"):
            async with asyncio.timeout(self._settings.request_timeout):
                while not found:
                    batches = await consumer.getmany(*wanted, timeout_ms=100, max_records=_RECORDS)
                    for each in wanted:
                        source = TopicPartition(*each)
                        position, end = await consumer.position(each), self._spans[source][1]
                        # Transaction markers are never handed over, but the position moves past them.
                        if position == self._positions[source]:
                            continue
                        self._positions[source] = position
                        records = [
                            one
                            if isinstance(one, Unread)
                            else Record(one.offset, one.timestamp or -1, one.key, one.value, tuple(one.headers))
                            for one in batches.get(each, [])
                            if one.offset < end
                        ]
                        found.append(Fetched(source, records, min(position, end)))
                        if position >= end:
                            self.ended.add(source)
                            consumer.pause(each)
        return found

    async def close(self) -> None:
        """Never raises."""
        if self._consumer is not None:
            await quietly(self._consumer.stop())
