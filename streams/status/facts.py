"""What is known of an application before anybody judges it. Times are microseconds since the epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from streams.engine.log.interface import TopicPartition
from streams.engine.log.kafka_groups import Group, GroupMember
from streams.engine.notes import TaskNote, WorkerNote
from streams.engine.topology import TaskId, Topology
from streams.topics.report import Report


class Span(NamedTuple):
    """A partition: its first offset, the end that can be read, and the end with what open transactions hold back."""

    begin: int
    stable: int
    end: int


class Holder(NamedTuple):
    """Who holds a transaction open in a partition, and when it last wrote there."""

    who: str
    last_write: int


@dataclass(slots=True)
class Count:
    """How many of something were among the newest records of a topic, and when the last of them was."""

    number: int = 0
    last: int = 0

    def add(self, at: int) -> None:
        self.number += 1
        self.last = max(self.last, at)


@dataclass(slots=True)
class Facts:
    """One look at an application.

    `read`: by input partition, external ones and edges, the committed position; `notes`: the last one of each task;
    `counts`: newest alerts by topic and (type, status), newest dead letters by topic and (reason,);
    `topics`: None if they could not be compared, for the reason `uncompared`; `others`: other applications here.
    """

    app_id: str
    now: int
    topology: Topology
    exists: bool
    group: Group
    spans: Mapping[TopicPartition, Span] = field(default_factory=dict)
    read: Mapping[TopicPartition, int] = field(default_factory=dict)
    notes: Mapping[TaskId, TaskNote] = field(default_factory=dict)
    holders: Mapping[TopicPartition, Sequence[Holder]] = field(default_factory=dict)
    alerts: Mapping[str, Mapping[tuple[str, ...], Count]] = field(default_factory=dict)
    letters: Mapping[str, Mapping[tuple[str, ...], Count]] = field(default_factory=dict)
    topics: Report | None = None
    uncompared: str = ""
    others: Sequence[str] = ()

    def owner(self, task: TaskId) -> GroupMember | None:
        """The member that has the task."""
        wanted = self.topology.partitions_of(task)
        return next((each for each in self.group.members if wanted <= each.partitions), None)

    def tasks_of(self, member: GroupMember) -> list[TaskId]:
        return [task for task in self.topology.tasks() if self.topology.partitions_of(task) <= member.partitions]

    def worker(self, member: GroupMember) -> WorkerNote | None:
        """What the member's worker says of itself; None if it has said nothing, as one without tasks."""
        return next((note.worker for note in self.notes.values() if note.member == member.id and note.worker), None)

    def said_at(self, member: GroupMember) -> int | None:
        """When the member last told of its tasks."""
        return max((note.at for note in self.notes.values() if note.member == member.id), default=None)

    def unread(self, source: TopicPartition) -> int:
        """Offsets between the position and the end."""
        span = self.spans[source]
        return max(span.end - max(self.read.get(source, span.begin), span.begin), 0)

    def externals(self) -> list[str]:
        """The topics that other systems write."""
        return [item.topic for kind in self.topology.dataflow.kinds for item in kind.inputs]
