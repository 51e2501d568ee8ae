"""Many shipments with one scan each, and a continuing trickle of scans."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from aiokafka import AIOKafkaProducer

from bench.scans import PARTITIONS, START, Sent, rendered, tracking_no
from streams.engine.partitioner import partition_for

#: Seconds within which all are scanned.
_WITHIN = 24 * 3600
#: Seconds between two scans of a partition.
_EVERY = 0.05
_VALUE = (
    b'{"event_id":"%s-%d","type":"scan","occurred_at":"%s","tracking_no":"%s","carrier":"carrier-%d",'
    b'"status":"picked_up","facility":"facility-%d","region":"-"}'
)


def _sent(key: bytes, number: int, seconds: int, parcel: int) -> Sent:
    value = _VALUE % (key, number, rendered(seconds), key, parcel % 50, parcel % 5000)
    return Sent(partition_for(key, PARTITIONS), seconds * 1000, key, value)


def shipments(count: int) -> Iterator[Sent]:
    """One scan of each, in order."""
    for parcel in range(count):
        yield _sent(tracking_no(parcel), 0, START + parcel * _WITHIN // count, parcel)


def _one_of_each_partition() -> list[bytes]:
    found: dict[int, bytes] = {}
    number = 0
    while len(found) < PARTITIONS:
        key = b"TRICKLE%d" % number
        found.setdefault(partition_for(key, PARTITIONS), key)
        number += 1
    return list(found.values())


async def trickle(bootstrap: str, topic: str, done: asyncio.Event) -> None:
    """A scan to each partition again and again, all within a time in which nothing falls due."""
    keys = _one_of_each_partition()
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    number = 0
    try:
        while not done.is_set():
            number += 1
            for key in keys:
                sent = _sent(key, number, START + _WITHIN + number % 3600, number)
                await producer.send(
                    topic, sent.value, key=sent.key, partition=sent.partition, timestamp_ms=sent.timestamp
                )
            await asyncio.sleep(_EVERY)
    finally:
        await producer.stop()
