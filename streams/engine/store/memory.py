"""The store that keeps no copy: state is in memory alone, and a restart reads the changelog."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from streams.engine.store.interface import CommittedTable, Copy, Origin, Row
from streams.engine.topology import TaskId


class NoCopy:
    """Keeps nothing; see `streams.engine.store.interface.Copy`."""

    def table(self, prefix: bytes) -> CommittedTable | None:
        del prefix
        return None

    def resume(self, origin: Origin, begin: int, end: int) -> int:
        del origin, end
        return begin

    def load(self, origin: Origin, begin: int, end: int, besides: bytes | None) -> tuple[int, dict[bytes, bytes]]:
        del origin, end, besides
        return begin, {}

    def add(self, rows: Sequence[Row]) -> None:
        """Nothing is kept."""

    def hold(self, origin: Origin, end: int) -> None:
        """Nothing is kept."""

    def write(self, rows: Mapping[bytes, bytes | None], end: int) -> None:
        """Nothing is kept."""

    def end(self) -> int | None:
        return None

    def discard(self) -> None:
        """Nothing is kept."""

    def close(self) -> None:
        """Nothing is open."""


class MemoryStore:
    """The default."""

    keeps = False

    def known(self) -> dict[TaskId, int]:
        return {}

    def open(self, task: TaskId) -> Copy:
        del task
        return NoCopy()

    def follow(self, task: TaskId) -> Copy:
        return self.open(task)

    def forget(self, task: TaskId) -> None:
        """Nothing is kept."""
