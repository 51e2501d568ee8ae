"""Where a processor keeps the rows of a state that may be larger than memory: bytes by key."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol


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
