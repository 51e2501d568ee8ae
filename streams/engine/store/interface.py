"""The store interface: a local copy of changelog rows, and the offset up to which it is complete."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from streams.engine.table import Table
from streams.engine.topology import TaskId

#: Key and row; None is a tombstone.
Row = tuple[bytes, bytes | None]


class Origin(NamedTuple):
    """The changelog partition that a copy was made from.

    `birth` comes from the partition's first record: a topic that was deleted and created again has another.
    """

    cluster: str
    changelog: str
    partition: int
    birth: bytes


class CommittedTable(Table, Protocol):
    """A table over the rows of a copy with one prefix, whose last byte is the first byte of the table's keys.

    Writes are buffered above the copy until they are committed.
    """

    prefix: bytes

    def collected(self) -> None:
        """A commit of everything set so far has begun."""

    def committed(self) -> None:
        """That commit is in the copy."""

    def move(self, copy: Copy) -> bool:
        """Moves the table onto another copy of the same rows. False if that copy cannot carry it."""


class Copy(Protocol):
    """The copy of one task's changelog rows. Every method may block; none raises unless it says so."""

    def table(self, prefix: bytes) -> CommittedTable | None:
        """A table over its rows of that prefix; None if it keeps nothing."""

    def resume(self, origin: Origin, begin: int, end: int) -> int:
        """The offset up to which it is valid; `begin` if it is unfit, and then discarded, as in `load`."""

    def load(self, origin: Origin, begin: int, end: int, besides: bytes | None) -> tuple[int, dict[bytes, bytes]]:
        """The offset up to which it is valid, and the rows live there, except those of the prefix `besides`.

        An unfit copy (none at all, of another origin, older than the log's retention of tombstones, or not between the
        log's `begin` and `end`) is discarded: (`begin`, no rows) then.
        """

    def add(self, rows: Sequence[Row]) -> None:
        """Takes rows read after those loaded; `hold` then says up to which offset."""

    def hold(self, origin: Origin, end: int) -> None:
        """Marks what was loaded and added as the changelog up to `end`."""

    def write(self, rows: Mapping[bytes, bytes | None], end: int) -> None:
        """Writes the rows of a commit and the offset after it, atomically. Call it after the commit."""

    def end(self) -> int | None:
        """The offset up to which it is valid; None if it is empty."""

    def discard(self) -> None:
        """Discards the copy: the next one starts empty."""

    def close(self) -> None:
        """Releases the copy; what was written stays."""


class Store(Protocol):
    """Where copies are kept. `keeps`: whether a takeover may find a copy here."""

    keeps: bool

    def known(self) -> dict[TaskId, int]:
        """Tasks of which a previous process left a copy, with the offset up to which it is valid. May block."""

    def open(self, task: TaskId) -> Copy:
        """The copy of a task's rows; one that keeps nothing if it is unavailable (another process has it open)."""

    def follow(self, task: TaskId) -> Copy:
        """The copy of a task's rows, for a standby: once it is closed, `open` gives its content to the task."""

    def forget(self, task: TaskId) -> None:
        """The task is no longer followed, and will not be taken over."""
