"""Rows of the changelog: one record per key of a state, in MessagePack under a letter for the state.

A row that is too large for the log lies in pieces (`streams.stages.split_rows`), and under its own key a head tells how
many there are, and of which format they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from streams.engine.errors import FatalError
from streams.stages.split_rows import PIECE, is_piece, joined, piece_key, split

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder().decode

#: A head begins with a byte that nothing in MessagePack begins with; then the format, then the number of pieces.
_HEAD, _FORMAT = b"\xc1", 1


def row_key(letter: bytes, *parts: Any) -> bytes:
    """The key of a row: a letter that names the state, then the parts."""
    return letter + _encode(parts)


def parts_of(key: bytes) -> tuple[bytes, list[Any]]:
    """The letter and the parts of a row's key."""
    return key[:1], _decode(key[1:])


class ChangelogRows:
    """Writes and reads the rows of one task that are kept in memory; it knows which of them lie in pieces."""

    def __init__(self) -> None:
        self._pieces: dict[bytes, int] = {}

    def put(self, rows: dict[bytes, bytes | None], key: bytes, value: Any) -> None:
        """Adds a row, a tombstone where `value` is None."""
        self.put_encoded(rows, key, None if value is None else _encode(value))

    def put_encoded(self, rows: dict[bytes, bytes | None], key: bytes, row: bytes | None) -> None:
        """The same of a row that is in MessagePack."""
        pieces = split(key, row) if row is not None and len(row) > PIECE else {}
        for number in range(len(pieces), self._pieces.pop(key, 0)):
            rows[piece_key(key, number)] = None
        if pieces:
            self._pieces[key] = len(pieces)
            rows.update(pieces)
            row = _HEAD + _FORMAT.to_bytes(1) + len(pieces).to_bytes(2)
        rows[key] = row

    def whole(self, saved: Iterable[tuple[bytes, bytes]], besides: bytes) -> Iterator[tuple[bytes, bytes]]:
        """All rows, those in pieces put together; those of the letter `besides` as they are.

        Raises `FatalError` where a row is of a format that is not known.
        """
        pieces: dict[bytes, bytes] = {}
        heads: dict[bytes, bytes] = {}
        for key, row in saved:
            if key[:1] == besides:
                yield key, row
            elif is_piece(key):
                pieces[key] = row
            elif row[:1] == _HEAD:
                heads[key] = row
            else:
                yield key, row
        for key, row in heads.items():
            if row[1] != _FORMAT:
                raise FatalError("the state holds rows of a format that this version does not know", 1)
            self._pieces[key] = int.from_bytes(row[2:])
            yield key, joined(pieces, key, self._pieces[key])
