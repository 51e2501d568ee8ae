"""Copies the old inputs into the new ones, and follows them.

A new partition receives records from several old ones, so these are merged by event time: copied one after another,
most events would be late. A key lies in one partition, so it keeps its order. Every batch is one transaction that
includes the positions after it, so that a successor resumes exactly there.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.structs import OffsetAndMetadata
from aiokafka.structs import TopicPartition as KafkaPartition

from streams.engine.errors import FatalError
from streams.engine.log.interface import TopicPartition
from streams.engine.log.kafka import KafkaLog, KafkaSettings
from streams.engine.log.kafka_clients import errors, quietly
from streams.engine.log.kafka_records import pass_over_unreadable
from streams.engine.processor import Unread
from streams.grow.plan import COPIED_FROM, HANDED_OVER
from streams.replay.reading import time_of
from streams.stages.intake import Partitioner

#: Records of a partition that wait for others of their topic, and records of one transaction.
_WAITING, _MANY = 2_000, 5_000
#: Milliseconds to wait for records, seconds for the brokers to do as they are told.
_FETCH, _PATIENCE = 100, 60.0


class Copier:
    """Copies topics; `renamed` maps each to the new one. Must be opened and closed."""

    def __init__(
        self, log: KafkaLog, settings: KafkaSettings, group: str, renamed: Mapping[str, str], partitioner: Partitioner
    ) -> None:
        self.copied = 0
        self._log = log
        self._group = group
        self._renamed = renamed
        self._partitioner = partitioner
        self._consumer = AIOKafkaConsumer(**settings.reading(), max_partition_fetch_bytes=1 << 20)
        self._producer = AIOKafkaProducer(
            **settings.common(), transactional_id=group, transaction_timeout_ms=int(_PATIENCE * 1000), linger_ms=5,
            max_request_size=16 << 20,
        )  # fmt: skip
        self._sources: list[TopicPartition] = []
        self._goal: Mapping[TopicPartition, int] = {}
        self._partitions: dict[str, int] = {}
        self._waiting: dict[TopicPartition, deque[tuple[int, Any]]] = {}
        #: Next offsets to fetch, and to copy.
        self._fetched: dict[TopicPartition, int] = {}
        self._done: dict[TopicPartition, int] = {}

    async def open(self, *, incomplete: bool) -> None:
        """Takes the copying over from any current copier. Raises `FatalError` and `LogError`."""
        self._partitions = await self._log.partitions([*self._renamed, *self._renamed.values()])
        self._sources = [
            TopicPartition(topic, each) for topic in self._renamed for each in range(self._partitions[topic])
        ]
        with errors("taking the copying over", "Write"):
            await self._producer.start()
            await self._consumer.start()
            pass_over_unreadable(self._consumer)
            committed = await self._log.committed(self._group, self._sources)
            if any(each.metadata == HANDED_OVER for each in committed.values()):
                raise FatalError(f"{self._group}: the hand-over is done, nothing more is copied")
            begins = await self._log.begin_offsets(self._sources)
            for source, begin in begins.items():
                known = committed.get(source)
                if known is None and begin > 0 and not incomplete:
                    raise FatalError(
                        f"{source.topic}-{source.partition} begins at offset {begin}: what is gone cannot be copied, "
                        "and alerts that rest on it would be resolved; --incomplete-history goes on all the same"
                    )
                if known is not None and known.offset < begin:
                    raise FatalError(
                        f"{source.topic}-{source.partition} begins at offset {begin}, and was copied up to "
                        f"{known.offset}: records are gone that were not copied"
                    )
                self._done[source] = self._fetched[source] = begin if known is None else known.offset
                self._waiting[source] = deque()
            self._consumer.assign([KafkaPartition(*source) for source in self._sources])
            for source, offset in self._done.items():
                self._consumer.seek(KafkaPartition(*source), offset)

    async def step(self) -> bool:
        """Copies what is available now. True: nothing was, everything is copied. Raises `LogError`."""
        with errors("copying", "Write"):
            async with asyncio.timeout(_PATIENCE):
                ends = await self._log.end_offsets(self._sources)
                await self._fetch()
                batch = self._next(ends)
                if batch:
                    await self._write(batch)
                self._goal = self._goal or ends
                return not batch and self._has_come_to(ends)

    @property
    def caught_up(self) -> bool:
        """True if everything present at the start has been copied."""
        return bool(self._goal) and self._has_come_to(self._goal)

    def _has_come_to(self, ends: Mapping[TopicPartition, int]) -> bool:
        return all(self._done[source] >= end for source, end in ends.items())

    async def hand_over(self) -> None:
        """Adds the hand-over marker to the open transaction."""
        source = self._sources[0]
        mark = {KafkaPartition(*source): OffsetAndMetadata(self._done[source], HANDED_OVER)}
        await self._producer.send_offsets_to_transaction(mark, self._group)

    @property
    def producer(self) -> AIOKafkaProducer:
        """The producer, held exclusively while this copier runs."""
        return self._producer

    async def close(self) -> None:
        """Never raises."""
        await quietly(self._producer.stop())
        await quietly(self._consumer.stop())

    async def _fetch(self) -> None:
        hungry = [KafkaPartition(*source) for source, waiting in self._waiting.items() if len(waiting) < _WAITING]
        if not hungry:
            return
        fetched = await self._consumer.getmany(*hungry, timeout_ms=_FETCH, max_records=_MANY)
        for partition in hungry:
            source = TopicPartition(*partition)
            for record in fetched.get(partition, ()):
                if isinstance(record, Unread):
                    continue  # the old application has told of it
                self._waiting[source].append((time_of(record.value or b""), record))
            self._fetched[source] = await self._consumer.position(partition)
            if not self._waiting[source]:
                # Skips transaction markers.
                self._done[source] = self._fetched[source]

    def _next(self, ends: Mapping[TopicPartition, int]) -> list[tuple[TopicPartition, Any]]:
        """The records to copy now: each topic's oldest, while no partition can still deliver an older one."""
        batch: list[tuple[TopicPartition, Any]] = []
        for topic in self._renamed:
            mine = [source for source in self._sources if source.topic == topic]
            while len(batch) < _MANY:
                heads = [source for source in mine if self._waiting[source]]
                unknown = any(not self._waiting[each] and self._fetched[each] < ends[each] for each in mine)
                if not heads or unknown:
                    break
                source = min(heads, key=lambda each: self._waiting[each][0][0])
                batch.append((source, self._waiting[source].popleft()[1]))
        return batch

    async def _write(self, batch: Sequence[tuple[TopicPartition, Any]]) -> None:
        producer = self._producer
        await producer.begin_transaction()
        sent = []
        for source, record in batch:
            topic = self._renamed[source.topic]
            count = self._partitions[topic]
            partition = source.partition % count if record.key is None else self._partitioner(record.key, count)
            origin = f"{source.topic}/{source.partition}/{record.offset}".encode()
            sent.append(
                await producer.send(
                    topic, record.value, record.key, partition=partition, timestamp_ms=max(record.timestamp or 0, 0),
                    headers=[*record.headers, (COPIED_FROM, origin)],
                )
            )  # fmt: skip
            self._done[source] = record.offset + 1
        await asyncio.gather(*sent)
        for source, waiting in self._waiting.items():
            if not waiting:
                self._done[source] = self._fetched[source]
        offsets = {KafkaPartition(*source): OffsetAndMetadata(offset, "") for source, offset in self._done.items()}
        await producer.send_offsets_to_transaction(offsets, self._group)
        await producer.commit_transaction()
        self.copied += len(batch)
