"""A producer that writes whole batches, and tracks the acknowledgement of each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

from aiokafka import AIOKafkaProducer
from aiokafka.errors import MessageSizeTooLargeError, RecordListTooLargeError
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.structs import RecordMetadata

from streams.engine.errors import FatalError
from streams.engine.log.interface import TopicPartition
from streams.engine.log.kafka_clients import quietly
from streams.engine.log.kafka_metadata import partitions_of
from streams.engine.log.kafka_packing import Pack, Pair, packed
from streams.engine.partitioner import partition_for
from streams.engine.processor import Output
from streams.engine.wall_clock import check_wall

#: Size of a batch, in bytes; Kafka's default limit is 1 MiB.
_BATCH_BYTES = 512 << 10

#: Key, value and headers of a record.
Row = tuple[bytes | None, bytes | None, Sequence[tuple[str, bytes]]]


class Sent(NamedTuple):
    """A batch handed to the client, and the future of the broker's answer."""

    target: TopicPartition
    records: int
    answer: asyncio.Future[Any]


class Sending:
    """One producer. `options`: client options that make it transactional or not.

    `heard` is called with the brokers' own time of each write, in microseconds; `permitted`, right before each write,
    may raise an error of Kafka's, which then ends that write. `pack` packs rows where the client need not.
    """

    def __init__(
        self,
        client: Mapping[str, Any],
        heard: Callable[[int], None],
        permitted: Callable[[], None] | None = None,
        pack: Pack | None = None,
        **options: Any,
    ) -> None:
        self._heard = heard
        self._pack = pack
        self.producer = AIOKafkaProducer(**client, **options, max_batch_size=_BATCH_BYTES)
        self._transactional = options.get("transactional_id") is not None
        if permitted is not None:
            _ask_before_writes(self.producer.client, permitted)

    async def by_partition(
        self, outputs: Sequence[Output], envelopes: Sequence[tuple[TopicPartition, bytes]]
    ) -> dict[TopicPartition, list[Row]]:
        """Groups records by target partition. Raises `FatalError` if an output topic is missing."""
        found: dict[TopicPartition, list[Row]] = {}
        for target, value in envelopes:
            found.setdefault(target, []).append((None, value, ()))
        counts: dict[str, int] = {}
        for output in outputs:
            topic, key = output.topic, output.key
            if topic not in counts:
                counts[topic] = await self._partitions(topic)
            partition = 0 if key is None else partition_for(key, counts[topic])
            found.setdefault(TopicPartition(topic, partition), []).append((key, output.value, output.headers))
        return found

    async def _partitions(self, topic: str) -> int:
        """The topic's number of partitions. Raises `FatalError` if it does not exist: the client would ask forever."""
        if (known := await partitions_of(self.producer.client, topic)) is None:
            raise FatalError(f"topic {topic} does not exist, and there is something to be written to it")
        return known

    async def send(self, target: TopicPartition, rows: Sequence[Row], codec: int) -> list[Sent]:
        """Hands the rows to the client, in batches; `codec` is one of `streams.engine.log.kafka_codecs`."""
        sent: list[Sent] = []
        batch = self._batch(codec)
        for key, value, headers in rows:
            if batch.append(timestamp=None, key=key, value=value, headers=list(headers)) is None:
                sent.append(await self._hand_over(target, batch))
                batch = self._batch(codec)
                batch.append(timestamp=None, key=key, value=value, headers=list(headers))
        sent.append(await self._hand_over(target, batch))
        return sent

    async def send_rows(self, changelog: TopicPartition, rows: Collection[Pair], codec: int) -> list[Sent]:
        """`send` for the rows of a changelog, of which there may be many, or none."""
        if not rows:
            return []
        if self._pack is None:
            return await self.send(changelog, [(key, row, ()) for key, row in rows], codec)
        made = packed(rows, self._pack, _BATCH_BYTES, codec, transactional=self._transactional)
        return [await self._hand_over(changelog, batch) for batch in made]

    async def _hand_over(self, target: TopicPartition, batch: BatchBuilder) -> Sent:
        answer = await self.producer.send_batch(batch, target.topic, partition=target.partition)
        answer.add_done_callback(_looked_at)
        return Sent(target, batch.record_count(), answer)

    def _batch(self, codec: int) -> BatchBuilder:
        """An empty batch; the client's own batches have one codec for every topic."""
        return BatchBuilder(_BATCH_BYTES, codec, is_transactional=self._transactional)

    async def arrived(self, sent: Sequence[Sent], followed: TopicPartition | None = None, wall: int = 0) -> int | None:
        """Waits until all are acknowledged; returns the offset after the last one in partition `followed`.

        Raises the first batch's error: `FatalError` if a topic takes no batches of this size, as a retry would not
        help. `ClockError` if `wall` is minutes ahead of the brokers' own time takes precedence.
        """
        end = None
        answers = await asyncio.gather(*(each.answer for each in sent), return_exceptions=True)
        times = [answer.timestamp for answer in answers if isinstance(answer, RecordMetadata) and _by_broker(answer)]
        if times:
            self._heard(max(times) * 1000)
            check_wall(wall, max(times) * 1000)
        for each, answer in zip(sent, answers, strict=True):
            if isinstance(answer, MessageSizeTooLargeError | RecordListTooLargeError):
                raise FatalError(
                    f"topic {each.target.topic} refuses a batch as too large: its max.message.bytes must be Kafka's "
                    "default or more"
                )
            if isinstance(answer, BaseException):
                raise answer
            if each.target == followed:
                end = answer.offset + each.records
        return end

    async def close(self, clean: bool) -> None:
        """Closes the client; if not `clean`, writes may be in flight. Never raises."""
        if clean:
            await quietly(self.producer.stop())
        # A producer with writes in flight would keep retrying them: cancel it. The next producer with its
        # transactional id aborts what it leaves open.
        self.producer._closed = True
        await quietly(self.producer.client.close())
        await quietly(self.producer._sender.close())


def _ask_before_writes(client: Any, permitted: Callable[[], None]) -> None:
    send = client.send

    async def asked(node: int, request: Any, **options: Any) -> Any:
        if isinstance(request, ProduceRequest):
            # Connecting may take long: nothing is waited for between the question and the write.
            await client.ready(node, **options)
            permitted()
        return await send(node, request, **options)

    client.send = asked


def _by_broker(answer: RecordMetadata) -> bool:
    """Whether the timestamp is the broker's log append time, and not the producer's."""
    return answer.timestamp_type == 1 and answer.timestamp is not None and answer.timestamp >= 0


def _looked_at(answer: asyncio.Future[Any]) -> None:
    """Asyncio need not complain of an answer that nobody waits for any more: the first error has ended the commit."""
    if not answer.cancelled():
        answer.exception()
