"""Tells when a group that is catching up with a past stream has reached the present.

Until then only events move event time. Every task commits the progress of its inputs with its offsets, so that each
worker sees the whole group: each partition must have reached the present, or be read to its end and quiet for a while.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import monotonic

import structlog

from streams.engine.clock import Gate
from streams.engine.log.interface import Committed, TopicPartition
from streams.engine.offset_texts import catching_up_of
from streams.engine.runtime import TaskRuntime
from streams.engine.task import Task
from streams.engine.topology import Topology

log = structlog.get_logger(__name__)

#: Seconds between two looks at the whole group, and what counts at most of the time between them: where brokers are
#: away or the machine stands still, producers may, too.
_LOOK, _COUNTED = 1.0, 5.0
#: Microseconds that an input may be behind its lateness in the present.
_MARGIN = 60_000_000


class CatchingUp:
    """Checks the group until it has reached the present, then opens the clock's gate.

    `most`: unsettled entries of a task from which on its inputs wait for each other. A group that keeps so many does
    not wait any longer for partitions that have had nothing for a while.
    """

    def __init__(self, runtime: TaskRuntime, topology: Topology, most: int) -> None:
        self._log = runtime.log
        self._now = runtime.now
        self._gate: Gate | None = runtime.clock.gate
        self._quiet = runtime.quiet_seconds
        self._app_id = topology.app_id
        self._most = most
        self._lateness = {
            TopicPartition(item.topic, partition): item.lateness
            for kind in topology.dataflow.kinds
            for item in kind.inputs
            for partition in range(topology.counts[kind.name])
        }
        self._next = 0.0
        #: When the ends were told last; each of them, and for how many seconds it has been seen to stay.
        self._told = 0.0
        self._ends: dict[TopicPartition, tuple[int, float]] = {}

    @property
    def behind(self) -> bool:
        """Whether the worker is still reading the past."""
        return self._gate is not None and not self._gate.open

    async def look(self, tasks: Sequence[Task]) -> None:
        """Call it repeatedly. `tasks`: those that run here. Raises `LogError`."""
        gate, now = self._gate, monotonic()
        if gate is None or gate.open or now < self._next:
            return
        self._next = now + _LOOK
        begins = await self._log.begin_offsets(self._lateness)
        # From the answer of one look to the question of the next: what an end did in the meantime, nobody has seen.
        passed = min(monotonic() - self._told, _COUNTED)
        ends = await self._log.end_offsets(self._lateness)
        self._told = monotonic()
        for source, end in ends.items():
            before, quiet = self._ends.get(source, (None, 0.0))
            self._ends[source] = end, quiet + passed if end == before else 0.0
        committed = await self._log.committed(self._app_id, self._lateness)
        if all(self._present(source, begins[source], committed.get(source)) for source in self._lateness):
            gate.open = True
            log.info("caught up: the clock moves on from here")
        elif any(catching_up_of(each.metadata)[1] > self._most for each in committed.values()):
            self._let_go(tasks)

    def _present(self, source: TopicPartition, begin: int, committed: Committed | None) -> bool:
        end, _ = self._ends[source]
        if committed is None:
            return begin >= end and self._had_nothing(source)
        greatest, _ = catching_up_of(committed.metadata)
        # A busy partition is never read to its end for long; its clock moves nothing before it is.
        if greatest >= self._now() - self._lateness[source] - _MARGIN:
            return True
        return committed.offset >= end and self._had_nothing(source)

    def _had_nothing(self, source: TopicPartition) -> bool:
        return self._ends[source][1] >= self._quiet

    def _let_go(self, tasks: Sequence[Task]) -> None:
        positions: Mapping[TopicPartition, int]
        for task in tasks:
            positions = task.positions()
            for topic, external in task.external.items():
                source = TopicPartition(topic, task.id.partition)
                if self._had_nothing(source) and positions[source] >= self._ends[source][0] and external.let_go():
                    log.warning("not waited for any longer: it has nothing, and much waits for it", input=str(source))
