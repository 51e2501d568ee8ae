"""The engine's assignor in the group protocol of aiokafka."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from aiokafka.cluster import ClusterMetadata
from aiokafka.coordinator.assignors.abstract import AbstractPartitionAssignor
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment, ConsumerProtocolMemberMetadata

from streams.engine.log.interface import Assignor, TopicPartition

_VERSION = 0


class KafkaAssignor(AbstractPartitionAssignor):  # type: ignore[misc]
    """Adapts one member's assignor; an instance, unlike the client's own, which are classes, as it has state.

    It bears the name of the range assignor, which also keeps co-partitioned topics together and sends no data, so that
    workers of a version that used that one can be replaced by a rolling update. (The client joins once for every
    assignor that it is given, so there cannot be two.)
    """

    name = "range"

    def __init__(self, inner: Assignor) -> None:
        self._inner = inner

    def metadata(self, topics: Iterable[str]) -> ConsumerProtocolMemberMetadata:
        return ConsumerProtocolMemberMetadata(_VERSION, sorted(topics), self._inner.told())

    def assign(
        self, cluster: ClusterMetadata, members: Mapping[str, ConsumerProtocolMemberMetadata]
    ) -> dict[str, ConsumerProtocolMemberAssignment]:
        topics = {topic for member in members.values() for topic in member.subscription}
        partitions = {topic: len(cluster.partitions_for_topic(topic) or ()) for topic in topics}
        shared = self._inner.share(partitions, {member: told.user_data or b"" for member, told in members.items()})
        return {
            member: ConsumerProtocolMemberAssignment(_VERSION, _by_topic(share.partitions), share.told)
            for member, share in shared.items()
        }

    def on_assignment(self, assignment: ConsumerProtocolMemberAssignment) -> None:
        self._inner.hear(assignment.user_data or b"")


def _by_topic(partitions: Iterable[TopicPartition]) -> list[tuple[str, list[int]]]:
    found: dict[str, list[int]] = {}
    for topic, partition in sorted(partitions):
        found.setdefault(topic, []).append(partition)
    return [*found.items()]
