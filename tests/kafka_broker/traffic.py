"""What a test does with a running broker: topics, records in, records out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import for_code
from aiokafka.protocol.admin import DeleteGroupsRequest

#: Seconds for one answer of the broker; a loaded machine needs some, a broken one must not hang the tests.
PATIENCE = 30.0

#: Kafka's code for a group that has members still; the client has no name for it.
_NON_EMPTY_GROUP = 68


class Traffic:
    """Topics and records of the broker at `bootstrap` ("127.0.0.1:PORT"), for tests.

    Every coroutine ends within its patience or raises `TimeoutError`.
    """

    bootstrap: str

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
            NewTopic(name, count, 1, topic_configs=dict((configs or {}).get(name, {})))
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

    async def forget_group(self, group: str) -> None:
        """Deletes a consumer group, which has no members any more, with its offsets."""
        async with self.admin() as admin, asyncio.timeout(PATIENCE):
            node = await admin.find_coordinator(group)
            while (answer := await admin._send_request(DeleteGroupsRequest([group]), node)).results[0][1]:
                if answer.results[0][1] != _NON_EMPTY_GROUP:
                    raise_first(answer.results)
                await asyncio.sleep(0.1)

    async def wipe(self) -> None:
        """Deletes all topics but Kafka's own, and waits until they are gone."""
        async with self.admin() as admin, asyncio.timeout(PATIENCE):
            while names := [name for name in await admin.list_topics() if not name.startswith("__")]:
                await admin.delete_topics(names)
                await asyncio.sleep(0.05)

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
        async with self.admin() as admin:
            offsets = await admin.list_consumer_group_offsets(group)
        return {(tp.topic, tp.partition): meta.offset for tp, meta in offsets.items()}

    @asynccontextmanager
    async def _reader(self, topic: str, isolation: str) -> AsyncIterator[tuple[AIOKafkaConsumer, list[TopicPartition]]]:
        async with self.admin() as admin:
            (described,) = await admin.describe_topics([topic])
            raise_first([(topic, described["error_code"])])
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
