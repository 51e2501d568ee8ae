"""The transactional producer of one task."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from aiokafka import AIOKafkaProducer
from aiokafka.structs import OffsetAndMetadata
from aiokafka.structs import TopicPartition as KafkaPartition

from streams.engine.errors import FatalError
from streams.engine.log.interface import TopicPartition, Transaction
from streams.engine.log.kafka_clients import errors, quietly
from streams.engine.partitioner import partition_for

#: Bytes of one batch; Kafka's default limit for a batch is 1 MiB.
_BATCH_BYTES = 512 << 10
#: Seconds for which brokers that answer may not know a topic: a new one is not known everywhere at once.
_UNKNOWN = 3.0

#: Key, value and headers of a record.
_Row = tuple[bytes | None, bytes | None, Sequence[tuple[str, bytes]]]


class _Sent(NamedTuple):
    """A batch that was handed over, and the future of the broker's answer."""

    target: TopicPartition
    records: int
    answer: asyncio.Future[Any]


class KafkaWriter:
    """Writes for one task; see `streams.engine.log.interface.Writer`. `timeout` (seconds) ends every transaction."""

    def __init__(self, transactional_id: str, group: str, client: Mapping[str, Any], timeout: float) -> None:
        self._id = transactional_id
        self._group = group
        self._timeout = timeout
        self._clean = False
        self._producer = AIOKafkaProducer(
            **client,
            transactional_id=transactional_id,
            transaction_timeout_ms=int(timeout * 1000),
            max_batch_size=_BATCH_BYTES,
        )

    async def open(self) -> None:
        """Takes the transactional id over: fences whoever held it and undoes what it had open."""
        await self._producer.start()
        self._clean = True

    async def commit(self, transaction: Transaction) -> int | None:
        self._clean = False
        with errors(f"committing {self._id}"):
            async with asyncio.timeout(self._timeout):
                end = await self._write(transaction)
        self._clean = True
        return end

    async def _write(self, transaction: Transaction) -> int | None:
        producer = self._producer
        await producer.begin_transaction()
        sent: list[_Sent] = []
        for target, rows in (await self._by_partition(transaction)).items():
            sent += await self._send(target, rows)
        # A commit succeeds though a produce in it has failed: each of them must be known to be there.
        end = None
        answers = await asyncio.gather(*(each.answer for each in sent), return_exceptions=True)
        for each, answer in zip(sent, answers, strict=True):
            if isinstance(answer, BaseException):
                raise answer
            if each.target == transaction.changelog:
                end = answer.offset + each.records + 1  # the commit's marker follows the last record
        offsets = {
            KafkaPartition(*source): OffsetAndMetadata(committed.offset, committed.metadata)
            for source, committed in transaction.offsets.items()
        }
        if offsets:
            await producer.send_offsets_to_transaction(offsets, self._group)
        await producer.commit_transaction()
        return end

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
                counts[topic] = await self._partitions(topic)
            partition = 0 if key is None else partition_for(key, counts[topic])
            found.setdefault(TopicPartition(topic, partition), []).append((key, output.value, output.headers))
        return found

    async def _partitions(self, topic: str) -> int:
        """How many the topic has. Raises `FatalError` where there is none of that name: the client would ask on."""
        client = self._producer.client
        if (known := client.cluster.partitions_for_topic(topic)) is None:
            client.add_topic(topic)
            began = time.monotonic()
            while (known := client.cluster.partitions_for_topic(topic)) is None:
                answered = await client.force_metadata_update()
                if answered and time.monotonic() - began > _UNKNOWN:
                    raise FatalError(f"topic {topic} does not exist, and there is something to be written to it")
                await asyncio.sleep(0.1)
        return len(known)

    async def _send(self, target: TopicPartition, rows: Sequence[_Row]) -> list[_Sent]:
        producer = self._producer
        sent: list[_Sent] = []

        async def hand_over() -> None:
            answer = await producer.send_batch(batch, target.topic, partition=target.partition)
            sent.append(_Sent(target, batch.record_count(), answer))

        batch = producer.create_batch()
        for key, value, headers in rows:
            if batch.append(timestamp=None, key=key, value=value, headers=list(headers)) is None:
                await hand_over()
                batch = producer.create_batch()
                batch.append(timestamp=None, key=key, value=value, headers=list(headers))
        await hand_over()
        return sent

    async def close(self) -> None:
        if self._clean:
            await quietly(self._producer.stop())
        # A producer with something under way would go on trying to send it: it is ended without being asked. What it
        # leaves open is undone by the next one of its name.
        self._producer._closed = True
        await quietly(self._producer.client.close())
        await quietly(self._producer._sender.close())
        waiter = self._producer._txn_manager._transaction_waiter
        if waiter is not None and waiter.done() and not waiter.cancelled():
            waiter.exception()  # it has been looked at: asyncio need not complain of it
