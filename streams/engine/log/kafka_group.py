"""One member of a Kafka consumer group."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener
from aiokafka.client import ConnectionGroup
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import (
    CommitFailedError,
    IllegalStateError,
    KafkaError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
    for_code,
)
from aiokafka.protocol.commit import OffsetCommitRequest
from aiokafka.structs import OffsetAndMetadata
from aiokafka.structs import TopicPartition as KafkaPartition

from streams.engine.errors import FatalError, LostMemberError, OutOfRangeError
from streams.engine.log.interface import Assignor, Committed, Fetched, Listener, TopicPartition
from streams.engine.log.kafka_assignor import KafkaAssignor
from streams.engine.log.kafka_batches import Batched
from streams.engine.log.kafka_clients import errors
from streams.engine.log.kafka_ending import ended
from streams.engine.log.kafka_records import hand_over_batched, hand_over_parsed
from streams.engine.log.kafka_rights import describe
from streams.engine.processor import Record

#: In milliseconds.
_DAY = 86_400_000
#: Seconds to leave the group: who comes or goes at the same moment is waited for, or nobody hears that this one left.
_LEAVE = 10.0
#: The same if the group does not answer.
_ALONE = 1.0
#: Seconds that a fetch may take beyond what it was given.
_REBALANCE = 5.0
#: Records that are handed over together where batches are: so many, and the rest of a batch.
_TOGETHER = 2000
#: Longest time between heartbeats, in seconds.
_HEARTBEAT = 3.0


class _Rebalances(ConsumerRebalanceListener):  # type: ignore[misc]
    """Forwards rebalances to the engine's listener."""

    def __init__(self, listener: Listener, member: KafkaMember) -> None:
        self._listener = listener
        self._member = member

    async def on_partitions_revoked(self, revoked: Iterable[KafkaPartition]) -> None:
        await self._member.still_the_one()
        if gone := frozenset(TopicPartition(*each) for each in revoked):
            await self._listener.on_revoked(gone)

    async def on_partitions_assigned(self, assigned: Iterable[KafkaPartition]) -> None:
        self._member.joined()
        await self._listener.on_assigned(frozenset(TopicPartition(*each) for each in assigned))


