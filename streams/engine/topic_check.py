"""Checks periodically that an application's topics are still those that its tasks rely on."""

from __future__ import annotations

import time
from collections.abc import Collection

from streams.engine.beginning import check_changelogs
from streams.engine.errors import FatalError, LogError
from streams.engine.log.interface import Log, TopicPartition
from streams.engine.positions import Positions, differs
from streams.engine.runner import Runner
from streams.engine.topology import Topology, grown

#: Seconds between two checks, and between two checks of the changelogs' settings.
_EVERY, _SETTINGS = 1.0, 10.0


class TopicCheck:
    """Compares the log's topics with what the tasks of one worker rely on. A task in doubt restarts."""

    def __init__(self, topology: Topology, broker: Log, positions: Positions) -> None:
        self._broker = broker
        self._positions = positions
        self._topology = topology
        self._next = 0.0
        self._settings = 0.0
        changelogs = {topology.changelog(kind.name): topology.counts[kind.name] for kind in topology.dataflow.kinds}
        kinds = topology.dataflow.kinds
        inputs = {topic: topology.counts[kind.name] for kind in kinds for topic in topology.inputs(kind.name)}
        self._counts = inputs | changelogs

    async def look(self, runners: Collection[Runner]) -> None:
        """Call it often. Raises `FatalError` if topics are gone or have grown, and `LogError`."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + _EVERY
        positions = _positions(runners)
        found = await self._broker.describe(self._counts)
        self._positions.miss(self._counts, found)
        if time.monotonic() >= self._settings:
            self._settings = time.monotonic() + _SETTINGS
            await check_changelogs(self._topology, self._broker)
        for topic, each in found.items():
            if each.partitions > self._counts[topic]:
                raise FatalError(grown(topic, each.partitions, self._counts[topic]))
        gone = frozenset(self._counts) - found.keys()
        for runner in positions:
            for topic, read in runner.ids.items():
                if differs(read, found[topic].id if topic in found else None):
                    runner.doubt(LogError(f"topic {topic} is not the one that was read"))
        kept = {source for each in positions.values() for source in each if source.topic not in gone}
        begins = await self._broker.begin_offsets(kept)
        ends = await self._broker.end_offsets(kept)
        for runner, sources in positions.items():
            for source in sources.keys() & kept:
                if not begins[source] <= sources[source] <= ends[source]:
                    runner.doubt(LogError(_words(source, sources[source], begins[source], ends[source])))


def _positions(runners: Collection[Runner]) -> dict[Runner, dict[TopicPartition, int]]:
    """In a frame of its own: none of the tasks is held while the log is asked, as they may be given up meanwhile."""
    return {runner: task.positions() for runner in runners if (task := runner.task) is not None}


def _words(source: TopicPartition, position: int, begin: int, end: int) -> str:
    return f"{source.topic}-{source.partition} holds {begin} to {end}, and the position is {position}"
