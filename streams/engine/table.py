"""Where a processor keeps the rows of a state that may be larger than memory: bytes by key."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, runtime_checkable


class Table(Protocol):
    """Rows by key, as they are now: what has been set is there at once, whether or not it is committed."""

    def get(self, key: bytes, /) -> bytes | None:
        """The row of a key, None where there is none."""

    def __setitem__(self, key: bytes, row: bytes, /) -> None: ...

    def pop(self, key: bytes, default: None, /) -> bytes | None:
        """Takes a row out, where there is one."""

    def items(self) -> Iterable[tuple[bytes, bytes]]:
        """All rows. Nothing may be set meanwhile."""


class MemoryTable(dict[bytes, bytes]):
    """All rows in memory; see `Table`."""


@runtime_checkable
class Tabled(Protocol):
    """A processor whose rows of one first letter may lie in a table that it is given.

    It collects each row that it has set in the table, and is not given them by `restore` where it was given a table.
    """

    letter: bytes

    def attach(self, table: Table) -> None:
        """Uses this table, which holds the rows of its letter. To be called before `restore`."""
