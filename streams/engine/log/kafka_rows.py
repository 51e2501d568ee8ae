"""Reads changelog rows from the client batch by batch.

The client hands records over one by one, through two generators, which is most of the cost of reading. A changelog is
read for its keys and values alone, and a batch is committed as a whole or not at all, so it is taken as a whole.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.consumer.fetcher import FetchResult
from aiokafka.errors import CorruptRecordException
from aiokafka.structs import TopicPartition as KafkaPartition

from streams.engine.log.interface import Rows, TopicPartition
from streams.engine.log.kafka_batches import left_out
from streams.engine.log.kafka_clients import errors, quietly

#: Bytes per fetch. Each fetch waits for the broker, and its rows are handed over together.
_BYTES = 4 << 20

_Row = tuple[bytes, bytes | None]


def hand_over_batches(consumer: AIOKafkaConsumer) -> None:
    """Makes a started consumer hand over lists of rows instead of records.

    Batches are not empty, and `max_records` counts them.
    """
    consumer._fetcher._records = _Fetched(consumer._fetcher._records)


class _Fetched(dict[Any, Any]):
    """What the client has fetched, by partition."""

    def __setitem__(self, partition: Any, result: Any) -> None:
        if type(result) is FetchResult:
            fetched = result._partition_records
            fetched._records_iterator = _batches(fetched)
        super().__setitem__(partition, result)


def _batches(fetched: Any) -> Iterator[list[_Row]]:
    """Like the client's own generator, which skips aborted batches; `next_fetch_offset` becomes the position."""
    records = fetched._records
    while records.has_next():
        batch = records.next_batch()
        if not batch.validate_crc():
            raise CorruptRecordException(f"invalid CRC in {fetched._tp}")
        rows: list[_Row] = []
        if not left_out(fetched, batch):
            start = fetched.next_fetch_offset
            # A fetch may begin within a batch: the broker sends all of it.
            within = batch.base_offset < start
            rows = [
                (each.key, each.value)
                for each in batch
                if each.key is not None and not (within and each.offset < start)
            ]
        fetched.next_fetch_offset = batch.next_offset
        if rows:
            yield rows


async def read_rows(
    client: Mapping[str, Any], source: TopicPartition, begin: int, end: int, patience: float
) -> AsyncGenerator[Rows, None]:
    """Reads a changelog partition from one offset up to another. Raises `LogError` where nothing comes in `patience`
    seconds. `client`: what consumers are made with."""
    if begin >= end:
        return
    partition = KafkaPartition(*source)
    consumer = AIOKafkaConsumer(**client, max_partition_fetch_bytes=_BYTES)
    try:
        with errors(f"reading {source.topic}-{source.partition}", "Read"):
            async with asyncio.timeout(patience):
                await consumer.start()
                hand_over_batches(consumer)
                consumer.assign([partition])
                consumer.seek(partition, begin)
            position = begin
            # The last offset is a transaction marker, which is never handed over: go by the position.
            while (before := position) < end:
                async with asyncio.timeout(patience):
                    while position == before:
                        fetched = await consumer.getmany(partition, timeout_ms=100)
                        position = await consumer.position(partition)
                yield Rows([row for batch in fetched.get(partition, ()) for row in batch], position)
    finally:
        await quietly(consumer.stop())
