"""The load of the latency measurement: scans at an even rate, with parcels that fall silent long enough to stall.

Every scan is as old when it is sent as the policy's lateness just allows, so that nothing but `MARGIN` has to be waited
for by the rules. (A lateness of next to nothing would not do: shipments hear of the orders' watermark every some
minutes, which is of no account as long as scans trail by more than that.)
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from heapq import heappop, heappush
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from bench.contenders import ALERTS_TOPIC, SCANS_TOPIC
from bench.scans import Alert, Sent, tracking_no
from bench.traffic import from_parcelwatch
from schemas.times import render
from streams.engine.partitioner import partition_for
from tests.kafka_broker import Broker

#: Seconds: the threshold of a stall, a parcel's usual time between scans, and the silences that are measured.
THRESHOLD, BETWEEN, SILENCE = 1.8, 1.0, 3.0
#: Seconds: the policy's lateness of scans, and how much sooner than that they come.
LATENESS, MARGIN = 720, 0.2
AGE = LATENESS - MARGIN
_SCANS = 10
#: One parcel of so many falls silent once.
_SILENT = 25
#: Seconds between two bursts of the producer; all of a burst happened at its time.
_TICK = 0.01

POLICY = f"""extends = "default"
name = "quick"

[lateness]
orders_seconds = 1
logistics_scans_seconds = {LATENESS}
chats_seconds = 1

[[shipments.thresholds]]
slow = {{ hours = {THRESHOLD / 3600 * 0.95} }}
stalled = {{ hours = {THRESHOLD / 3600} }}
"""
_VALUE = (
    b'{"event_id":"%s-%d","type":"scan","occurred_at":"%s","tracking_no":"%s","carrier":"carrier-%d","status":"%s",'
    b'"facility":"facility-%d","region":"-"}'
)


class Parcels:
    """Parcels on their way at an even rate of scans a second; each has ten, then another takes its place.

    In the beginning there are as many at each of the other nine.
    """

    def __init__(self, rate: float, partitions: int) -> None:
        self._rate = rate
        self._partitions = partitions
        self._begin: float | None = None
        self._begun = self._first = 0
        self._waiting: list[tuple[float, int, int]] = []

    def due(self, now: float) -> Iterator[Sent]:
        """The scans of now (seconds); the first call is when the first parcel sets out."""
        if self._begin is None:
            self._begin = now
            self._begun = self._first = round(self._rate * BETWEEN * (_SCANS - 1) / _SCANS)
            for parcel in range(self._first):
                heappush(self._waiting, (now + parcel / self._first * BETWEEN, parcel, 1 + parcel % (_SCANS - 1)))
        while self._begun - self._first < (now - self._begin) * self._rate / _SCANS:
            heappush(self._waiting, (now, self._begun, 0))
            self._begun += 1
        at = render(round((now - AGE) * 1e6)).encode()
        while self._waiting and self._waiting[0][0] <= now:
            _, parcel, number = heappop(self._waiting)
            key = tracking_no(parcel)
            last = number + 1 == _SCANS
            status = b"delivered" if last else b"picked_up" if number == 0 else b"in_transit"
            if not last:
                silent = parcel % _SILENT == 0 and number == 3
                heappush(self._waiting, (now + (SILENCE if silent else BETWEEN), parcel, number + 1))
            value = _VALUE % (key, number, at, key, parcel % 50, status, (parcel * 7 + number) % 5000)
            yield Sent(partition_for(key, self._partitions), round(now * 1000), key, value)

    def past(self, seconds: float, until: float) -> Iterator[Sent]:
        """All scans of so many seconds up to `until`, as if they had been sent then."""
        now = until - seconds
        while now < until:
            yield from self.due(now)
            now += _TICK


async def produce(bootstrap: str, parcels: Parcels, done: Callable[[], bool]) -> int:
    """Sends scans, each burst at its time, until it is done; how many."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, max_batch_size=1 << 20)
    await producer.start()
    sent = 0
    try:
        while not done():
            now = time.time()
            builders: dict[int, Any] = {}
            for one in parcels.due(now):
                builder = builders.get(one.partition)
                # After a pause of this process, more is due than one batch takes.
                while builder is None or builder.append(timestamp=one.timestamp, key=one.key, value=one.value) is None:
                    if builder is not None:
                        await producer.send_batch(builder, SCANS_TOPIC, partition=one.partition)
                    builder = builders[one.partition] = producer.create_batch()
                sent += 1
            for partition, builder in builders.items():
                await producer.send_batch(builder, SCANS_TOPIC, partition=partition)
            await asyncio.sleep(max(0.0, _TICK - (time.time() - now)))
    finally:
        await producer.stop()
    return sent


async def read(kafka: Broker, take: Callable[[Alert, float, int], None], done: asyncio.Event) -> None:
    """Hands over each alert of a stall, when (seconds) a `read_committed` reader had it, and of which partition."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=kafka.bootstrap, isolation_level="read_committed", auto_offset_reset="earliest",
        enable_auto_commit=False, fetch_max_wait_ms=20,
    )  # fmt: skip
    partitions = await kafka.end_offsets(ALERTS_TOPIC)
    await consumer.start()
    try:
        consumer.assign([TopicPartition(ALERTS_TOPIC, partition) for partition in partitions])
        while not done.is_set():
            for records in (await consumer.getmany(timeout_ms=20)).values():
                now = time.time()
                for record in records:
                    if (alert := from_parcelwatch(record.value)) is not None:
                        take(alert, now, record.partition)
    finally:
        await consumer.stop()
