"""Topic metadata, with the ids that tell a topic from one that was created again under its name."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import UnknownTopicOrPartitionError, for_code
from aiokafka.protocol.offset import OffsetRequest

from streams.engine.errors import LogError
from streams.engine.log.interface import Topic, TopicPartition
from streams.engine.log.kafka_requests import DescribeProducers, DescribeTopics, ListTransactions, Unanswered, ask

#: Kafka's codes for the end of a partition, and for isolation level read_committed.
_LATEST, _READ_COMMITTED = -1, 1


class OpenTransaction(NamedTuple):
    """A transaction that is open in a partition, and when its producer last wrote there (milliseconds).

    `transactional_id` is empty if the brokers do not tell.
    """

    producer: int
    transactional_id: str
    last_write: int

    def __str__(self) -> str:
        return f"producer {self.producer}" + (
            f" (transactional id {self.transactional_id})" * bool(self.transactional_id)
        )


class KafkaTopics:
    """Requests through a started client. Raises `LogError`, and what the client raises."""

    def __init__(self, client: Callable[[], AIOKafkaClient]) -> None:
        self._client = client
        self._leaders: dict[TopicPartition, int] = {}

    async def describe(self, topics: Collection[str]) -> dict[str, Topic] | None:
        """Those that exist; None if the brokers are too old to tell."""
        try:
            found = await self._asked(self._any(), topics)
        except Unanswered:
            return None
        return {topic: Topic(each["topic_id"], len(each["partitions"])) for topic, each in found.items()}

    async def ids(self, sources: Collection[TopicPartition]) -> dict[str, bytes]:
        """The ids by topic, as the leaders of these partitions know them now; b"?" if the leaders disagree.

        Anything fetched from a partition before came from the topic of that id, or from an earlier one.
        """
        by_node: dict[int, set[str]] = {}
        for source in sources:
            by_node.setdefault(self._leaders.get(source, -1), set()).add(source.topic)
        if -1 in by_node:
            by_node.setdefault(self._any(), set()).update(by_node.pop(-1))
        found: dict[str, bytes] = {}
        asked: set[tuple[int, str]] = set()
        while by_node:
            try:
                answers = await asyncio.gather(*(self._asked(node, topics) for node, topics in by_node.items()))
            except Unanswered:
                return dict.fromkeys((source.topic for source in sources), b"")
            except BaseException:
                self._leaders.clear()
                raise
            asked |= {(node, topic) for node, topics in by_node.items() for topic in topics}
            for answer in answers:
                for topic, each in answer.items():
                    found[topic] = each["topic_id"] if found.get(topic, each["topic_id"]) == each["topic_id"] else b"?"
                    for one in each["partitions"]:
                        self._leaders[TopicPartition(topic, one["partition"])] = one["leader"]
            by_node = {}
            for source in sources:
                node = self._leaders.get(source, -1)
                if node >= 0 and (node, source.topic) not in asked:
                    by_node.setdefault(node, set()).add(source.topic)
        return found

    async def stable(self, sources: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """The last stable offset of each."""
        by_node: dict[int, dict[str, list[tuple[int, int]]]] = {}
        for source, leader in (await self._led(sources)).items():
            by_node.setdefault(leader, {}).setdefault(source.topic, []).append((source.partition, _LATEST))
        found = {}
        for node, partitions in by_node.items():
            answer = await self._client().send(node, OffsetRequest(-1, _READ_COMMITTED, [*partitions.items()]))
            for topic, told in answer.topics:
                for partition, code, _, offset in told:
                    if code:
                        raise for_code(code)(f"{topic}-{partition}")
                    found[TopicPartition(topic, partition)] = offset
        return found

    async def holders(self, source: TopicPartition) -> list[OpenTransaction]:
        """Who has a transaction open in a partition; nobody if the brokers are too old to tell."""
        leader = (await self._led([source]))[source]
        try:
            answer = await ask(self._client(), leader, DescribeProducers({source.topic: [source.partition]}))
        except Unanswered:
            return []
        (told,) = answer["topics"][0]["partitions"]
        if told["error_code"]:
            raise for_code(told["error_code"])(source.topic)
        open_ = {
            each["producer_id"]: each["last_timestamp"]
            for each in told["active_producers"]
            if each["current_txn_start_offset"] >= 0
        }
        names = await self._transactional_ids(open_)
        return [OpenTransaction(each, names.get(each, ""), last) for each, last in open_.items()]

    async def _transactional_ids(self, producers: Collection[int]) -> dict[int, str]:
        client = self._client()
        nodes = [broker.nodeId for broker in client.cluster.brokers()]
        try:
            answers = await asyncio.gather(*(ask(client, node, ListTransactions(producers)) for node in nodes))
        except Unanswered:
            return {}
        return {each["producer_id"]: each["transactional_id"] for answer in answers for each in answer["transactions"]}

    async def _led(self, sources: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """The leader of each partition. Raises `LogError` if one does not exist or has no leader."""
        described = await self._asked(self._any(), {source.topic for source in sources})
        leaders = {
            TopicPartition(topic, one["partition"]): one["leader"]
            for topic, each in described.items()
            for one in each["partitions"]
        }
        for source in sources:
            if leaders.get(source, -1) < 0:
                raise LogError(f"{source.topic}-{source.partition} has no leader")
        return {source: leaders[source] for source in sources}

    async def _asked(self, node: int, topics: Collection[str]) -> Mapping[str, Any]:
        answer = await ask(self._client(), node, DescribeTopics(sorted(topics)))
        found = {}
        for each in answer["topics"]:
            kind = for_code(each["error_code"])
            if not each["error_code"]:
                found[each["name"]] = each
            elif kind is not UnknownTopicOrPartitionError:
                raise kind(each["name"])
        return found

    def _any(self) -> int:
        node: int | None = self._client().get_random_node()
        if node is None:
            raise LogError("no broker is known")
        return node
