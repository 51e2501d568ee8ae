"""No topic is made by asking for it.

The client's requests for metadata allow the broker to make the topics that they name, and it does so where
`auto.create.topics.enable` is as Kafka has it by default: with its own number of partitions, and not compacted. Topics
are made by `parcelwatch topics` and a first start alone.
"""

from __future__ import annotations

import aiokafka.admin.client
import aiokafka.client
from aiokafka.protocol.metadata import MetadataRequest


class AskingMetadata(MetadataRequest):  # type: ignore[misc]
    """A request for metadata that creates nothing."""

    def __init__(self, topics: list[str] | None = None, allow_auto_topic_creation: bool | None = None) -> None:
        del allow_auto_topic_creation
        super().__init__(topics, False)


def never_create_topics() -> None:
    """From now on no client of this process lets a broker make a topic that it asks for."""
    # All requests of consumers and producers are made in the one module, those of admin clients in the other.
    aiokafka.client.MetadataRequest = AskingMetadata
    aiokafka.admin.client.MetadataRequest = AskingMetadata
