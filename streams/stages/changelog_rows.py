"""Rows of the changelog: one small record per key of a state, in MessagePack under a letter for the state."""

from __future__ import annotations

from typing import Any

import msgspec

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder().decode


def row_key(letter: bytes, *parts: Any) -> bytes:
    """The key of a row: a letter that names the state, then the parts."""
    return letter + _encode(parts)


def parts_of(key: bytes) -> tuple[bytes, list[Any]]:
    """The letter and the parts of a row's key."""
    return key[:1], _decode(key[1:])


def put_row(rows: dict[bytes, bytes | None], key: bytes, value: Any) -> None:
    """Adds a row, a tombstone where `value` is None."""
    rows[key] = None if value is None else _encode(value)
