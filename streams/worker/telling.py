"""Writes the notes of a worker's tasks into its group, every few seconds, for who asks for its status."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Protocol

import structlog
from prometheus_client import CollectorRegistry

from streams.cli.faults import fault
from streams.engine.clock import Now
from streams.engine.errors import LogError
from streams.engine.log.interface import Committed, Member, TopicPartition
from streams.engine.notes import InputNote, TaskNote, WorkerNote, positive, write
from streams.engine.runner import Runner
from streams.engine.task import Task
from streams.engine.topology import TaskId, Topology
from streams.worker.health import Health
from streams.worker.task_metrics import inputs

log = structlog.get_logger(__name__)

#: Seconds between two notes, and for the group to take them.
EVERY, _TAKEN = 2.0, 5.0
#: The metrics that a note holds, by their first label if they have one.
MEASURED = frozenset(
    {
        "parcelwatch_late_ratio",
        "parcelwatch_catching_up",
        "parcelwatch_clock_ahead_seconds",
        "parcelwatch_records_lost_total",
        "parcelwatch_numbers_under_two_names_total",
        "parcelwatch_certificate_start_timestamp_seconds",
        "parcelwatch_certificate_expiry_timestamp_seconds",
    }
)


class Told(Protocol):
    """What the notes need to know of a worker's tasks."""

    member: Member | None

    @property
    def runners(self) -> list[Runner]: ...

    @property
    def standbys(self) -> dict[TaskId, int]: ...


class Telling:
    """Tells of one worker until it is cancelled. `about`: how the worker was started, `now`: its clock."""

    def __init__(
        self,
        topology: Topology,
        worker: Told,
        health: Health,
        registry: CollectorRegistry,
        about: Mapping[str, str],
        now: Now,
    ) -> None:
        self._topology = topology
        self._worker = worker
        self._health = health
        self._registry = registry
        self._about = dict(about)
        self._now = now

    async def run(self) -> None:
        """Goes on whatever happens: nothing that a worker does depends on it."""
        while True:
            try:
                async with asyncio.timeout(_TAKEN):
                    await self._tell()
            except (LogError, TimeoutError) as error:
                log.debug("the group takes no notes", error=str(error) or type(error).__name__)
            except Exception as error:
                log.warning("no notes are written", error=fault(error))
            await asyncio.sleep(EVERY)

    async def _tell(self) -> None:
        member = self._worker.member
        if member is not None and (notes := self.notes(member.name)):
            await member.tell(notes)

    def notes(self, member: str) -> dict[TopicPartition, Committed]:
        """The notes now, as what is committed of each task's changelog."""
        now = self._now()
        found = {}
        about: WorkerNote | None = self._of_worker()
        for runner in sorted(self._worker.runners, key=lambda each: each.id):
            task = runner.task
            note = TaskNote(now, member, worker=about)
            if task is None:
                note.left = -1 if runner.left is None else runner.left
            else:
                note.inputs = {name: _input(task, name) for name in inputs(task)}
            about = None
            source = TopicPartition(self._topology.changelog(runner.id.kind), runner.id.partition)
            found[source] = Committed(runner.changelog_end, write(note))
        return found

    def _of_worker(self) -> WorkerNote:
        standbys = {str(task): left for task, left in sorted(self._worker.standbys.items())}
        return WorkerNote(
            self._about,
            {str(kind): why for kind, why in self._health.reasons.items()},
            standbys,
            positive(self._measured()),
        )

    def _measured(self) -> dict[str, float]:
        found = {}
        for family in self._registry.restricted_registry(MEASURED).collect():
            for sample in family.samples:
                if sample.name in MEASURED:
                    found[" ".join((sample.name, *sample.labels.values()))] = round(sample.value, 3)
        return found


def _input(task: Task, name: str) -> InputNote:
    lateness = next((each.clock.lateness for each in task.external.values() if each.name == name), 0)
    return InputNote(task.watermark(name).watermark, lateness, task.holder(name))
