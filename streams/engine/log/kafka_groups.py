"""Consumer groups, administered from outside: their members, deletion, and start offsets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment
from aiokafka.errors import GroupCoordinatorNotAvailableError, GroupIdNotFound, NonEmptyGroup, for_code
from aiokafka.protocol.admin import DeleteGroupsRequest
from aiokafka.structs import OffsetAndMetadata
from aiokafka.structs import TopicPartition as KafkaPartition

from streams.engine.errors import FatalError, LogError
from streams.engine.log.interface import Committed, TopicPartition
from streams.engine.log.kafka_metadata import never_create_topics
from streams.engine.log.kafka_rights import describe

never_create_topics()


async def members(admin: AIOKafkaAdminClient, group: str) -> list[str]:
    """Where the members of a group run, one text each; empty if the group does not exist."""
    try:
        (answer,) = await admin.describe_consumer_groups([group])
    except GroupCoordinatorNotAvailableError:
        return []  # the first group of a new broker
    return [f"{client} at {host.lstrip('/')}" for each in answer.groups for _, client, host, *_ in each[5]]


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
    """The group now. Raises the client's errors."""
    try:
        described = await describe(admin._client, group)
    except GroupCoordinatorNotAvailableError:
        return Group("Dead", ())  # the first group of a new broker
    if described[0]:
        raise for_code(described[0])(group)
    return Group(described[2], tuple(map(_member, described[5])))


def _member(told: Sequence[Any]) -> GroupMember:
    member, instance, client, host, _, assignment = told
    partitions: set[TopicPartition] = set()
    if assignment:
        decoded = ConsumerProtocolMemberAssignment.decode(assignment)
        partitions = {TopicPartition(topic, each) for topic, listed in decoded.assignment for each in listed}
    return GroupMember(member, client, host.lstrip("/"), instance or "", frozenset(partitions))


async def nobody_in(admin: AIOKafkaAdminClient, group: str) -> None:
    """Raises `FatalError` if the group has members."""
    if there := await members(admin, group):
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
