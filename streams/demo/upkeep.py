"""Keeps the memory log small: deletes what has been read, as retention does on a broker."""

from __future__ import annotations

from collections.abc import Iterable

from streams.engine.log.interface import TopicPartition
from streams.engine.log.memory import MemoryLog
from streams.engine.topology import Topology


class Upkeep:
    """Looks after the topics of one application and its `outputs` (topic and number of partitions).

    `kept`: how many offsets of each partition of an input stay, though they are committed.
    """

    def __init__(self, log: MemoryLog, topology: Topology, outputs: Iterable[tuple[str, int]], kept: int = 0) -> None:
        self._kept = kept
        self._log = log
        self._app_id = topology.app_id
        tasks = topology.tasks()
        self._inputs = [source for task in tasks for source in sorted(topology.partitions_of(task))]
        external = {item.topic for kind in topology.dataflow.kinds for item in kind.inputs}
        self._external = [source for source in self._inputs if source.topic in external]
        self._changelogs = [TopicPartition(topology.changelog(task.kind), task.partition) for task in tasks]
        self._outputs = [TopicPartition(topic, number) for topic, count in outputs for number in range(count)]
        self._seen: dict[TopicPartition, int] = {}

    async def behind(self) -> int:
        """How many records of the external topics are not read and committed yet."""
        done = await self._log.committed(self._app_id, self._external)
        return sum(self._log.end(source) - (done[source].offset if source in done else 0) for source in self._external)

    async def tidy(self) -> None:
        """Drops what is committed, of the outputs what was there at the last call; compacts the changelogs."""
        for source, committed in (await self._log.committed(self._app_id, self._inputs)).items():
            kept = self._kept if source in self._external else 0
            self._log.truncate(source, min(committed.offset, self._log.end(source) - kept))
        for source in self._outputs:
            self._log.truncate(source, self._seen.get(source, 0))
            self._seen[source] = self._log.end(source)
        for source in self._changelogs:
            self._log.compact(source)
