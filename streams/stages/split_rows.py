"""Splits rows that exceed the log's record size into a head and pieces.

The head is stored under the row's own key and holds the number of pieces; each piece has its own key under the same
first letter. UTF-8 ids never contain the byte 0xFF, so that byte after the letter marks a piece; the length before the
id keeps the pieces of different ids apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from streams.engine.table import Table

#: Bytes per piece: far below the log's record limit (1 MiB), and large enough to keep pieces few.
PIECE = 256 << 10
_MARK = b"\xff"


class Rows(Protocol):
    """Row lookup."""

    def get(self, key: bytes, /) -> bytes | None: ...


def piece_key(key: bytes, number: int) -> bytes:
    """The key of one piece of a row."""
    name = key[1:]
    return key[:1] + _MARK + len(name).to_bytes(2) + name + number.to_bytes(2)


def is_piece(key: bytes) -> bool:
    """True if the key is that of a piece."""
    return key[1:2] == _MARK


def owner_of(key: bytes) -> bytes:
    """The key of the row that a piece belongs to."""
    return key[:1] + key[4 : 4 + int.from_bytes(key[2:4])]


def joined(rows: Rows, key: bytes, count: int) -> bytes:
    """The body of a row, joined from its pieces."""
    return b"".join(rows.get(piece_key(key, number)) or b"" for number in range(count))


def split(key: bytes, body: bytes) -> dict[bytes, bytes]:
    """Splits a body into pieces, by key."""
    starts = range(0, len(body), PIECE)
    return {piece_key(key, number): body[start : start + PIECE] for number, start in enumerate(starts)}


def replace(rows: Table, key: bytes, before: int, pieces: Mapping[bytes, bytes]) -> dict[bytes, bytes | None]:
    """Replaces the `before` old pieces of a row. Returns the changed ones; None for a deleted piece."""
    changed: dict[bytes, bytes | None] = {}
    for name, piece in pieces.items():
        if rows.get(name) != piece:
            rows[name] = changed[name] = piece
    for number in range(len(pieces), before):
        name = piece_key(key, number)
        rows.pop(name, None)
        changed[name] = None
    return changed
