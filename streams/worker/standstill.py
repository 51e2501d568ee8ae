"""Notices tasks that get nowhere though there is something to read, and starts them again, a little more each time.

What counts as progress is what is committed: a task whose commits fail again and again makes none. A task that has to
wait for others, or behind an open transaction of another application, is named, but starting it again would not help.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from enum import Enum
from typing import NamedTuple

from streams.engine.log.interface import TopicPartition
from streams.engine.runner import Runner
from streams.engine.topology import TaskId

#: Seconds without progress behind which a task is told of, and started again; seconds behind which the worker takes a
#: new membership, and all tasks with it.
STANDSTILL, REJOIN = 30.0, 60.0
#: Seconds for which one commit may last, and for which a task may leave untaken what it is told.
COMMIT, TAKING = 20.0, 5.0
#: Seconds that count at most between two looks. Whoever was stopped himself (a signal, a frozen machine, a clock that
#: was set) cannot tell how the tasks would have got on.
_UNWATCHED = 5.0


class Step(Enum):
    """What to do about a task."""

    TASK = "task"
    MEMBER = "member"
    PROCESS = "process"


class Standing(NamedTuple):
    """A task that stands still, for how long, why as far as it is known, and what is to be done now, if anything."""

    task: TaskId
    seconds: float
    why: str
    step: Step | None


class _Progress:
    """How far a task has come, for how long it has stood there, and how far a restore of it has."""

    def __init__(self) -> None:
        self.best: dict[TopicPartition, int] = {}
        self.stood = 0.0
        self.left: int | None = None
        self.left_for = 0.0
        self.steps = 0


class Standstill:
    """Looks at the tasks of one worker. `patience`: seconds, beyond `REJOIN`, behind which only a new process helps."""

    def __init__(self, patience: float) -> None:
        self._patience = patience
        #: Of all tasks that were ever here: one that stands still does so behind a new membership, too.
        self._known: dict[TaskId, _Progress] = {}
        self._looked: float | None = None
        self.longest = 0.0

    def look(
        self,
        now: float,
        runners: Sequence[Runner],
        ends: Mapping[TopicPartition, int],
        waits: Mapping[TopicPartition, str],
        *,
        excused: bool,
    ) -> list[Standing]:
        """Call it often. `now`: seconds by the monotonic clock. `waits`: why partitions cannot be read, in words.

        `excused`: something else is wrong that explains it, which is dealt with elsewhere.
        """
        passed = 0.0 if self._looked is None else min(now - self._looked, _UNWATCHED)
        self._looked = now
        found: list[Standing] = []
        self.longest = 0.0
        for runner in runners:
            progress = self._known.setdefault(runner.id, _Progress())
            unread = _unread(runner, ends)
            if _advanced(runner, progress) or (_is_well(runner, unread) and not _is_deaf(runner, now)):
                progress.stood, progress.steps = 0.0, 0
                continue
            long = runner.committing is not None and now - runner.committing > COMMIT
            if runner.task is None and _restores(runner, progress, passed):
                continue
            if runner.task is not None and runner.task.in_round and not long:
                continue  # A long round reads nothing, and is work.
            if not excused:
                progress.stood += passed
            self.longest = max(self.longest, progress.stood)
            if progress.stood > STANDSTILL or long:
                held = unread.keys() & waits.keys() if unread.keys() <= waits.keys() and not long else set()
                step = None if held or excused else self._step(progress, works=runner.task is not None)
                found.append(Standing(runner.id, progress.stood, _why(runner, unread, waits, held, now), step))
        return found

    def _step(self, progress: _Progress, *, works: bool) -> Step | None:
        """The next step of a task, each once, but that memberships follow each other. `works`: it is restored."""
        if progress.stood > REJOIN + self._patience:
            return Step.PROCESS
        if progress.stood > REJOIN * max(progress.steps, 1):
            progress.steps = max(progress.steps, 1) + 1
            return Step.MEMBER
        if progress.stood > STANDSTILL and not progress.steps and works:
            progress.steps = 1
            return Step.TASK
        return None


def _unread(runner: Runner, ends: Mapping[TopicPartition, int]) -> dict[TopicPartition, int]:
    """The inputs that are not read to their ends, with the offset that is next."""
    task = runner.task
    if task is None:
        return {}
    return {source: offset for source, offset in task.positions().items() if ends.get(source, 0) > offset}


def _is_well(runner: Runner, unread: Collection[TopicPartition]) -> bool:
    """Whether everything is read and committed."""
    return runner.task is not None and not unread and not runner.task.unsaved and runner.committing is None


def _is_deaf(runner: Runner, now: float) -> bool:
    """Whether a task takes nothing, be there records or not: its watermarks hold others up."""
    return runner.task is not None and runner.untaken is not None and now - runner.untaken > TAKING


def _advanced(runner: Runner, progress: _Progress) -> bool:
    """Whether more is committed than ever; before the first commit, whether more is read."""
    reached = {source: put.offset for source, put in runner.committed.items()}
    if not reached and runner.task is not None:
        reached = runner.task.positions()
    further = {source: offset for source, offset in reached.items() if offset > progress.best.get(source, -1)}
    progress.best.update(further)
    return bool(further)


def _restores(runner: Runner, progress: _Progress, passed: float) -> bool:
    """Whether a restore gets on, however long it takes."""
    if not runner.restoring:
        return False
    if not runner.left:
        return True  # A copy on disk is read, or the state is built.
    if runner.left != progress.left:
        progress.left, progress.left_for = runner.left, 0.0
    progress.left_for += passed
    return progress.left_for <= STANDSTILL


def _why(
    runner: Runner,
    unread: Mapping[TopicPartition, int],
    waits: Mapping[TopicPartition, str],
    held: Collection[TopicPartition],
    now: float,
) -> str:
    if runner.committing is not None and now - runner.committing > COMMIT:
        return f"has been committing for {now - runner.committing:.0f} s"
    if runner.task is None:
        left = "" if runner.left is None else f", with {runner.left} offsets left"
        return f"has not been restored{left}"
    if not unread and _is_deaf(runner, now):
        return "takes nothing, and its watermarks stand"
    if not unread:
        return "has not been able to commit what it has read"
    source, offset = min((each, offset) for each, offset in unread.items() if not held or each in held)
    where = f"has read nothing of {source.topic}-{source.partition} from {offset} on"
    return f"{where}: {waits[source]}" if source in held else where
