"""Puts events into the topics: lines `{"topic", "value"}` on standard input, as `parcelwatch adapt` writes them.

    parcelwatch adapt kuaidi100 parcels.json | python produce_events.py localhost:9092

The key of a record decides its partition, and everything about an order or a parcel must come in one. aiokafka
partitions as Java clients do; with librdkafka set `partitioner=murmur2_random`.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from aiokafka import AIOKafkaProducer


def key_of(topic: str, event: dict[str, Any]) -> str:
    """The key that a topic asks for: the parcel, the order, or what a chat is about."""
    if topic == "logistics-scans":
        return str(event["tracking_no"])
    return str(event.get("order_id") or event.get("conversation_id") or event["ticket_id"])


async def main(bootstrap: str) -> None:
    """Sends every line, and returns once the brokers have all of them."""
    async with AIOKafkaProducer(
        bootstrap_servers=bootstrap, enable_idempotence=True, compression_type="gzip"
    ) as producer:
        for line in sys.stdin:
            record = json.loads(line)
            topic, event = record["topic"], record["value"]
            await producer.send(topic, json.dumps(event).encode(), key_of(topic, event).encode())
        await producer.flush()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
