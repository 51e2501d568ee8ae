"""The log on Kafka, by aiokafka. Every wait has an end; every error of the client becomes a `LogError`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import TopicAlreadyExistsError, TopicAuthorizationFailedError, for_code
from aiokafka.structs import TopicPartition as KafkaPartition

from streams.engine.errors import LogError
from streams.engine.log.interface import Assignor, Committed, Listener, Rows, Topic, TopicPartition, TopicSpec
from streams.engine.log.journal import Reader
from streams.engine.log.kafka_batches import Batched, BatchFormat
from streams.engine.log.kafka_clients import errors, quietly
from streams.engine.log.kafka_codecs import Codec, codecs
from streams.engine.log.kafka_connections import refusal, unanswered
from streams.engine.log.kafka_ending import ended
from streams.engine.log.kafka_group import KafkaMember
from streams.engine.log.kafka_groups import offsets_of
from streams.engine.log.kafka_plain import KafkaPlainWriter, Torn
from streams.engine.log.kafka_refusal import unless_refused
from streams.engine.log.kafka_rights import lacking, user_of
from streams.engine.log.kafka_rows import read_rows
from streams.engine.log.kafka_spans import KafkaSpans
from streams.engine.log.kafka_tail import KafkaTail
from streams.engine.log.kafka_topics import KafkaTopics, OpenTransaction
from streams.engine.log.kafka_writer import KafkaWriter
from streams.engine.rights import Operation, Right

#: Seconds for the offsets client to close.
_STOP = 2.0

#: Seconds for offset requests: the client retries forever if a topic has been deleted.
_OFFSETS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaSettings:
    """How to reach the brokers. Times are seconds; `client` is passed to every client unchanged (security).

    `client_id`: the name by which brokers know all clients. Without `transactions` commits are at least once, and
    outputs may be duplicated. `compression`: the codec of all records; None leaves it to
    `streams.engine.log.kafka_codecs`. `heard` is called with the brokers' own time of each write, in microseconds, for
    topics with log append time. `batches` reads and packs records where it can; without, the client does.
    """

    bootstrap: str
    session_timeout: float = 8.0
    transaction_timeout: float = 10.0
    request_timeout: float = 30.0
    instance_id: str | None = None
    client_id: str | None = None
    replication: int = -1
    transactions: bool = True
    compression: Codec | None = None
    heard: Callable[[int], None] = lambda _: None
    batches: BatchFormat | None = None
    client: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def read_batches(self) -> Callable[[], Batched] | None:
        """What reads records in their batches, if anything does."""
        return self.batches.read if self.batches is not None else None

    def common(self) -> dict[str, Any]:
        """The options of every client."""
        return {
            **({} if self.client_id is None else {"client_id": self.client_id}),
            "bootstrap_servers": self.bootstrap,
            "request_timeout_ms": int(self.request_timeout * 1000),
            **self.client,
        }

    def reading(self) -> dict[str, Any]:
        """The options of every consumer."""
        return {
            **self.common(),
            "isolation_level": "read_committed",
            # The engine decides what to do if an offset is gone.
            "auto_offset_reset": "none",
            "enable_auto_commit": False,
        }


class KafkaLog:
    """A log on Kafka. One per worker."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self.user = user_of(settings.client)
        self._admin: AIOKafkaAdminClient | None = None
        #: Returns true end offsets, past open transactions.
        self._probe: AIOKafkaConsumer | None = None
        self._topics = KafkaTopics(lambda: self._started_probe()._client)
        self._member: KafkaMember | None = None
        self._torn: Torn = {}

    async def start(self) -> None:
        """May be retried after `stop`. Raises `RefusedError` if brokers answer and refuse this client."""
        self._admin = AIOKafkaAdminClient(**self._settings.common())
        self._probe = AIOKafkaConsumer(**{**self._settings.reading(), "isolation_level": "read_uncommitted"})
        connecting = self._connect(self._admin, self._probe)
        await unless_refused(connecting, self._settings.bootstrap, self._settings.client)

    async def _connect(self, admin: AIOKafkaAdminClient, probe: AIOKafkaConsumer) -> None:
        with errors(f"connecting to {self._settings.bootstrap}"):
            async with asyncio.timeout(self._settings.request_timeout):
                await admin.start()
                await probe.start()

    async def stop(self) -> None:
        probe, self._probe = self._probe, None
        if probe is not None:
            await ended(probe, _STOP)
        admin, self._admin = self._admin, None
        if admin is not None:
            await quietly(admin.close())

    async def ping(self) -> None:
        client = self._started_probe()._client
        with errors("asking for brokers"):
            async with asyncio.timeout(self._settings.request_timeout):
                if not await client.force_metadata_update():
                    raise LogError(f"asking for brokers: {unanswered()}")

    def refused(self) -> str | None:
        return refusal()

    # -- topics

    async def partitions(self, topics: Collection[str]) -> dict[str, int]:
        return {topic: each.partitions for topic, each in (await self.describe(topics)).items()}

    async def describe(self, topics: Collection[str]) -> dict[str, Topic]:
        with errors("describing topics"):
            async with asyncio.timeout(self._settings.request_timeout):
                found = await self._topics.describe(topics)
        if found is not None:
            return found
        described = await self._ask("describing topics", lambda admin: admin.describe_topics(list(topics)))
        refused = [each["topic"] for each in described if each["error_code"] == TopicAuthorizationFailedError.errno]
        if refused:
            with errors("describing topics"):
                raise TopicAuthorizationFailedError(refused)
        return {each["topic"]: Topic(b"", len(each["partitions"])) for each in described if not each["error_code"]}

    async def ids(self, sources: Collection[TopicPartition]) -> dict[str, bytes]:
        with errors("asking for the ids of topics"):
            async with asyncio.timeout(self._settings.request_timeout):
                return await self._topics.ids(sources)

    async def settings(self, topics: Collection[str]) -> dict[str, Mapping[str, str]]:
        asked = [ConfigResource(ConfigResourceType.TOPIC, topic, None) for topic in topics]
        what = "asking for settings of topics"
        answers = await self._ask(what, lambda admin: admin.describe_configs(asked), "DescribeConfigs")
        found: dict[str, Mapping[str, str]] = {}
        for code, _, _, topic, entries in (each for answer in answers for each in answer.resources):
            if code:
                with errors(what, "DescribeConfigs"):
                    raise for_code(code)(topic)
            found[topic] = {entry[0]: entry[1] for entry in entries}
        return found

    async def create(self, specs: Sequence[TopicSpec]) -> None:
        if not specs:
            return
        wanted = [
            NewTopic(
                spec.topic,
                spec.partitions,
                self._settings.replication,
                # The client takes a replication of -1 (the broker's) only with assignments, even none.
                replica_assignments={} if self._settings.replication == -1 else None,
                topic_configs=dict(spec.config),
            )
            for spec in specs
        ]
        answer = await self._ask("making topics", lambda admin: admin.create_topics(wanted))
        for topic, code, *_ in answer.topic_errors:
            if code and for_code(code) is not TopicAlreadyExistsError:
                with errors("making topics", "Create"):
                    if for_code(code) is TopicAuthorizationFailedError:
                        raise TopicAuthorizationFailedError(topic)
                raise LogError(f"making topic {topic}: {for_code(code).__name__}")
        with errors("waiting for new topics"):
            async with asyncio.timeout(self._settings.request_timeout):
                names = [spec.topic for spec in specs]
                while not await self._led(names):  # noqa: ASYNC110
                    await asyncio.sleep(0.05)

    async def _led(self, topics: list[str]) -> bool:
        """Whether all of them are usable: a new topic exists before its partitions have leaders."""
        described = await self._ask("describing topics", lambda admin: admin.describe_topics(topics))
        return all(
            not each["error_code"] and all(one["leader"] >= 0 for one in each["partitions"]) for each in described
        )

    # -- offsets

    async def begin_offsets(self, sources: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        with errors("asking for first offsets"):
            async with asyncio.timeout(min(self._settings.request_timeout, _OFFSETS)):
                found = await self._started_probe().beginning_offsets(_kafka(sources))
        return {TopicPartition(*each): offset for each, offset in found.items()}

    async def end_offsets(self, sources: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        with errors("asking for end offsets"):
            async with asyncio.timeout(min(self._settings.request_timeout, _OFFSETS)):
                found = await self._started_probe().end_offsets(_kafka(sources))
        return {TopicPartition(*each): offset for each, offset in found.items()}

    async def stable_offsets(self, sources: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        with errors("asking for stable offsets"):
            async with asyncio.timeout(min(self._settings.request_timeout, _OFFSETS)):
                return await self._topics.stable(sources)

    async def holding(self, spans: Mapping[TopicPartition, tuple[int, int]]) -> set[TopicPartition]:
        reader = KafkaSpans(self._settings, spans)
        found: set[TopicPartition] = set()
        try:
            await reader.open()
            while batches := await reader.read([source for source in spans if source not in found]):
                found.update(each.source for each in batches if each.records)
        finally:
            await reader.close()
        return found

    async def holders(self, source: TopicPartition) -> Sequence[str]:
        return [str(each) for each in await self.open_transactions(source)]

    async def open_transactions(self, source: TopicPartition) -> list[OpenTransaction]:
        """Who has transactions open in a partition."""
        with errors("asking for open transactions"):
            async with asyncio.timeout(self._settings.request_timeout):
                return await self._topics.holders(source)

    async def committed(self, group: str, sources: Collection[TopicPartition]) -> dict[TopicPartition, Committed]:
        found: dict[TopicPartition, Committed] = await self._ask(
            "asking for committed offsets", lambda admin: offsets_of(admin, group, sources)
        )
        return found

    async def trim(self, before: Mapping[TopicPartition, int]) -> None:
        wanted = {KafkaPartition(*source): RecordsToDelete(offset) for source, offset in before.items()}
        await self._ask("deleting records", lambda admin: admin.delete_records(wanted), "Delete")

    # -- rights

    async def lacking(self, rights: Collection[Right]) -> list[Right]:
        found: list[Right] = await self._ask("asking for rights", lambda admin: lacking(admin._client, rights))
        return found

    # -- records

    async def identity(self) -> str:
        described = await self._ask("describing the cluster", lambda admin: admin.describe_cluster())
        return str(described["cluster_id"])

    async def rows(self, source: TopicPartition, begin: int, end: int) -> AsyncGenerator[Rows, None]:
        if self._settings.transactions:
            async for batch in self._written(source, begin, end):
                yield batch
            return
        reader = Reader()
        async for batch in self._written(source, begin, end):
            reader.take(batch.rows)
        self._torn[source] = reader.end()
        yield Rows(list(reader.rows.items()), end)

    def _written(self, source: TopicPartition, begin: int, end: int) -> AsyncGenerator[Rows, None]:
        settings = self._settings
        return read_rows(settings.reading(), source, begin, end, settings.request_timeout, settings.read_batches)

    async def tail(self) -> KafkaTail:
        tail = KafkaTail(self._settings.reading(), self._settings.read_batches)
        with errors("opening a reader of changelogs"):
            try:
                async with asyncio.timeout(self._settings.request_timeout):
                    await tail.open()
            except BaseException:
                await tail.close()
                raise
        return tail

    async def writer(self, transactional_id: str, group: str) -> KafkaWriter | KafkaPlainWriter:
        settings = self._settings
        client, seconds = settings.common(), settings.transaction_timeout
        pack = settings.batches.pack if settings.batches is not None else None
        writer: KafkaWriter | KafkaPlainWriter
        if settings.transactions:
            writer = KafkaWriter(
                transactional_id, group, client, seconds, codecs(settings.compression), settings.heard, pack
            )
        else:
            writer = KafkaPlainWriter(
                transactional_id,
                client,
                seconds,
                codecs(settings.compression),
                settings.heard,
                self._torn,
                self._commit_offsets,
                self._permitted,
                pack,
            )
        with errors(f"opening {transactional_id}", writer=transactional_id):
            try:
                async with asyncio.timeout(settings.request_timeout):
                    await writer.open()
            except BaseException:
                await writer.close()
                raise
        return writer

    async def join(
        self, group: str, topics: Collection[str], listener: Listener, assignor: Assignor | None = None
    ) -> KafkaMember:
        settings = self._settings
        member = KafkaMember(
            group,
            topics,
            listener,
            settings.reading(),
            settings.session_timeout,
            settings.instance_id,
            assignor,
            settings.read_batches,
        )
        with errors(f"joining {group}"):
            try:
                async with asyncio.timeout(settings.request_timeout):
                    await member.open()
            except BaseException:
                await member.close()
                raise
        self._member = member
        return member

    async def _commit_offsets(self, offsets: Mapping[TopicPartition, Committed]) -> None:
        if self._member is not None:
            await self._member.commit(offsets)

    def _permitted(self) -> None:
        if self._member is not None:
            self._member.stand_in_group()

    # -- clients

    async def _ask(self, what: str, question: Any, operation: Operation = "Describe") -> Any:
        if self._admin is None:
            raise LogError("the log has not been started")
        with errors(what, operation):
            async with asyncio.timeout(self._settings.request_timeout):
                return await question(self._admin)

    def _started_probe(self) -> AIOKafkaConsumer:
        if self._probe is None:
            raise LogError("the log has not been started")
        return self._probe


def _kafka(sources: Collection[TopicPartition]) -> list[KafkaPartition]:
    return [KafkaPartition(*source) for source in sources]
