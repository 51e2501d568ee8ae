"""Rows on disk, overlaid with what has been set since the last commit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from streams.engine.store.interface import Copy

#: Size of one generation of a table's row cache; memory holds at most twice as many, the most recently used.
_RECENT = 50_000


class Committed(Protocol):
    """The rows on disk."""

    def get(self, key: bytes) -> bytes | None: ...

    def under(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]: ...

    def estimated(self) -> int: ...


class RocksTable:
    """A table over the rows of one prefix; see `streams.engine.store.interface.CommittedTable`.

    Look-up order: uncommitted rows, rows being committed, the cache, the disk.
    """

    def __init__(self, committed: Committed, prefix: bytes) -> None:
        self.prefix = prefix
        #: The prefix of its keys on disk.
        self._lead = prefix[:-1]
        self._disk = committed
        self._set: dict[bytes, bytes | None] = {}
        self._flying: dict[bytes, bytes | None] = {}
        #: Two generations of cached rows as they are on disk; None caches an absent row.
        self._young: dict[bytes, bytes | None] = {}
        self._old: dict[bytes, bytes | None] = {}

    def get(self, key: bytes, /) -> bytes | None:
        for rows in (self._set, self._flying, self._young):
            if key in rows:
                return rows[key]
        row = self._old[key] if key in self._old else self._disk.get(self._lead + key)
        self._young[key] = row
        if len(self._young) > _RECENT:
            self._old, self._young = self._young, {}
        return row

    def __setitem__(self, key: bytes, row: bytes, /) -> None:
        self._set[key] = row

    def pop(self, key: bytes, default: None, /) -> bytes | None:
        row = self.get(key)
        if row is not None:
            self._set[key] = None
        return row if row is not None else default

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        above = {**self._flying, **self._set}
        for key, row in self._disk.under(self.prefix):
            if (name := key[len(self._lead) :]) not in above:
                yield name, row
        yield from ((key, row) for key, row in above.items() if row is not None)

    def size(self) -> int:
        return self._disk.estimated()

    def collected(self) -> None:
        # Rows still in flight belong to a commit that failed; nobody uses the table after that.
        self._flying, self._set = self._set, {}

    def committed(self) -> None:
        self._young.update(self._flying)
        self._flying = {}
        if len(self._young) > _RECENT:
            self._old, self._young = self._young, {}

    def move(self, copy: Copy) -> bool:
        other = copy.table(self.prefix)
        if not isinstance(other, RocksTable):
            return False
        self._disk = other._disk
        return True
