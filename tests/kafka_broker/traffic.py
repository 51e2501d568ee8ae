"""What a test does with a running broker: topics, records in, records out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    GroupCoordinatorNotAvailableError,
    GroupLoadInProgressError,
    NotCoordinatorForGroupError,
    PolicyViolationError,
    UnknownMemberIdError,
    for_code,
)
from aiokafka.protocol.admin import DeleteGroupsRequest
from aiokafka.protocol.commit import OffsetFetchRequest
from aiokafka.protocol.group import LeaveGroupRequest

from streams.engine.log.kafka_requests import ListTransactions, ask
from tests.patience import PATIENCE

#: Kafka's codes for a group that has members still, and for one that is not there; the client has no names for them.
_NON_EMPTY_GROUP, _NO_SUCH_GROUP = 68, 69

#: A broker that has just been started does not know its groups yet.
_LOADING = (GroupCoordinatorNotAvailableError, GroupLoadInProgressError, NotCoordinatorForGroupError)

#: States of a transaction whose producer has its answer, while its markers are not in all partitions yet.
_DECIDED = {"PrepareCommit", "PrepareAbort", "PrepareEpochFence"}


class Traffic:
    """Topics and records of the broker at `bootstrap` ("127.0.0.1:PORT"), for tests.

    A broker answers many a change before it goes by it. Every coroutine returns when the change shows, ends within
    `PATIENCE` or raises `TimeoutError`.
    """

    bootstrap: str
    #: How often each topic is kept.
    replication = 1

    @asynccontextmanager
    async def admin(self) -> AsyncIterator[AIOKafkaAdminClient]:
        """A started admin client, closed at the end."""
        client = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        try:
            await client.start()
            yield client
        finally:
            await client.close()

    async def topics(self) -> set[str]:
        """The names of all topics but Kafka's own."""
        async with self.admin() as admin:
            return {name for name in await admin.list_topics() if not name.startswith("__")}

    async def create_topics(
        self, partitions: Mapping[str, int], configs: Mapping[str, Mapping[str, str]] | None = None
    ) -> None:
        """Creates each topic with its number of partitions; `configs` by topic. Raises the broker's error."""
        wanted = [
            NewTopic(name, count, self.replication, topic_configs=dict((configs or {}).get(name, {})))
            for name, count in partitions.items()
        ]
        async with self.admin() as admin:
            answer = await admin.create_topics(wanted)
            raise_first(answer.topic_errors)
            await self._until_led(admin, partitions)

    async def delete_topics(self, names: Collection[str]) -> None:
        """Deletes topics and waits until the broker knows nothing of them."""
        async with self.admin() as admin, asyncio.timeout(PATIENCE):
            await admin.delete_topics([*names])
            while not {*names}.isdisjoint(await admin.list_topics()):  # noqa: ASYNC110
                await asyncio.sleep(0.02)

    async def alter_topics(self, settings: Mapping[str, Mapping[str, str]]) -> None:
        """Gives topics settings instead of those that they have. Raises the broker's error."""
        wanted = {name: ConfigResource(ConfigResourceType.TOPIC, name, dict(each)) for name, each in settings.items()}
        async with self.admin() as admin, asyncio.timeout(PATIENCE):
            for answer in await admin.alter_configs([*wanted.values()]):
                raise_first((topic, code) for code, _, _, topic in answer.resources)
            for name, each in settings.items():
                while not each.items() <= (await self._settings(admin, name)).items():  # noqa: ASYNC110
                    await asyncio.sleep(0.02)

    async def grow(self, partitions: Mapping[str, int]) -> None:
        """Gives topics more partitions. Raises the broker's error."""
        async with self.admin() as admin:
            answer = await admin.create_partitions({name: NewPartitions(count) for name, count in partitions.items()})
            raise_first(answer.topic_errors)
            await self._until_led(admin, partitions)

    async def delete_records(self, topic: str, before: int, partition: int = 0) -> None:
        """Deletes the records before that offset; -1: all."""
        asked = {TopicPartition(topic, partition): RecordsToDelete(before)}
        async with self.admin() as admin, asyncio.timeout(PATIENCE):
            while True:
                try:
                    await admin.delete_records(asked)
                    return
                except PolicyViolationError:  # a policy that allows it is told before the partition goes by it
                    await asyncio.sleep(0.02)

    async def forget_group(self, group: str) -> None:
        """Deletes a consumer group with its offsets, once its members have left or are dead."""
        async with self.admin() as admin, asyncio.timeout(PATIENCE):
            while True:
                with suppress(*_LOADING):
                    if await self._forgotten(admin, group):
                        return
                await asyncio.sleep(0.1)

    async def expel(self, group: str, instance: str = "") -> None:
        """Takes members out of a group, as if their sessions had run out; `instance`: only the one of this name."""
        async with self.admin() as admin, asyncio.timeout(PATIENCE):
            await self._expel(admin, group, instance)

    async def wipe(self) -> None:
        """Deletes all topics but Kafka's own, and all groups, whoever is a member; waits until they are gone."""
        async with self.admin() as admin, asyncio.timeout(PATIENCE):
            while names := [name for name in await admin.list_topics() if not name.startswith("__")]:
                await admin.delete_topics(names)
                await asyncio.sleep(0.02)
            await self._until_groups_are_known(admin)
            while True:
                try:
                    if not (groups := {group for group, _ in await admin.list_consumer_groups()}):
                        return
                    for group in groups:
                        if not await self._forgotten(admin, group):
                            await self._expel(admin, group)
                except _LOADING:
                    await asyncio.sleep(0.1)

    @asynccontextmanager
    async def transaction(self, transactional_id: str) -> AsyncIterator[AIOKafkaProducer]:
        """A producer in a transaction, which stays open for longer than a test lasts, or until the test ends it."""
        longest = round(PATIENCE * 2_000)
        async with AIOKafkaProducer(
            bootstrap_servers=self.bootstrap, transactional_id=transactional_id, transaction_timeout_ms=longest
        ) as producer:
            await producer.begin_transaction()
            yield producer

    async def produce(
        self,
        topic: str,
        records: Iterable[tuple[bytes | None, bytes | None]],
        *,
        partition: int | None = None,
        timestamp_ms: int | None = None,
        headers: Sequence[tuple[str, bytes]] = (),
    ) -> None:
        """Writes (key, value) records in order, each to the partition of its key unless one is given."""
        producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap, enable_idempotence=True, linger_ms=5)
        await producer.start()
        try:
            async with asyncio.timeout(PATIENCE):
                sent = [
                    await producer.send(
                        topic,
                        value,
                        key=key,
                        partition=partition,
                        timestamp_ms=timestamp_ms,
                        headers=list(headers),
                    )
                    for key, value in records
                ]
                await asyncio.gather(*sent)
        finally:
            await producer.stop()

    async def end_offsets(self, topic: str) -> dict[int, int]:
        """Per partition the offset of the next record to be written, open transactions included."""
        async with self._reader(topic, "read_uncommitted") as (consumer, partitions):
            return {tp.partition: end for tp, end in (await consumer.end_offsets(partitions)).items()}

    async def read_committed(self, topic: str) -> list[ConsumerRecord]:
        """What a `read_committed` consumer sees of the topic now, by partition, then offset.

        Records of aborted transactions are left out, and what lies behind an open one is not visible yet.
        """
        async with self._reader(topic, "read_committed") as (consumer, partitions):
            ends = await consumer.end_offsets(partitions)
            found: list[ConsumerRecord] = []
            async with asyncio.timeout(PATIENCE):
                while not await self._reached(consumer, ends):
                    for records in (await consumer.getmany(timeout_ms=100)).values():
                        found.extend(records)
        return sorted(found, key=lambda record: (record.partition, record.offset))

    async def committed(self, group: str) -> dict[tuple[str, int], int]:
        """The group's committed offsets by (topic, partition)."""
        async with self.admin() as admin, asyncio.timeout(PATIENCE):
            await self._until_marked(admin)
            while True:
                try:
                    # Not by the client's own question, to which an error about the group is one without offsets.
                    node = await admin.find_coordinator(group)
                    answer = await admin._send_request(OffsetFetchRequest(group, None), node)
                    raise_first([(group, answer.error_code)])
                    return {(topic, one[0]): one[1] for topic, partitions in answer.topics for one in partitions}
                except _LOADING:
                    await asyncio.sleep(0.1)

    @asynccontextmanager
    async def _reader(self, topic: str, isolation: str) -> AsyncIterator[tuple[AIOKafkaConsumer, list[TopicPartition]]]:
        async with self.admin() as admin:
            (described,) = await admin.describe_topics([topic])
            raise_first([(topic, described["error_code"])])
            await self._until_marked(admin)
        partitions = sorted(TopicPartition(topic, each["partition"]) for each in described["partitions"])
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.bootstrap,
            isolation_level=isolation,
            auto_offset_reset="earliest",
            enable_auto_commit=False,
        )
        await consumer.start()
        try:
            consumer.assign(partitions)
            await consumer.seek_to_beginning(*partitions)
            yield consumer, partitions
        finally:
            await consumer.stop()

    @staticmethod
    async def _settings(admin: AIOKafkaAdminClient, topic: str) -> dict[str, str]:
        (answer,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
        return {name: value for *_, entries in answer.resources for name, value, *_ in entries}

    @staticmethod
    async def _forgotten(admin: AIOKafkaAdminClient, group: str) -> bool:
        """Deletes the group, unless it has members."""
        node = await admin.find_coordinator(group)
        answer = await admin._send_request(DeleteGroupsRequest([group]), node)
        ((_, code),) = answer.results
        if code not in (_NON_EMPTY_GROUP, _NO_SUCH_GROUP):
            raise_first(answer.results)
        return code != _NON_EMPTY_GROUP

    async def _until_groups_are_known(self, admin: AIOKafkaAdminClient) -> None:
        """Of a broker that has just been started, until all groups of before are listed.

        A list lacks, without a word, those in partitions of Kafka's own topic that are not loaded yet. Which one a
        group is in follows from the hash of its name: that of one character is its number.
        """
        for character in map(chr, range(ord("!"), ord("!") + await self._partitions_of_groups(admin))):
            while True:
                try:
                    await self._forgotten(admin, character)
                    break
                except _LOADING:
                    await asyncio.sleep(0.02)

    @staticmethod
    async def _partitions_of_groups(admin: AIOKafkaAdminClient) -> int:
        (described,) = await admin.describe_topics(["__consumer_offsets"])
        return len(described["partitions"])

    @staticmethod
    async def _expel(admin: AIOKafkaAdminClient, group: str, instance: str = "") -> None:
        node = await admin.find_coordinator(group)
        (answer,) = await admin.describe_consumer_groups([group])
        for member, *_ in answer.groups[0][5]:
            if member.startswith(instance and f"{instance}-"):
                left = await admin._send_request(LeaveGroupRequest(group, member), node)
                if left.error_code != UnknownMemberIdError.errno:  # it has left by itself
                    raise_first([(group, left.error_code)])

    @staticmethod
    async def _until_marked(admin: AIOKafkaAdminClient) -> None:
        """A commit is answered before it shows: waits until each that has been answered by now does."""
        left: set[int] | None = None
        async with asyncio.timeout(PATIENCE):
            while left is None or left:
                nodes = [broker.nodeId for broker in admin._client.cluster.brokers()]
                answers = [await ask(admin._client, node, ListTransactions([])) for node in nodes]
                if not any(answer["error_code"] for answer in answers):  # of a broker that has just been started
                    listed = [each for answer in answers for each in answer["transactions"]]
                    now = {each["producer_id"] for each in listed if each["state"] in _DECIDED}
                    left = now if left is None else left & now
                if left is None or left:
                    await asyncio.sleep(0.01)

    @staticmethod
    async def _reached(consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]) -> bool:
        return all([await consumer.position(tp) >= end for tp, end in ends.items()])

    @staticmethod
    async def _until_led(admin: AIOKafkaAdminClient, partitions: Mapping[str, int]) -> None:
        """A new topic is there before its leaders are: waits for those too."""
        async with asyncio.timeout(PATIENCE):
            while True:
                described = await admin.describe_topics(list(partitions))
                led = {each["topic"]: sum(one["leader"] >= 0 for one in each["partitions"]) for each in described}
                if led == dict(partitions):
                    return
                await asyncio.sleep(0.05)


def raise_first(errors: Iterable[Sequence[Any]]) -> None:
    """Raises the first error among rows of (topic, code, message...) as the client's exception."""
    for topic, code, *rest in errors:
        if code:
            raise for_code(code)(f"topic {topic}: {rest}")
