"""The in-memory store of standbys: rows of other workers' tasks, ready for a takeover."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from streams.engine.store.fitness import unfit
from streams.engine.store.interface import CommittedTable, Copy, Origin, Row
from streams.engine.store.memory import NoCopy
from streams.engine.topology import TaskId


class WarmCopy:
    """Rows of a followed changelog; see `streams.engine.store.interface.Copy`."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._origin: Origin | None = None
        self._end = 0
        self._written_at = 0.0
        self.rows: dict[bytes, bytes] = {}

    def resume(self, origin: Origin, begin: int, end: int) -> int:
        if self._origin != origin or unfit(self._end, self._now() - self._written_at, begin, end) is not None:
            self.discard()
            return begin
        return self._end

    def table(self, prefix: bytes) -> CommittedTable | None:
        del prefix
        return None

    def load(self, origin: Origin, begin: int, end: int, besides: bytes | None) -> tuple[int, dict[bytes, bytes]]:
        del besides
        return self.resume(origin, begin, end), self.rows

    def add(self, rows: Sequence[Row]) -> None:
        held = self.rows
        for key, row in rows:
            if row is None:
                held.pop(key, None)
            else:
                held[key] = row

    def hold(self, origin: Origin, end: int) -> None:
        self._origin, self._end, self._written_at = origin, end, self._now()

    def write(self, rows: Mapping[bytes, bytes | None], end: int) -> None:
        self.add([*rows.items()])
        self._end, self._written_at = end, self._now()

    def end(self) -> int | None:
        return None if self._origin is None else self._end

    def discard(self) -> None:
        self._origin, self.rows = None, {}

    def close(self) -> None:
        """Nothing is open; what was followed stays until it is taken over."""


class GivenCopy(NoCopy):
    """The followed rows, for the task that takes over: from its first commit on it keeps its state itself."""

    def __init__(self, warm: dict[TaskId, WarmCopy], task: TaskId) -> None:
        self._warm = warm
        self._task = task

    def load(self, origin: Origin, begin: int, end: int, besides: bytes | None) -> tuple[int, dict[bytes, bytes]]:
        copy = self._warm.get(self._task)
        return (begin, {}) if copy is None else copy.load(origin, begin, end, besides)

    def write(self, rows: Mapping[bytes, bytes | None], end: int) -> None:
        del rows, end
        self._warm.pop(self._task, None)

    def discard(self) -> None:
        self._warm.pop(self._task, None)


class WarmStore:
    """The rows that one worker's standbys follow, in memory. `now`: seconds of a monotonic clock."""

    keeps = True

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._warm: dict[TaskId, WarmCopy] = {}

    def known(self) -> dict[TaskId, int]:
        return {}

    def open(self, task: TaskId) -> Copy:
        return GivenCopy(self._warm, task)

    def follow(self, task: TaskId) -> Copy:
        return self._warm.setdefault(task, WarmCopy(self._now))

    def forget(self, task: TaskId) -> None:
        self._warm.pop(task, None)
