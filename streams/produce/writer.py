"""The Kafka producer of whatever feeds the topics: each record in its key's partition, acknowledged."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from aiokafka import AIOKafkaProducer

from streams.engine.errors import FatalError, LogError
from streams.engine.log.kafka import KafkaSettings
from streams.engine.log.kafka_clients import errors, quietly
from streams.engine.log.kafka_connections import unanswered
from streams.engine.log.kafka_metadata import partitions_of
from streams.engine.log.kafka_refusal import unless_refused
from streams.stages.intake import Partitioner

#: Bytes of a batch: what gathers for one partition while the batch before it is on its way. Kafka takes 1 MiB.
_BATCH = 512 << 10


class Outgoing(NamedTuple):
    """A record to write, to the topic of that name on the broker."""

    topic: str
    key: bytes
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()


class EventWriter:
    """One idempotent producer with `acks=all`.

    `linger`: seconds for which a batch waits for more records when none is on its way. Once a write has failed for
    another reason than time, the writer is of no more use: open another.
    """

    def __init__(self, settings: KafkaSettings, partitioner: Partitioner, linger: float = 0.0) -> None:
        self._settings = settings
        self._partitioner = partitioner
        self._linger = linger
        self._counts: Mapping[str, int] = {}
        self._producer: AIOKafkaProducer | None = None

    async def open(self, topics: Collection[str]) -> None:
        """Connects. Raises `LogError` where no broker answers, `FatalError` where they refuse or lack a topic."""
        producer = self._producer = AIOKafkaProducer(
            **self._settings.common(),
            acks="all",
            enable_idempotence=True,
            linger_ms=int(self._linger * 1000),
            max_batch_size=_BATCH,
        )
        await unless_refused(self._connect(producer, topics), self._settings.bootstrap, self._settings.client)

    async def _connect(self, producer: AIOKafkaProducer, topics: Collection[str]) -> None:
        with errors(f"connecting to {self._settings.bootstrap}"):
            async with asyncio.timeout(self._settings.request_timeout):
                await producer.start()
                self._counts = {topic: await _partitions(producer, topic) for topic in topics}

    async def append(self, record: Outgoing) -> asyncio.Future[Any]:
        """Hands a record to the client, which may have to wait for room. The future ends when the brokers have it.

        Records of one partition keep their order. Raises `LogError`.
        """
        with errors(f"writing to {record.topic}", "Write"):
            future: asyncio.Future[Any] = await self._opened().send(
                record.topic,
                record.value,
                record.key,
                partition=self._partitioner(record.key, self._counts[record.topic]),
                headers=list(record.headers),
            )
        return future

    async def arrived(self, sent: Collection[asyncio.Future[Any]]) -> None:
        """Waits until the brokers have all of them. Raises `LogError` for the first that they have not."""
        with errors("writing", "Write"):
            for answer in await asyncio.gather(*sent, return_exceptions=True):
                if isinstance(answer, BaseException):
                    raise answer

    async def ping(self) -> None:
        """Raises `LogError` where no broker answers, or the producer has ended."""
        producer = self._opened()
        if producer._sender.sender_task.done():
            raise LogError("the producer has ended")
        with errors("asking for brokers"):
            async with asyncio.timeout(self._settings.request_timeout):
                if not await producer.client.force_metadata_update():
                    raise LogError(unanswered())

    async def close(self) -> None:
        """Waits a little for what is on its way. Never raises."""
        producer, self._producer = self._producer, None
        if producer is None:
            return
        await quietly(producer.stop())
        # A client that still tries again would go on for ever.
        producer._closed = True
        await quietly(producer.client.close())
        await quietly(producer._sender.close())

    def _opened(self) -> AIOKafkaProducer:
        if self._producer is None:
            raise LogError("the producer is closed")
        return self._producer


async def _partitions(producer: AIOKafkaProducer, topic: str) -> int:
    if (known := await partitions_of(producer.client, topic)) is None:
        raise FatalError(f"topic {topic} does not exist: run `parcelwatch topics` first")
    return known
