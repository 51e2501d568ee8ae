"""The marketplace straight into Kafka: its past as fast as asked for, then, if asked for, as it happens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import UnknownTopicOrPartitionError

from schemas.times import SECOND
from schemas.topics import PLAIN, TopicNames
from streams.engine.errors import FatalError, LogError
from streams.engine.log.kafka_clients import errors, quietly
from streams.marketplace.market import Produced

#: Records that are on their way at once.
_FLIGHT = 10_000
#: Seconds between two looks at the clock while there is nothing to send.
_LONGEST_WAIT = 0.5

#: A key and the number of partitions give the partition.
Partitioner = Callable[[bytes, int], int]


@dataclass(frozen=True, slots=True)
class Pace:
    """When a record is due. `speed`: seconds of the marketplace in a second of ours, None for as fast as can be.

    `live`: what lies ahead of `now` (microseconds) is sent when its time comes; without, it is left out.
    """

    speed: float | None
    live: bool
    now: Callable[[], int]


@dataclass(slots=True)
class Sending:
    """Where it goes. `client`: arguments for every Kafka client; `told` is called with each record that was sent."""

    bootstrap: str
    partitioner: Partitioner
    client: Mapping[str, Any] = field(default_factory=dict)
    told: Callable[[Produced], None] = lambda _: None
    topics: TopicNames = PLAIN


async def produce(records: Iterator[Produced], sending: Sending, pace: Pace, stop: asyncio.Event) -> int:
    """Sends the records in their order, each with its own time as its timestamp, until they end or `stop` is set.

    How many were sent and acknowledged. Raises FatalError where no broker answers or a topic is missing.
    """
    producer = AIOKafkaProducer(
        bootstrap_servers=sending.bootstrap, enable_idempotence=True, linger_ms=20, **sending.client
    )
    try:
        with errors(f"generate: {sending.bootstrap}"):
            await producer.start()
            return await _send(producer, records, sending, pace, stop)
    except LogError as error:
        raise FatalError(str(error)) from None
    finally:
        await quietly(producer.stop())


async def _send(
    producer: AIOKafkaProducer, records: Iterator[Produced], sending: Sending, pace: Pace, stop: asyncio.Event
) -> int:
    counts: dict[str, int] = {}
    flight: list[asyncio.Future[Any]] = []
    sent = 0
    began, first = asyncio.get_running_loop().time(), None
    for record in records:
        if first is None:
            first = record.sent_at
        if not pace.live and record.sent_at > pace.now():
            break
        await _until_due(record, pace, began, first, stop)
        if stop.is_set():
            break
        topic = sending.topics[record.topic]
        if topic not in counts:
            counts[topic] = await _partitions(producer, topic)
        key = record.key.encode()
        flight.append(
            await producer.send(
                topic,
                record.encode(),
                key=key,
                partition=sending.partitioner(key, counts[topic]),
                timestamp_ms=record.sent_at // 1_000,
            )
        )
        sending.told(record)
        if len(flight) >= _FLIGHT:
            sent += len(await asyncio.gather(*flight))
            flight.clear()
    return sent + len(await asyncio.gather(*flight))


async def _until_due(record: Produced, pace: Pace, began: float, first: int, stop: asyncio.Event) -> None:
    """Waits until the record is due, or `stop` is set."""
    loop = asyncio.get_running_loop()
    while not stop.is_set():
        ahead = (record.sent_at - pace.now()) / SECOND
        if ahead <= 0 and pace.speed is not None:
            ahead = (record.sent_at - first) / SECOND / pace.speed - (loop.time() - began)
        if ahead <= 0:
            return
        try:
            await asyncio.wait_for(stop.wait(), min(ahead, _LONGEST_WAIT))
        except TimeoutError:
            continue


async def _partitions(producer: AIOKafkaProducer, topic: str) -> int:
    try:
        return len(await producer.partitions_for(topic))
    except UnknownTopicOrPartitionError:
        raise FatalError(f"topic {topic} does not exist: run `parcelwatch topics` first") from None
