"""Keeps metadata requests from creating topics.

The client's metadata requests allow the broker to create the topics that they name, and with Kafka's default of
`auto.create.topics.enable` it does: with its own number of partitions, and not compacted. Only `parcelwatch topics` and
a first start create topics.
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
    """From now on no client of this process makes a broker create a topic by asking for it."""
    # Consumers and producers build their requests in one module, admin clients in the other.
    aiokafka.client.MetadataRequest = AskingMetadata
    aiokafka.admin.client.MetadataRequest = AskingMetadata
