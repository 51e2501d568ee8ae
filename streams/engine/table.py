"""Tables: where a processor keeps state that may be larger than memory, as bytes by key."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, runtime_checkable


class Table(Protocol):
    """Rows by key, reading its own writes: what has been set is visible at once, committed or not."""

    def get(self, key: bytes, /) -> bytes | None:
        """The row of a key; None if there is none."""

    def __setitem__(self, key: bytes, row: bytes, /) -> None: ...

    def pop(self, key: bytes, default: None, /) -> bytes | None:
        """Removes and returns a row, if there is one."""

    def items(self) -> Iterable[tuple[bytes, bytes]]:
        """All rows. Set nothing while iterating."""

    def size(self) -> int:
        """The number of rows; on disk an estimate."""


class MemoryTable(dict[bytes, bytes]):
    """All rows in memory; see `Table`."""

    def size(self) -> int:
        return len(self)


@runtime_checkable
class Tabled(Protocol):
    """A processor that can keep its rows of one first letter in a table.

    It still collects each row that it sets in the table. Once attached, `restore` is not given those rows.
    """

    letter: bytes

    def attach(self, table: Table) -> None:
        """Uses this table, which holds the rows of its letter. Call it before `restore`."""
