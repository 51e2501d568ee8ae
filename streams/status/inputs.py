"""The inputs of an application: what is unread, how far event time has come, and what holds it back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from streams.engine.log.interface import TopicPartition
from streams.engine.notes import InputNote
from streams.engine.processor import BEGINNING
from streams.engine.topology import TaskId
from streams.engine.watermarks import IDLE
from streams.status.facts import Facts


class Input(NamedTuple):
    """One input of one kind of task, over all partitions.

    `topic` is empty for an edge. `watermark`: the least, None while no task tells one; `behind`: microseconds from
    then, the lateness allowed for, until now; `holder`: what holds the watermark back.
    """

    kind: str
    name: str
    topic: str
    unread: int
    watermark: int | None
    behind: int | None
    holder: str


def inputs(facts: Facts) -> Iterator[Input]:
    """All of them, external ones first within a kind."""
    topology = facts.topology
    for kind in topology.dataflow.kinds:
        for item in kind.inputs:
            yield _input(facts, kind.name, item.name, item.topic, item.topic)
        for edge in topology.dataflow.edges_into(kind.name):
            yield _input(facts, kind.name, edge.name, "", topology.edge_topic(edge.name))


def _input(facts: Facts, kind: str, name: str, external: str, topic: str) -> Input:
    count = facts.topology.counts.get(kind, 0)
    sources = [TopicPartition(topic, each) for each in range(count)]
    unread = sum(facts.unread(source) for source in sources if source in facts.spans)
    found = [note for each in range(count) if (note := _note(facts, TaskId(kind, each), name)) is not None]
    if not found:
        return Input(kind, name, external, unread, None, None, "")
    least = min(found)
    behind = max(facts.now - least.watermark - least.lateness, 0)
    return Input(kind, name, external, unread, least.watermark, behind, least.holder)


def _note(facts: Facts, task: TaskId, name: str) -> InputNote | None:
    """What the task says of the input, unless it is idle, or not there yet."""
    note = facts.notes.get(task)
    found = None if note is None else note.inputs.get(name)
    return found if found is not None and BEGINNING < found.watermark < IDLE else None
