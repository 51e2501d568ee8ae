"""Reads changelog rows from the client batch by batch.

The client hands records over one by one, through two generators, which is most of the cost of reading. A changelog is
read for its keys and values alone, and a batch is committed as a whole or not at all, so it is taken as a whole.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import Any, cast

from aiokafka import AIOKafkaConsumer
from aiokafka.consumer.fetcher import FetchResult
from aiokafka.errors import CorruptRecordException
from aiokafka.structs import TopicPartition as KafkaPartition

from streams.engine.log.interface import Rows, TopicPartition
from streams.engine.log.kafka_batches import Batched, in_batches, left_out
from streams.engine.log.kafka_clients import errors, quietly

#: Bytes per fetch. Each fetch waits for the broker, and its rows are handed over together.
_BYTES = 4 << 20

_Row = tuple[bytes, bytes | None]


def hand_over_batches(consumer: AIOKafkaConsumer, make: Callable[[], Batched] | None, most: int) -> None:
    """Makes a started consumer hand over sequences of rows instead of records: batches, as they were written.

    They are not empty, and `max_records` counts them. `make`: what reads records in their batches, as many of these at
    a time as have `most` rows together.
    """
    consumer._fetcher._records = _Fetched(_batches if make is None else partial(_pairs, make, most))


def joined(batches: Sequence[Sequence[_Row]]) -> Sequence[_Row]:
    """The rows of all."""
    return batches[0] if len(batches) == 1 else [*chain.from_iterable(batches)]


class _Fetched(dict[Any, Any]):
    """What the client has fetched, by partition."""

    def __init__(self, rows: Callable[[Any], Iterator[Sequence[_Row]]]) -> None:
        super().__init__()
        self._rows = rows

    def __setitem__(self, partition: Any, result: Any) -> None:
        if type(result) is FetchResult:
            fetched = result._partition_records
            fetched._records_iterator = self._rows(fetched)
        super().__setitem__(partition, result)


def _pairs(make: Callable[[], Batched], most: int, fetched: Any) -> Iterator[Sequence[_Row]]:
    """Rows as they lie in what was fetched; records as the client parses them from where that cannot be."""
    for records in in_batches(fetched, make, most):
        rows: Sequence[_Row]
        if isinstance(records, list):
            rows = [(each.key, each.value) for each in records if each.key is not None]
        else:
            rows = cast(Batched, records).pairs()
        if rows:
            yield rows


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
    client: Mapping[str, Any],
    source: TopicPartition,
    begin: int,
    end: int,
    patience: float,
    make: Callable[[], Batched] | None,
) -> AsyncGenerator[Rows, None]:
    """Reads a changelog partition from one offset up to another. Raises `LogError` where nothing comes in `patience`
    seconds. `client`: what consumers are made with; `make`: what reads records in their batches."""
    if begin >= end:
        return
    partition = KafkaPartition(*source)
    consumer = AIOKafkaConsumer(**client, max_partition_fetch_bytes=_BYTES)
    try:
        with errors(f"reading {source.topic}-{source.partition}", "Read"):
            async with asyncio.timeout(patience):
                await consumer.start()
                hand_over_batches(consumer, make, sys.maxsize)
                consumer.assign([partition])
                consumer.seek(partition, begin)
            position = begin
            # The last offset is a transaction marker, which is never handed over: go by the position.
            while (before := position) < end:
                async with asyncio.timeout(patience):
                    while position == before:
                        fetched = await consumer.getmany(partition, timeout_ms=100)
                        position = await consumer.position(partition)
                yield Rows(joined(fetched.get(partition, ())), position)
    finally:
        await quietly(consumer.stop())
