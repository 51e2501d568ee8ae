"""The transactional producer of one task."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.structs import OffsetAndMetadata
from aiokafka.structs import TopicPartition as KafkaPartition

from streams.engine.log.interface import TopicPartition, Transaction
from streams.engine.log.kafka_clients import errors, quietly
from streams.engine.partitioner import partition_for

#: Bytes of one batch; Kafka's default limit for a batch is 1 MiB.
_BATCH_BYTES = 512 << 10

#: Key, value and headers of a record.
_Row = tuple[bytes | None, bytes | None, Sequence[tuple[str, bytes]]]


class KafkaWriter:
    """Writes for one task; see `streams.engine.log.interface.Writer`. `timeout` (seconds) ends every transaction."""

    def __init__(self, transactional_id: str, group: str, client: Mapping[str, Any], timeout: float) -> None:
        self._id = transactional_id
        self._group = group
        self._timeout = timeout
        self._producer = AIOKafkaProducer(
            **client,
            transactional_id=transactional_id,
            transaction_timeout_ms=int(timeout * 1000),
            max_batch_size=_BATCH_BYTES,
        )

    async def open(self) -> None:
        """Takes the transactional id over: fences whoever held it and undoes what it had open."""
        await self._producer.start()

    async def commit(self, transaction: Transaction) -> None:
        with errors(f"committing {self._id}"):
            async with asyncio.timeout(self._timeout):
                await self._write(transaction)

    async def _write(self, transaction: Transaction) -> None:
        producer = self._producer
        await producer.begin_transaction()
        sent = []
        for target, rows in (await self._by_partition(transaction)).items():
            sent += await self._send(target, rows)
        # A commit succeeds though a produce in it has failed: each of them must be known to be there.
        await asyncio.gather(*sent)
        offsets = {
            KafkaPartition(*source): OffsetAndMetadata(committed.offset, committed.metadata)
            for source, committed in transaction.offsets.items()
        }
        if offsets:
            await producer.send_offsets_to_transaction(offsets, self._group)
        await producer.commit_transaction()

    async def _by_partition(self, transaction: Transaction) -> dict[TopicPartition, list[_Row]]:
        found: dict[TopicPartition, list[_Row]] = {}
        if transaction.rows:
            found[transaction.changelog] = [(key, row, ()) for key, row in transaction.rows.items()]
        for target, value in transaction.envelopes:
            found.setdefault(target, []).append((None, value, ()))
        counts: dict[str, int] = {}
        for output in transaction.outputs:
            topic, key = output.topic, output.key
            if topic not in counts:
                counts[topic] = len(await self._producer.partitions_for(topic))
            partition = 0 if key is None else partition_for(key, counts[topic])
            found.setdefault(TopicPartition(topic, partition), []).append((key, output.value, output.headers))
        return found

    async def _send(self, target: TopicPartition, rows: Sequence[_Row]) -> list[asyncio.Future[Any]]:
        producer = self._producer
        sent = []
        batch = producer.create_batch()
        for key, value, headers in rows:
            if batch.append(timestamp=None, key=key, value=value, headers=list(headers)) is None:
                sent.append(await producer.send_batch(batch, target.topic, partition=target.partition))
                batch = producer.create_batch()
                batch.append(timestamp=None, key=key, value=value, headers=list(headers))
        sent.append(await producer.send_batch(batch, target.topic, partition=target.partition))
        return sent

    async def close(self) -> None:
        await quietly(self._producer.stop())