class KafkaMember:
    """A member of a consumer group; see `streams.engine.log.interface.Member`."""

    def __init__(
        self,
        group: str,
        topics: Collection[str],
        listener: Listener,
        client: Mapping[str, Any],
        session_timeout: float,
        instance_id: str | None,
        assignor: Assignor | None,
        batched: Callable[[], Batched] | None = None,
    ) -> None:
        self._batched = batched
        self._group = group
        self._instance_id = instance_id
        self._known_as = ""
        self._replaced: FatalError | None = None
        self._session = session_timeout
        #: When the last request was made by whose answer the group is known to hold this member for alive.
        self._alive = time.monotonic()
        self._topics = sorted(topics)
        self._listener = listener
        self._positions: dict[TopicPartition, int] = {}
        self._epochs: dict[TopicPartition, int] = {}
        self._consumer = AIOKafkaConsumer(
            **client,
            group_id=group,
            group_instance_id=instance_id,
            session_timeout_ms=int(session_timeout * 1000),
            # A member learns of a rebalance by a heartbeat: keep them frequent with long sessions too.
            heartbeat_interval_ms=int(min(session_timeout / 4, _HEARTBEAT) * 1000),
            rebalance_timeout_ms=int(session_timeout * 1000),
            # A worker in a long restore, or waiting for others, fetches nothing and is well: rely on heartbeats.
            max_poll_interval_ms=_DAY,
            # Of the client's own assignors, only this one keeps co-partitioned topics together.
            partition_assignment_strategy=(KafkaAssignor(assignor) if assignor else RangePartitionAssignor,),
        )

    async def open(self) -> None:
        """Connects and subscribes; the group is joined in the background."""
        await self._consumer.start()
        if self._batched is None:
            hand_over_parsed(self._consumer)
        else:
            hand_over_batched(self._consumer, self._batched, _TOGETHER)
        self._watch_heartbeats()
        self._consumer.subscribe(topics=self._topics, listener=_Rebalances(self._listener, self))

    def _watch_heartbeats(self) -> None:
        coordinator = self._consumer._coordinator
        beat = coordinator._do_heartbeat

        async def beating() -> bool:
            asked = time.monotonic()
            heard = bool(await beat())
            if heard:
                self._alive = asked
            return heard

        coordinator._do_heartbeat = beating

    def stand_in_group(self) -> None:
        """Raises an error of Kafka's unless the group surely still holds this member for alive.

        A process that stood still for longer than its session has lost its tasks and not heard of it yet.
        """
        if time.monotonic() - self._alive > self._session:
            raise CommitFailedError(f"the group has heard nothing of this worker for {self._session:g} s")

    def seek(self, source: TopicPartition, offset: int, epoch: int = 0) -> None:
        try:
            self._consumer.seek(KafkaPartition(*source), offset)
        except IllegalStateError:
            return  # it is not ours any more
        self._positions[source] = offset
        self._epochs[source] = epoch

    async def fetch(self, sources: Collection[TopicPartition], records: int, seconds: float) -> Sequence[Fetched]:
        self._stand()
        wanted = [KafkaPartition(*source) for source in sources]
        with errors("fetching", "Read"):
            try:
                # In a rebalance the client waits for the next assignment, for ever if it is closed before that comes.
                async with asyncio.timeout(seconds + _REBALANCE):
                    found = await self._consumer.getmany(
                        *wanted,
                        timeout_ms=int(seconds * 1000),
                        max_records=len(wanted) * (records if self._batched is None else -(-records // _TOGETHER)),
                    )
            except TimeoutError:
                return []  # nothing has been taken out of the client yet
            except NoOffsetForPartitionError:
                return []  # of before the seek
            except OffsetOutOfRangeError as error:
                gone = {TopicPartition(*each): offset for each, offset in error.args[0].items()}
                words = ", ".join(f"{each.topic}-{each.partition} at {offset}" for each, offset in gone.items())
                raise OutOfRangeError(f"out of range: {words}", [*gone]) from error
            except Exception:
                self._back(sources)
                raise
        # Nothing has run since the records were taken out of the client: the epochs are those of their seeks.
        batches = []
        for source, partition in zip(sources, wanted, strict=True):
            position = self._moved(source, partition)
            if position is not None:
                taken = found.get(partition, [])
                batches += _cut(source, taken if self._batched else [taken], position, self._epochs[source], records)
        return batches

    def _back(self, sources: Collection[TopicPartition]) -> None:
        """Reads again what the client may have taken out of itself before it failed over another partition."""
        for source in sources:
            if source in self._positions:
                self.seek(source, self._positions[source], self._epochs[source])

    def check(self) -> None:
        self._stand()
        with errors(f"being a member of {self._group}"):
            self._consumer._coordinator.check_errors()

    def _stand(self) -> None:
        if self._replaced is not None:
            raise self._replaced
        if self._broken:
            raise LostMemberError("the client has ended by itself")

    @property
    def coordinated(self) -> bool:
        coordinator = self._consumer._coordinator
        return coordinator is not None and coordinator.coordinator_id is not None

    @property
    def name(self) -> str:
        return self._known_as

    async def tell(self, offsets: Mapping[TopicPartition, Committed]) -> None:
        # The client's own commit is for partitions of the assignment, and joins the group again where it is refused.
        coordinator = self._consumer._coordinator
        if not self.coordinated or not self._known_as or coordinator.member_id != self._known_as:
            return
        by_topic: dict[str, list[tuple[int, int, str]]] = {}
        for source, committed in offsets.items():
            by_topic.setdefault(source.topic, []).append((source.partition, *committed))
        request = OffsetCommitRequest(
            self._group,
            coordinator.generation,
            self._known_as,
            OffsetCommitRequest.DEFAULT_RETENTION_TIME,
            [*by_topic.items()],
        )
        with errors("telling of the tasks"):
            answer = await self._consumer._client.send(
                coordinator.coordinator_id, request, group=ConnectionGroup.COORDINATION
            )
            for _, partitions in answer.topics:
                for _, code in partitions:
                    if code:
                        raise for_code(code)

    def joined(self) -> None:
        """Remembers the member id that the group knows this member by now."""
        self._known_as = self._consumer._coordinator.member_id
        self._alive = time.monotonic()

    async def still_the_one(self) -> None:
        """Ends this member if the group has another with its static id: joining again would fence that one.

        To Kafka a second member with a static id is the first one, restarted: neither is told of the other.
        """
        coordinator = self._consumer._coordinator
        if self._instance_id is None or not self._known_as or coordinator.member_id == self._known_as:
            return
        try:
            members = (await describe(self._consumer._client, self._group))[5]
        except KafkaError:
            return  # nobody can tell; at the next rebalance it is asked again
        for member_id, instance_id, _, host, *_ in members:
            if instance_id == self._instance_id and member_id not in {self._known_as, coordinator.member_id}:
                self._replaced = FatalError(
                    f"another worker runs with --instance-id {self._instance_id}: member {member_id} at {host} has "
                    f"taken the place of {self._known_as}; give each worker a name of its own"
                )
                raise asyncio.CancelledError

    @property
    def _broken(self) -> bool:
        """Whether one of the client's own tasks has ended: it would fetch nothing, or hear nothing, any more."""
        consumer = self._consumer
        return bool(consumer._fetcher._fetch_task.done() or consumer._coordinator._coordination_task.done())

    def _moved(self, source: TopicPartition, partition: KafkaPartition) -> int | None:
        """The position, if it has moved: past records, or past markers alone."""
        subscription = self._consumer._subscription.subscription
        assignment = subscription.assignment if subscription is not None else None
        if assignment is None or partition not in assignment.tps:
            return None
        state = assignment.state_value(partition)
        if not state.has_valid_position or state.position == self._positions.get(source, state.position):
            return None
        position = int(state.position)
        self._positions[source] = position
        return position

    async def commit(self, offsets: Mapping[TopicPartition, Committed]) -> None:
        """Commits offsets as this member of the group; raises if the group's generation has moved on."""
        wanted = {
            KafkaPartition(*source): OffsetAndMetadata(committed.offset, committed.metadata)
            for source, committed in offsets.items()
        }
        with errors("committing offsets"):
            await self._consumer.commit(wanted)

    def rejoin(self) -> None:
        self._consumer._coordinator.request_rejoin()

    async def close(self) -> None:
        await ended(self._consumer, _LEAVE if self.coordinated else _ALONE)


def _cut(
    source: TopicPartition, taken: Sequence[Sequence[Record]], position: int, epoch: int, most: int
) -> list[Fetched]:
    """Cuts records into batches of at most `most`, the last of which ends at the position."""
    cuts = [some[start : start + most] for some in taken for start in range(0, len(some), most)] or [[]]
    ends = [cut[-1].offset + 1 for cut in cuts[:-1]] + [position]
    return [Fetched(source, cut, end, epoch) for cut, end in zip(cuts, ends, strict=True)]
