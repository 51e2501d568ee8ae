"""Commits without transactions, for a log that has none: a changelog partition that says itself how far it holds.

A commit writes its rows and, last, a *seal*. What lies behind the last seal was cut off by a crash and does not count;
the next commit puts the rows back that it covered. Outputs and envelopes are written into the changelog too, before the
seal, and sent behind it: whoever takes the task over sends those of the last seal again. So nothing is lost, an output
may come twice, and the receiver of an envelope knows by its number that it has taken it before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from streams.engine.errors import FatalError
from streams.engine.log.interface import TopicPartition, Transaction
from streams.engine.processor import Output

#: Keys of rows that are the journal's own: the seal, and pieces of what is to be sent behind it.
SEAL = b"s"
PIECE = b"t"
#: Bytes of one piece.
_LARGEST = 400_000

_Row = tuple[bytes, bytes | None]


class Intent(NamedTuple):
    """What is sent behind a seal."""

    outputs: list[Output]
    envelopes: list[tuple[TopicPartition, bytes]]


_encode = msgspec.msgpack.Encoder().encode
_intent = msgspec.msgpack.Decoder(Intent).decode
_count = msgspec.msgpack.Decoder(int).decode


def sealed(transaction: Transaction, repairs: Mapping[bytes, bytes | None]) -> list[_Row]:
    """All rows that a commit writes into the changelog, in this order; the last one is the seal."""
    rows: list[_Row] = [*{**repairs, **transaction.rows}.items()]
    pieces = 0
    if transaction.outputs or transaction.envelopes:
        whole = _encode(Intent(transaction.outputs, transaction.envelopes))
        for start in range(0, len(whole), _LARGEST):
            rows.append((PIECE + _encode(pieces), whole[start : start + _LARGEST]))
            pieces += 1
    rows.append(seal(pieces))
    return rows


def seal(pieces: int = 0) -> _Row:
    """Says that all before it holds, and of how many pieces is what has to be sent."""
    return SEAL, _encode(pieces)


def intent(saved: Mapping[bytes, bytes]) -> Intent:
    """What the last seal of these rows asks to be sent."""
    pieces = _count(saved.get(SEAL, b"\0"))
    if not pieces:
        return Intent([], [])
    return _intent(b"".join(saved[PIECE + _encode(number)] for number in range(pieces)))


def refuse(changelog: TopicPartition, saved: Mapping[bytes, bytes]) -> None:
    """Raises `FatalError` where rows were written without transactions, which could be cut off in the middle."""
    if SEAL in saved:
        raise FatalError(
            f"{changelog.topic} was written with the guarantee at_least_once: go on with it, or begin anew "
            "under another application id"
        )


class Reader:
    """Reads a changelog partition from its beginning: `rows` are those that hold, `torn` what must be put back.

    Where there is no seal at all, everything was written in transactions, and holds.
    """

    def __init__(self) -> None:
        self.rows: dict[bytes, bytes] = {}
        self._open: dict[bytes, bytes | None] = {}
        self._sealed = False

    def take(self, rows: Iterable[_Row]) -> None:
        for key, row in rows:
            self._open[key] = row
            if key == SEAL:
                self._sealed = True
                self._settle()

    def end(self) -> dict[bytes, bytes | None]:
        """To be called at the end. The rows to be written so that what lies behind the last seal is undone."""
        if not self._sealed:
            self._settle()
        return {key: self.rows.get(key) for key in self._open}

    def _settle(self) -> None:
        for key, row in self._open.items():
            if row is None:
                self.rows.pop(key, None)
            else:
                self.rows[key] = row
        self._open.clear()
