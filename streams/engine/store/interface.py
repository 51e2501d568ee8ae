"""What the engine asks of a store: a copy of changelog rows, and the offset up to which it is one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from streams.engine.table import Table
from streams.engine.topology import TaskId

#: Key and row; None where it is gone.
Row = tuple[bytes, bytes | None]


class Origin(NamedTuple):
    """Which changelog partition a copy is one of.

    `birth` is what the partition's first record says: a topic that was deleted and made anew has another.
    """

    cluster: str
    changelog: str
    partition: int
    birth: bytes


class CommittedTable(Table, Protocol):
    """A table over the rows of a copy that have one prefix, whose last byte is the first of the table's keys.

    What has been set since lies above the copy until it is committed.
    """

    prefix: bytes

    def collected(self) -> None:
        """What has been set up to now is being committed."""

    def committed(self) -> None:
        """It is in the copy."""

    def move(self, copy: Copy) -> bool:
        """Goes on above another copy of the same rows. False: that is none to go on above."""


class Copy(Protocol):
    """The copy of one task's changelog rows. Every method may block; none raises but where it says so."""

    def table(self, prefix: bytes) -> CommittedTable | None:
        """A table over its rows of that prefix; None where it keeps nothing."""

    def resume(self, origin: Origin, begin: int, end: int) -> int:
        """The offset up to which it holds; `begin` where it is of no use, and thrown away, as `load` says."""

    def load(self, origin: Origin, begin: int, end: int, besides: bytes | None) -> tuple[int, dict[bytes, bytes]]:
        """The offset up to which it holds, and the rows that are live there, but those of the prefix `besides`.

        What is of no use (no copy, one of another origin, one that is older than what the log remembers, or holds
        more than the log between `begin` and `end`) is thrown away: (`begin`, none) then.
        """

    def add(self, rows: Sequence[Row]) -> None:
        """Takes rows that were read behind what was loaded, before `hold` says up to where."""

    def hold(self, origin: Origin, end: int) -> None:
        """What was loaded and added is the changelog up to `end`."""

    def write(self, rows: Mapping[bytes, bytes | None], end: int) -> None:
        """What a commit has written, and the offset behind it: both or nothing. To be called behind the commit."""

    def end(self) -> int | None:
        """The offset up to which it holds; None where it holds nothing."""

    def discard(self) -> None:
        """It is of no use any more: the next one begins anew."""

    def close(self) -> None:
        """Lets go of it; what was written stays."""


class Store(Protocol):
    """Where copies are kept. `keeps`: whether they may be of use to who takes a task over."""

    keeps: bool

    def known(self) -> dict[TaskId, int]:
        """The tasks of which a former process has left a copy, and the offsets up to which they hold. May block."""

    def open(self, task: TaskId) -> Copy:
        """The copy of a task's rows. One that cannot be had (another process holds it) is one that keeps nothing."""

    def follow(self, task: TaskId) -> Copy:
        """The copy of a task's rows, for a standby: what it holds when it is closed, `open` gives to the task."""

    def forget(self, task: TaskId) -> None:
        """The task is followed no longer, and will not be taken over."""
