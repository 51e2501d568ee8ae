"""How many partitions a topic has, and requests for metadata that create no topics.

The client's metadata requests allow the broker to create the topics that they name, and with Kafka's default of
`auto.create.topics.enable` it does: with its own number of partitions, and not compacted. Only `parcelwatch topics` and
a first start create topics.
"""

from __future__ import annotations

import asyncio
import time

import aiokafka.admin.client
import aiokafka.client
from aiokafka.errors import TopicAuthorizationFailedError
from aiokafka.protocol.metadata import MetadataRequest

#: Seconds and answers for which brokers may not know a topic: a new one is not known everywhere at once, and where this
#: process or they have too much to do, a single answer takes seconds.
_UNKNOWN, _ANSWERS = 3.0, 10


class AskingMetadata(MetadataRequest):  # type: ignore[misc]
    """A request for metadata that creates nothing."""

    def __init__(self, topics: list[str] | None = None, allow_auto_topic_creation: bool | None = None) -> None:
        del allow_auto_topic_creation
        super().__init__(topics, False)


def never_create_topics() -> None:
    """From now on no client of this process makes a broker create a topic by asking for it."""
    # Consumers and producers build their requests in one module, admin clients in the other.
    aiokafka.client.MetadataRequest = AskingMetadata
    aiokafka.admin.client.MetadataRequest = AskingMetadata


async def partitions_of(client: aiokafka.client.AIOKafkaClient, topic: str) -> int | None:
    """The topic's number of partitions; None if the brokers know no such topic. Raises the client's errors."""
    if (known := client.cluster.partitions_for_topic(topic)) is None:
        client.add_topic(topic)
        began, answers = time.monotonic(), 0
        while (known := client.cluster.partitions_for_topic(topic)) is None:
            answers += await client.force_metadata_update()
            if topic in client.cluster.unauthorized_topics:
                raise TopicAuthorizationFailedError(topic)
            if answers >= _ANSWERS and time.monotonic() - began > _UNKNOWN:
                return None
            await asyncio.sleep(0.1)
    return len(known)
