"""Consumer groups, administered from outside: their members, deletion, and start offsets."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment
from aiokafka.errors import (
    GroupCoordinatorNotAvailableError,
    GroupIdNotFound,
    GroupLoadInProgressError,
    NonEmptyGroup,
    NotCoordinatorForGroupError,
    TopicAuthorizationFailedError,
    for_code,
)
from aiokafka.protocol.admin import DeleteGroupsRequest
from aiokafka.protocol.commit import OffsetFetchRequest
from aiokafka.structs import OffsetAndMetadata
from aiokafka.structs import TopicPartition as KafkaPartition

from streams.engine.errors import FatalError, LogError
from streams.engine.log.interface import Committed, TopicPartition
from streams.engine.log.kafka_metadata import never_create_topics
from streams.engine.log.kafka_rights import describe

never_create_topics()


#: What is answered for a moment where a broker has been started, or has taken a group over from another one.
_SOON = (GroupLoadInProgressError, NotCoordinatorForGroupError)
#: Seconds for that moment.
_MOMENT = 10.0


class GroupMember(NamedTuple):
    """One member of a group, as its coordinator knows it. `instance`: its static id, empty without one."""

    id: str
    client: str
    host: str
    instance: str
    partitions: frozenset[TopicPartition]


class Group(NamedTuple):
    """A group: Kafka's word for its state ("Stable", "Empty", "Dead" where there is none), and its members."""

    state: str
    members: tuple[GroupMember, ...]


async def look_at(admin: AIOKafkaAdminClient, group: str) -> Group:
    """The group now. Raises the client's errors: who has no answer does not know that the group has no members."""
    limit = time.monotonic() + _MOMENT
    while True:
        try:
            described = await describe(admin._client, group)
            if described[0]:
                raise for_code(described[0])(group)
            return Group(described[2], tuple(map(_member, described[5])))
        except GroupCoordinatorNotAvailableError:
            return Group("Dead", ())  # the first group of a new broker
        except _SOON:
            if time.monotonic() > limit:
                raise
            await asyncio.sleep(0.1)


async def offsets_of(
    admin: AIOKafkaAdminClient, group: str, sources: Collection[TopicPartition]
) -> dict[TopicPartition, Committed]:
    """What the group has committed of these partitions, as far as it has. Raises the client's errors.

    The client's own question passes over an error that is about the group as a whole: a broker that has not loaded the
    group yet would have it without offsets.
    """
    by_topic: dict[str, list[int]] = {}
    for source in sources:
        by_topic.setdefault(source.topic, []).append(source.partition)
    while True:
        try:
            node = await admin.find_coordinator(group)
            answer = await admin._send_request(OffsetFetchRequest(group, [*by_topic.items()]), node)
            if code := getattr(answer, "error_code", 0):
                raise for_code(code)(group)
            return _committed(group, answer.topics)
        except (*_SOON, GroupCoordinatorNotAvailableError):
            # The first group of a cluster has no coordinator at once, either.
            await asyncio.sleep(0.1)


def _committed(group: str, topics: Sequence[Any]) -> dict[TopicPartition, Committed]:
    found = {}
    for topic, partitions in topics:
        for partition, offset, metadata, code in partitions:
            if code:
                raise for_code(code)(topic if for_code(code) is TopicAuthorizationFailedError else group)
            if offset >= 0:
                found[TopicPartition(topic, partition)] = Committed(offset, metadata)
    return found


def _member(told: Sequence[Any]) -> GroupMember:
    member, instance, client, host, _, assignment = told
    partitions: set[TopicPartition] = set()
    if assignment:
        decoded = ConsumerProtocolMemberAssignment.decode(assignment)
        partitions = {TopicPartition(topic, each) for topic, listed in decoded.assignment for each in listed}
    return GroupMember(member, client, host.lstrip("/"), instance or "", frozenset(partitions))


async def nobody_in(admin: AIOKafkaAdminClient, group: str) -> None:
    """Raises `FatalError` if the group has members."""
    if there := [f"{each.client} at {each.host}" for each in (await look_at(admin, group)).members]:
        raise FatalError(
            f"group {group} has {len(there)} members ({', '.join(sorted(there)[:3])}): stop all workers first; "
            "one that was killed is a member until its session is over"
        )


async def delete_group(admin: AIOKafkaAdminClient, group: str) -> bool:
    """Deletes a group with its offsets; brokers refuse while it has members. Returns whether it existed.

    Raises `FatalError`, `LogError` and the client's errors.
    """
    try:
        node = await admin.find_coordinator(group)
    except GroupCoordinatorNotAvailableError:
        return False
    answer = await admin._send_request(DeleteGroupsRequest([group]), node)
    ((_, code),) = answer.results
    error = for_code(code)
    if error is NonEmptyGroup:
        await nobody_in(admin, group)
    if code and error is not GroupIdNotFound:
        raise LogError(f"deleting group {group}: {error.__name__}")
    return not code


async def commit_as(group: str, client: Mapping[str, Any], offsets: Mapping[TopicPartition, Committed]) -> None:
    """Commits offsets for a group that has no members. `client`: options of the consumer."""
    consumer = AIOKafkaConsumer(**client, group_id=group)
    try:
        await consumer.start()
        consumer.assign([KafkaPartition(*source) for source in offsets])
        await consumer.commit(
            {KafkaPartition(*source): OffsetAndMetadata(*committed) for source, committed in offsets.items()}
        )
    finally:
        await consumer.stop()


async def offsets_at(client: Mapping[str, Any], ends: Mapping[TopicPartition, int], time: int) -> dict[Any, int]:
    """By partition, the first offset with a timestamp of `time` (microseconds) or later; its end if there is none."""
    consumer = AIOKafkaConsumer(**client)
    try:
        await consumer.start()
        found = await consumer.offsets_for_times({KafkaPartition(*source): time // 1000 for source in ends})
    finally:
        await consumer.stop()
    by_source = {TopicPartition(*source): at for source, at in found.items()}
    return {source: at.offset if (at := by_source.get(source)) is not None else end for source, end in ends.items()}
