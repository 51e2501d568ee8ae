"""The group assignor: keeps a task's partitions together, keeps tasks where they are, and starts them warm."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import msgspec
import structlog

from streams.engine.errors import UNDECODABLE
from streams.engine.log.interface import Shared, TopicPartition
from streams.engine.placement import Held, Share, place
from streams.engine.topology import TaskId, Topology

log = structlog.get_logger(__name__)

#: Version of the members' data. Data of another version is ignored.
_VERSION = 1

#: By kind of task: partitions with offsets.
_Offsets = dict[str, dict[int, int]]


class _Told(NamedTuple):
    version: int
    tasks: _Offsets
    standbys: _Offsets
    wanted: int


class _Heard(NamedTuple):
    version: int
    standbys: dict[str, list[int]]
    warming: dict[str, list[int]]


_encode = msgspec.msgpack.Encoder().encode
_told = msgspec.msgpack.Decoder(_Told).decode
_heard = msgspec.msgpack.Decoder(_Heard).decode


class TaskAssignor:
    """Assigns tasks by `streams.engine.placement`; see `streams.engine.log.interface.Assignor`.

    `held` returns what this member holds; called whenever it joins. `standbys` and `warming`: what it is to follow now.
    """

    def __init__(self, topology: Topology, held: Callable[[], Held]) -> None:
        self.standbys: frozenset[TaskId] = frozenset()
        self.warming: frozenset[TaskId] = frozenset()
        self._topology = topology
        self._held = held

    def told(self) -> bytes:
        held = self._held()
        return _encode(_Told(_VERSION, _by_kind(held.tasks), _by_kind(held.standbys), held.wanted))

    def share(self, partitions: Mapping[str, int], members: Mapping[str, bytes]) -> Mapping[str, Shared]:
        tasks = self._topology.tasks()
        shares = place(tasks, {member: _read(told) for member, told in members.items()})
        shared = {member: self._shared(share) for member, share in shares.items()}
        # A partition that belongs to no task is still assigned: the worker that gets it stops with an error.
        owned = frozenset().union(*map(self._topology.partitions_of, tasks))
        every = {TopicPartition(topic, each) for topic, count in partitions.items() for each in range(count)}
        if (left := every - owned) and shared:
            first = min(shared)
            shared[first] = shared[first]._replace(partitions=shared[first].partitions | left)
        return shared

    def _shared(self, share: Share) -> Shared:
        partitions = frozenset[TopicPartition]().union(*map(self._topology.partitions_of, share.tasks))
        return Shared(partitions, _encode(_Heard(_VERSION, _numbers(share.standbys), _numbers(share.warming))))

    def hear(self, told: bytes) -> None:
        self.standbys = self.warming = frozenset()
        try:
            heard = _heard(told) if told else None
        except UNDECODABLE as error:
            log.warning("an assignment without standbys: it was made by another version", error=str(error))
            return
        if heard is not None and heard.version == _VERSION:
            self.standbys, self.warming = _tasks(heard.standbys), _tasks(heard.warming)


def _read(told: bytes) -> Held:
    """Decodes a member's data; empty if it is of another version."""
    try:
        found = _told(told) if told else None
    except UNDECODABLE:
        found = None
    if found is None or found.version != _VERSION:
        return Held()
    return Held(_offsets(found.tasks), _offsets(found.standbys), found.wanted)


def _by_kind(offsets: Mapping[TaskId, int]) -> _Offsets:
    found: _Offsets = {}
    for task, offset in sorted(offsets.items()):
        found.setdefault(task.kind, {})[task.partition] = offset
    return found


def _offsets(by_kind: _Offsets) -> dict[TaskId, int]:
    return {TaskId(kind, each): offset for kind, found in by_kind.items() for each, offset in found.items()}


def _numbers(tasks: Iterable[TaskId]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for task in sorted(tasks):
        found.setdefault(task.kind, []).append(task.partition)
    return found


def _tasks(numbers: Mapping[str, list[int]]) -> frozenset[TaskId]:
    return frozenset(TaskId(kind, each) for kind, listed in numbers.items() for each in listed)
