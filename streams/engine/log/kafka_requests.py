"""Requests of Kafka's protocol that the client lacks.

Each has one version, which every broker since 2.8 supports; `Unanswered` if one does not.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from io import BytesIO
from typing import Any, TypeVar

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import IncompatibleBrokerVersion
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Int64,
    Schema,
    TaggedFields,
)

Numbers = CompactArray(Int32)
Text = CompactString("utf-8")


class Unanswered(Exception):
    """The broker is too old for the request."""


class Uuid:
    """Sixteen bytes as they are."""

    @staticmethod
    def encode(value: bytes) -> bytes:
        return value

    @staticmethod
    def decode(data: BytesIO) -> bytes:
        return data.read(16)

    repr = repr


def _schema(*fields: tuple[str, Any]) -> Schema:
    return Schema(*fields, ("tags", TaggedFields))


def _array(*fields: tuple[str, Any]) -> CompactArray:
    return CompactArray(*fields, ("tags", TaggedFields))


class MetadataResponse12(Response):  # type: ignore[misc]
    API_KEY = 3
    API_VERSION = 12
    SCHEMA = _schema(
        ("throttle_time_ms", Int32),
        ("brokers", _array(("node_id", Int32), ("host", Text), ("port", Int32), ("rack", Text))),
        ("cluster_id", Text),
        ("controller_id", Int32),
        (
            "topics",
            _array(
                ("error_code", Int16),
                ("name", Text),
                ("topic_id", Uuid),
                ("is_internal", Boolean),
                (
                    "partitions",
                    _array(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", Numbers),
                        ("isr", Numbers),
                        ("offline_replicas", Numbers),
                    ),
                ),
                ("authorized_operations", Int32),
            ),
        ),
    )


class MetadataRequest12(RequestStruct):  # type: ignore[misc]
    API_KEY = 3
    API_VERSION = 12
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = MetadataResponse12
    SCHEMA = _schema(
        ("topics", _array(("topic_id", Uuid), ("name", Text))),
        ("allow_auto_topic_creation", Boolean),
        ("include_topic_authorized_operations", Boolean),
    )


class DescribeProducersResponse0(Response):  # type: ignore[misc]
    API_KEY = 61
    API_VERSION = 0
    SCHEMA = _schema(
        ("throttle_time_ms", Int32),
        (
            "topics",
            _array(
                ("name", Text),
                (
                    "partitions",
                    _array(
                        ("partition", Int32),
                        ("error_code", Int16),
                        ("error_message", Text),
                        (
                            "active_producers",
                            _array(
                                ("producer_id", Int64),
                                ("producer_epoch", Int32),
                                ("last_sequence", Int32),
                                ("last_timestamp", Int64),
                                ("coordinator_epoch", Int32),
                                ("current_txn_start_offset", Int64),
                            ),
                        ),
                    ),
                ),
            ),
        ),
    )


class DescribeProducersRequest0(RequestStruct):  # type: ignore[misc]
    API_KEY = 61
    API_VERSION = 0
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = DescribeProducersResponse0
    SCHEMA = _schema(("topics", _array(("name", Text), ("partitions", Numbers))))


class ListTransactionsResponse0(Response):  # type: ignore[misc]
    API_KEY = 66
    API_VERSION = 0
    SCHEMA = _schema(
        ("throttle_time_ms", Int32),
        ("error_code", Int16),
        ("unknown_state_filters", CompactArray(Text)),
        (
            "transactions",
            _array(("transactional_id", Text), ("producer_id", Int64), ("state", Text)),
        ),
    )


class ListTransactionsRequest0(RequestStruct):  # type: ignore[misc]
    API_KEY = 66
    API_VERSION = 0
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = ListTransactionsResponse0
    SCHEMA = _schema(("states", CompactArray(Text)), ("producers", CompactArray(Int64)))


class DescribeTopics(Request[MetadataRequest12]):  # type: ignore[misc]
    """Topics by name, with ids and leaders; creates none."""

    API_KEY = 3

    def __init__(self, topics: Collection[str]) -> None:
        self._topics = topics

    def build(self, request_struct_class: type[MetadataRequest12]) -> MetadataRequest12:
        return request_struct_class([(bytes(16), topic, {}) for topic in self._topics], False, False, {})


class DescribeProducers(Request[DescribeProducersRequest0]):  # type: ignore[misc]
    """The active producers of partitions, from their leader."""

    API_KEY = 61

    def __init__(self, partitions: Mapping[str, Collection[int]]) -> None:
        self._partitions = partitions

    def build(self, request_struct_class: type[DescribeProducersRequest0]) -> DescribeProducersRequest0:
        return request_struct_class([(topic, [*each], {}) for topic, each in self._partitions.items()], {})


class ListTransactions(Request[ListTransactionsRequest0]):  # type: ignore[misc]
    """The producers' transactions that this broker coordinates, as far as this client may describe them."""

    API_KEY = 66

    def __init__(self, producers: Collection[int]) -> None:
        self._producers = producers

    def build(self, request_struct_class: type[ListTransactionsRequest0]) -> ListTransactionsRequest0:
        return request_struct_class([], [*self._producers], {})


_R = TypeVar("_R", bound=RequestStruct)


async def ask(client: AIOKafkaClient, node: int, request: Request[Any]) -> dict[str, Any]:
    """One broker's response. Raises `Unanswered`, and what the client raises."""
    try:
        answer = await client.send(node, request)
    except (IncompatibleBrokerVersion, NotImplementedError):
        raise Unanswered from None
    found: dict[str, Any] = answer.to_object()
    return found
