"""Changelog rows: one record per key of a state, in MessagePack, under a letter that names the state.

A row too large for the log is split into pieces (`streams.stages.split_rows`); the head under its own key holds their
number and format.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from streams.engine.errors import FatalError
from streams.stages.split_rows import PIECE, is_piece, joined, piece_key, split

#: Of a mapping, the order in which it came to be is left out.
_encode = msgspec.msgpack.Encoder(order="deterministic").encode
_decode = msgspec.msgpack.Decoder().decode

#: A head starts with a byte that no MessagePack value starts with, then the format, then the number of pieces.
_HEAD, _FORMAT = b"\xc1", 1


def row_key(letter: bytes, *parts: Any) -> bytes:
    """The key of a row: a letter that names the state, then the parts."""
    return letter + _encode(parts)


def parts_of(key: bytes) -> tuple[bytes, list[Any]]:
    """The letter and the parts of a row's key."""
    return key[:1], _decode(key[1:])


class ChangelogRows:
    """Writes and reads the in-memory rows of one task; tracks which of them are split."""

    def __init__(self) -> None:
        self._pieces: dict[bytes, int] = {}

    def put(self, rows: dict[bytes, bytes | None], key: bytes, value: Any) -> None:
        """Adds a row, or a tombstone if `value` is None."""
        self.put_encoded(rows, key, None if value is None else _encode(value))

    def put_encoded(self, rows: dict[bytes, bytes | None], key: bytes, row: bytes | None) -> None:
        """`put` for a row already in MessagePack."""
        pieces = split(key, row) if row is not None and len(row) > PIECE else {}
        for number in range(len(pieces), self._pieces.pop(key, 0)):
            rows[piece_key(key, number)] = None
        if pieces:
            self._pieces[key] = len(pieces)
            rows.update(pieces)
            row = _HEAD + _FORMAT.to_bytes(1) + len(pieces).to_bytes(2)
        rows[key] = row

    def whole(self, saved: Iterable[tuple[bytes, bytes]], besides: bytes) -> Iterator[tuple[bytes, bytes]]:
        """All rows, split ones joined; rows under the letter `besides` unchanged.

        Raises `FatalError` if a row has an unknown format.
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
