"""Moves the leaders of partitions to other brokers while all are well; the client has no request for it."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

from aiokafka.protocol.admin import AlterPartitionReassignmentsRequest
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Int16, Int32, Schema, String

from tests.kafka_broker.cluster import Cluster

_TEXT = String("utf-8")


class _Elected(Response):
    API_KEY = 43
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "results",
            Array(("topic", _TEXT), ("partitions", Array(("id", Int32), ("error_code", Int16), ("message", _TEXT)))),
        ),
    )


class _Elect(RequestStruct):
    API_KEY = 43
    API_VERSION = 0
    RESPONSE_TYPE = _Elected
    SCHEMA = Schema(("topics", Array(("topic", _TEXT), ("partitions", Array(Int32)))), ("timeout_ms", Int32))


class _Electing(Request[_Elect]):
    API_KEY = 43

    def __init__(self, topics: Sequence[tuple[str, list[int]]]) -> None:
        self._topics = topics

    def build(self, request_struct_class: type[_Elect]) -> Any:
        return request_struct_class(self._topics, 10_000)


async def move(cluster: Cluster, topics: Sequence[str], random: Random) -> int:
    """Puts the replicas of each partition of these topics into another order, and elects the first; how many moved."""
    async with cluster.admin() as admin:
        described = [each for each in await admin.describe_topics([*topics]) if not each["error_code"]]
        wanted = []
        for each in described:
            partitions = [
                (one["partition"], random.sample(sorted(one["replicas"]), len(one["replicas"])), {})
                for one in each["partitions"]
            ]
            wanted.append((each["topic"], partitions, {}))
        node = admin._client.get_random_node()
        await admin._client.send(node, AlterPartitionReassignmentsRequest(10_000, wanted, {}))
        elected = [(topic, [one[0] for one in partitions]) for topic, partitions, _ in wanted]
        answer = await admin._client.send(node, _Electing(elected))
    return sum(not code for _, partitions in answer.results for _, code, _ in partitions)
