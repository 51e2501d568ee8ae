"""Names of the internal topics, and how many tasks a dataflow has on a given log."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

from streams.engine.errors import FatalError, LogError
from streams.engine.log.interface import Log, TopicPartition, TopicSpec
from streams.engine.processor import Dataflow
from streams.engine.rights import Operation, Right

#: Seconds for which a broker may not have heard of a topic, and between two questions.
_UNHEARD, _AGAIN = 3.0, 0.1

#: Records carry the brokers' time, against which this machine's clock is checked.
_BY_BROKERS: Mapping[str, str] = MappingProxyType({"message.timestamp.type": "LogAppendTime"})

#: Settings of changelogs. Replaced and deleted rows are gone within a week: without the second setting, Kafka may
#: never compact a partition with few writes.
CHANGELOG: Mapping[str, str] = MappingProxyType(
    {"cleanup.policy": "compact", "max.compaction.lag.ms": str(7 * 86_400_000), **_BY_BROKERS}
)


class TaskId(NamedTuple):
    """One task: a kind and a partition number."""

    kind: str
    partition: int

    def __str__(self) -> str:
        return f"{self.kind}-{self.partition}"


@dataclass(frozen=True)
class Topology:
    """A dataflow with the number of tasks of each kind, under the name of an application."""

    app_id: str
    dataflow: Dataflow
    counts: Mapping[str, int]

    def edge_topic(self, edge: str) -> str:
        return f"{self.app_id}-{edge}"

    def changelog(self, kind: str) -> str:
        return f"{self.app_id}-{kind}-changelog"

    def internal(self) -> tuple[str, ...]:
        """The names of all internal topics."""
        edges = (self.edge_topic(edge.name) for edge in self.dataflow.edges)
        return (*edges, *(self.changelog(kind.name) for kind in self.dataflow.kinds))

    def transactional_id(self, task: TaskId) -> str:
        return f"{self.app_id}-{task.kind}-{task.partition}"

    def inputs(self, kind: str) -> tuple[str, ...]:
        """All topics that a task of the kind reads: external ones, then edges."""
        external = tuple(item.topic for item in self.dataflow.kind(kind).inputs)
        return external + tuple(self.edge_topic(edge.name) for edge in self.dataflow.edges_into(kind))

    def topics(self) -> tuple[str, ...]:
        """All topics that the consumer group subscribes to."""
        return tuple(topic for kind in self.dataflow.kinds for topic in self.inputs(kind.name))

    def tasks(self) -> tuple[TaskId, ...]:
        return tuple(
            TaskId(kind.name, partition) for kind in self.dataflow.kinds for partition in range(self.counts[kind.name])
        )

    def marker(self, task: TaskId) -> TopicPartition:
        """The input partition whose committed offset's metadata says that the task is final."""
        return TopicPartition(self.inputs(task.kind)[0], task.partition)

    def partitions_of(self, task: TaskId) -> frozenset[TopicPartition]:
        return frozenset(TopicPartition(topic, task.partition) for topic in self.inputs(task.kind))

    def specs(self) -> list[TopicSpec]:
        """The internal topics that must exist."""
        edges = [
            TopicSpec(self.edge_topic(edge.name), self.counts[edge.target], {"retention.ms": "-1", **_BY_BROKERS})
            for edge in self.dataflow.edges
        ]
        changelogs = [
            TopicSpec(self.changelog(kind.name), self.counts[kind.name], CHANGELOG) for kind in self.dataflow.kinds
        ]
        return edges + changelogs


def rights(app_id: str, dataflow: Dataflow) -> list[Right]:
    """The smallest set of rights that a worker needs, except transactional ids, which the log cannot be asked about.

    Read and write on a topic imply describe. Creating the internal topics takes more, once.
    """
    topology = Topology(app_id, dataflow, {})
    edges = [topology.edge_topic(edge.name) for edge in dataflow.edges]
    changelogs = [topology.changelog(kind.name) for kind in dataflow.kinds]
    both: tuple[Operation, ...] = ("Read", "Write")
    return [
        *(Right("Read", "topic", item.topic) for kind in dataflow.kinds for item in kind.inputs),
        *(Right("Write", "topic", topic) for topic in dataflow.outputs),
        *(Right(operation, "topic", topic) for topic in edges + changelogs for operation in both),
        # Edges are trimmed once all have read them; a changelog's settings are checked before it is trusted.
        *(Right("Delete", "topic", topic) for topic in edges),
        *(Right("DescribeConfigs", "topic", topic) for topic in changelogs),
        Right("Read", "group", app_id),
    ]


def grown(topic: str, partitions: int, needed: int) -> str:
    """Why an application cannot work with topics whose number of partitions has changed since its first start."""
    return (
        f"topic {topic} has {partitions} partitions, {needed} are needed: the number of partitions of an input must "
        "stay as it was at the first start"
    )


async def known(log: Log, topics: Collection[str]) -> dict[str, int]:
    """The number of partitions of those topics that exist.

    Any broker may be asked, and each hears of a new topic in its own time: what is missing is asked for again, for some
    seconds.
    """
    until = time.monotonic() + _UNHEARD
    while len(found := await log.partitions(topics)) < len(set(topics)) and time.monotonic() < until:  # noqa: ASYNC110
        await asyncio.sleep(_AGAIN)
    return found


async def count(app_id: str, dataflow: Dataflow, log: Log) -> tuple[Topology, dict[str, int]]:
    """Counts the tasks by the external topics; also the partitions of the outputs.

    Raises `FatalError` if an input or an output is missing, or the topics of one kind are not co-partitioned.
    """
    external = [item.topic for kind in dataflow.kinds for item in kind.inputs]
    present = await known(log, [*external, *dataflow.outputs])
    missing = [topic for topic in (*external, *dataflow.outputs) if topic not in present]
    if missing:
        raise FatalError(f"topics do not exist: {', '.join(missing)}")
    counts: dict[str, int] = {}
    for kind in dataflow.kinds:
        found = {item.topic: present[item.topic] for item in kind.inputs}
        if len(set(found.values())) != 1:
            listed = ", ".join(f"{topic} has {count}" for topic, count in found.items())
            raise FatalError(f"topics read together need equally many partitions: {listed}")
        counts[kind.name] = next(iter(found.values()))
    return Topology(app_id, dataflow, counts), {topic: present[topic] for topic in dataflow.outputs}


async def make_internal(topology: Topology, log: Log) -> None:
    """Creates the internal topics on the first start; their partition counts record the number of tasks.

    Raises `FatalError` if the counts differ from those of the first start, `LogError` if new topics are not there yet.
    """
    dataflow, counts = topology.dataflow, topology.counts
    specs = topology.specs()
    existing = await log.partitions([spec.topic for spec in specs])
    await log.create([spec for spec in specs if spec.topic not in existing])
    existing = await known(log, [spec.topic for spec in specs])
    if missing := [spec.topic for spec in specs if spec.topic not in existing]:
        raise LogError(f"topics do not exist yet: {', '.join(missing)}")
    for kind in dataflow.kinds:
        began_with = existing[topology.changelog(kind.name)]
        if began_with != counts[kind.name]:
            raise FatalError(grown(kind.inputs[0].topic, counts[kind.name], began_with))
    for spec in specs:
        if existing[spec.topic] != spec.partitions:
            raise FatalError(grown(spec.topic, existing[spec.topic], spec.partitions))
