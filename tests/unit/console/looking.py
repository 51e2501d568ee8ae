"""A look at a group that is made up."""

from __future__ import annotations

from streams.engine.errors import LogError
from streams.engine.log.interface import TopicPartition
from streams.engine.log.kafka_groups import Group, GroupMember
from streams.engine.topology import Topology
from streams.policy.load import default
from streams.stages.dataflow import dataflow
from streams.status.facts import Facts, Span

TOPOLOGY = Topology("pw", dataflow(default()), {"orders": 1, "shipments": 1})


class Looking:
    """Tells of one worker with everything; or fails."""

    def __init__(self, error: str = "") -> None:
        self.looks = 0
        self.error = error

    async def __call__(self) -> Facts:
        self.looks += 1
        if self.error:
            raise LogError(self.error)
        sources: frozenset[TopicPartition] = frozenset().union(*map(TOPOLOGY.partitions_of, TOPOLOGY.tasks()))
        member = GroupMember("m-1", "parcelwatch-1", "10.0.0.1", "<worker>", sources)
        return Facts("pw", 0, TOPOLOGY, True, Group("Stable", (member,)), spans=dict.fromkeys(sources, Span(0, 7, 7)))
