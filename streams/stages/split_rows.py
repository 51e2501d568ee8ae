"""Rows that are larger than a log takes are kept as a head and pieces.

The head lies under the row's own key and tells how many pieces there are; each piece has a key of its own under the
same first letter. Ids are any text in UTF-8, which has no byte 0xFF: that byte behind the letter tells a piece, and the
length before the id keeps the pieces of one id apart from those of another.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from streams.engine.table import Table

#: Bytes of a piece: far below what a log takes at once (1 MiB), and large enough for few of them.
PIECE = 256 << 10
_MARK = b"\xff"


class Rows(Protocol):
    """Where rows are looked up."""

    def get(self, key: bytes, /) -> bytes | None: ...


def piece_key(key: bytes, number: int) -> bytes:
    """The key of a piece of the row of that key."""
    name = key[1:]
    return key[:1] + _MARK + len(name).to_bytes(2) + name + number.to_bytes(2)


def is_piece(key: bytes) -> bool:
    """Whether it is the key of a piece."""
    return key[1:2] == _MARK


def owner_of(key: bytes) -> bytes:
    """The key of the row that a piece belongs to."""
    return key[:1] + key[4 : 4 + int.from_bytes(key[2:4])]


def joined(rows: Rows, key: bytes, count: int) -> bytes:
    """What the pieces of a row hold."""
    return b"".join(rows.get(piece_key(key, number)) or b"" for number in range(count))


def split(key: bytes, body: bytes) -> dict[bytes, bytes]:
    """The pieces of a body, by their keys."""
    starts = range(0, len(body), PIECE)
    return {piece_key(key, number): body[start : start + PIECE] for number, start in enumerate(starts)}


def replace(rows: Table, key: bytes, before: int, pieces: Mapping[bytes, bytes]) -> dict[bytes, bytes | None]:
    """Puts pieces in the place of the `before` that there were; those that have changed, None where one is gone."""
    changed: dict[bytes, bytes | None] = {}
    for name, piece in pieces.items():
        if rows.get(name) != piece:
            rows[name] = changed[name] = piece
    for number in range(len(pieces), before):
        name = piece_key(key, number)
        rows.pop(name, None)
        changed[name] = None
    return changed
