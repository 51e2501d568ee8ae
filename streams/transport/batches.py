"""The Faust transport `parcelwatch://`: one Faust message per batch fetched from a partition.

Faust's agents read the topics as ever, but each value is a `Batch` of hundreds of records. Where the
batches come from is the application's `source`: the member of a consumer group that an engine's worker
holds. Nothing is acknowledged or committed through Faust: offsets are part of the engine's transactions.
"""

# ruff: noqa: ARG002, ASYNC109 - the signatures are Faust's
from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, cast

import faust
from faust.app import BootStrategy as FaustBootStrategy
from faust.transport.base import Transport as FaustTransport
from faust.transport.conductor import Conductor as FaustConductor
from faust.transport.consumer import Consumer as FaustConsumer
from faust.transport.producer import Producer as FaustProducer
from faust.types import TP, ConsumerMessage
from mode import Service

from streams.engine.log.interface import Fetched, TopicPartition


@dataclass(frozen=True, slots=True, repr=False)
class Batch:
    """The records of one fetch of one partition."""

    fetched: Fetched

    def __repr__(self) -> str:
        """Without the records: Faust may write it into a log."""
        source = self.fetched.source
        return f"<Batch {source.topic}-{source.partition} up to {self.fetched.next}>"


class BatchSource(Protocol):
    """Where the batches of a worker come from."""

    async def subscribe(
        self, topics: Sequence[str], assigned: Callable[[frozenset[TopicPartition]], Awaitable[None]]
    ) -> None:
        """Joins the group. `assigned` is awaited with each assignment before anything of it is fetched."""

    async def next(self) -> Sequence[Batch]:
        """Batches, at most one per partition; empty if nothing arrives for a moment."""


class Consumer(FaustConsumer):  # type: ignore[misc]
    """Faust's consumer over a `BatchSource`."""

    #: Set by `subscribe`.
    _source: BatchSource | None = None

    async def subscribe(self, topics: Iterable[str]) -> None:
        source = cast(BatchSource, self.app.source)
        await source.subscribe(sorted(topics), self._assigned)
        self._source = source
        self._subscribed.set()

    def on_init(self) -> None:
        self._subscribed = asyncio.Event()

    async def _assigned(self, partitions: frozenset[TopicPartition]) -> None:
        assigned = {TP(*each) for each in partitions}
        self._set_active_tps(assigned)
        await self.app.topics.on_partitions_assigned(assigned)

    @Service.task  # type: ignore[untyped-decorator]
    async def _pump(self) -> None:
        await self.wait_first(self._subscribed.wait())
        while not self.should_stop and self._source is not None:
            for batch in await self._source.next():
                await self.callback(message(batch, self.app.consumer_generation_id))

    @Service.task  # type: ignore[untyped-decorator]
    async def _commit_handler(self) -> None:
        """Commits nothing: the engine does."""

    @Service.task  # type: ignore[untyped-decorator]
    async def _commit_livelock_detector(self) -> None:
        """Nothing is acknowledged, so nothing can be found stuck by it."""

    async def commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:
        return False

    def ack(self, message: ConsumerMessage) -> bool:
        message.acked = True
        return False

    async def on_stop(self) -> None:
        """Whoever owns the source leaves the group."""

    async def perform_seek(self) -> None:
        """Positions are the engine's."""

    async def seek_to_committed(self) -> Mapping[TP, int]:
        return {}

    async def seek_wait(self, partitions: Mapping[TP, int]) -> None:
        """Positions are the engine's."""

    async def _seek(self, partition: TP, offset: int) -> None:
        """Positions are the engine's."""

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        return False

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> dict[TP, list[Any]]:
        return {}

    def _to_message(self, tp: TP, record: Any) -> ConsumerMessage:
        return message(record, self.app.consumer_generation_id)

    def _new_topicpartition(self, topic: str, partition: int) -> TP:
        return TP(topic, partition)

    async def position(self, tp: TP) -> int | None:
        return None

    async def seek_to_beginning(self, *partitions: TP) -> None:
        """Positions are the engine's."""

    def assignment(self) -> set[TP]:
        return set(self._active_partitions)

    def highwater(self, tp: TP) -> int:
        return 0

    def topic_partitions(self, topic: str) -> int | None:
        return None

    def key_partition(self, topic: str, key: bytes | None, partition: int | None = None) -> int | None:
        return partition

    async def create_topic(self, topic: str, partitions: int, replication: int, **options: Any) -> None:
        """Topics are made before the worker starts."""

    async def earliest_offsets(self, *partitions: TP) -> Mapping[TP, int]:
        return {}

    async def highwaters(self, *partitions: TP) -> Mapping[TP, int]:
        return {}


def message(batch: Batch, generation: int) -> ConsumerMessage:
    """The Faust message that carries a batch as its value; streams skip one of another generation than theirs."""
    fetched = batch.fetched
    source = TP(*fetched.source)
    return ConsumerMessage(
        source.topic,
        source.partition,
        offset=fetched.next - 1,
        timestamp=0.0,
        timestamp_type=0,
        headers=None,
        key=None,
        value=batch,
        checksum=None,
        tp=source,
        generation_id=generation,
    )


class Conductor(FaustConductor):  # type: ignore[misc]
    """Faust's conductor, which subscribes once and waits for agents alone: there are no tables."""

    @Service.task  # type: ignore[untyped-decorator]
    async def _subscriber(self) -> None:
        await self.app.agents.wait_until_agents_started()
        if not self.should_stop:
            await self.app.consumer.subscribe(await self._update_indices())


class Producer(FaustProducer):  # type: ignore[misc]
    """Faust sends nothing; the engine's transactions do."""


class BatchSchema(faust.Schema):  # type: ignore[misc]
    """Hands the batch through as it is."""

    def loads_key(self, app: Any, message: Any, *, loads: Any = None, serializer: Any = None) -> None:
        return None

    def loads_value(self, app: Any, message: Any, *, loads: Any = None, serializer: Any = None) -> Batch:
        return cast(Batch, message.value)


class Transport(FaustTransport):  # type: ignore[misc]
    """Registered with Faust as `parcelwatch`; the application must have a `source`."""

    Consumer: ClassVar[type] = Consumer
    Producer: ClassVar[type] = Producer
    Conductor: ClassVar[type] = Conductor
    driver_version = "parcelwatch"
    default_port = 0


class BootStrategy(FaustBootStrategy):  # type: ignore[misc]
    """Starts the consumer, the agents and the conductor; no producer, tables, leader or web server."""

    enable_kafka_producer = False
    enable_web = False
    enable_sensors = False

    def kafka_consumer(self) -> Iterable[Any]:
        return [self.app.consumer]

    def tables(self) -> Iterable[Any]:
        return []


class BatchApp(faust.App):  # type: ignore[misc]
    """A Faust application whose agents read batches of `source`."""

    BootStrategy = BootStrategy

    def __init__(self, app_id: str, source: BatchSource) -> None:
        self.source = source
        super().__init__(
            app_id,
            broker="parcelwatch://",
            autodiscover=False,
            web_enabled=False,
            topic_allow_declare=False,
            topic_disable_leader=True,
            stream_wait_empty=False,
            stream_buffer_maxsize=64,
            store="memory://",
        )

    async def on_start(self) -> None:
        await super().on_start()
        self.flow_control.resume()
        self.consumer.resume_flow()

    async def on_stop(self) -> None:
        """Nothing to flush: what is not committed is read again."""

    async def _wait_for_table_recovery_completed(self) -> bool:
        return False

    def _create_directories(self) -> None:
        """Faust keeps nothing on disk here."""
