"""Commits on a log without transactions: the changelog partition itself records how far it is valid.

A commit writes its rows and, last, a *seal*. Rows after the last seal were cut off by a crash and do not count; the
next commit restores the values they overwrote. Outputs and envelopes are written to the changelog too, before the seal,
and sent after it: whoever takes the task over resends those of the last seal. So nothing is lost, an output may be
duplicated, and the receiver of an envelope drops duplicates by its number.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from streams.engine.errors import FatalError
from streams.engine.log.interface import TopicPartition, Transaction
from streams.engine.processor import Output

#: Keys of the journal's own rows: the seal, and the pieces of what is sent after it.
SEAL = b"s"
PIECE = b"t"
#: Size of one piece, in bytes.
_LARGEST = 400_000

_Row = tuple[bytes, bytes | None]


class Intent(NamedTuple):
    """What is sent after a seal."""

    outputs: list[Output]
    envelopes: list[tuple[TopicPartition, bytes]]


_encode = msgspec.msgpack.Encoder().encode
_intent = msgspec.msgpack.Decoder(Intent).decode
_count = msgspec.msgpack.Decoder(int).decode


def sealed(transaction: Transaction, repairs: Mapping[bytes, bytes | None]) -> list[_Row]:
    """All rows that a commit writes to the changelog, in order; the last one is the seal."""
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
    """A seal row: all rows before it are valid, and what has to be sent is in this many pieces."""
    return SEAL, _encode(pieces)


def intent(saved: Mapping[bytes, bytes]) -> Intent:
    """What has to be sent after the last seal of these rows."""
    pieces = _count(saved.get(SEAL, b"\0"))
    if not pieces:
        return Intent([], [])
    return _intent(b"".join(saved[PIECE + _encode(number)] for number in range(pieces)))


def refuse(changelog: TopicPartition, saved: Mapping[bytes, bytes]) -> None:
    """Raises `FatalError` if the rows were written without transactions: a commit may be incomplete."""
    if SEAL in saved:
        raise FatalError(
            f"{changelog.topic} was written with the guarantee at_least_once: go on with it, or begin anew "
            "under another application id"
        )


class Reader:
    """Reads a changelog partition from its beginning: `rows` are the valid ones, `torn` what must be put back.

    Without any seal, everything was written in transactions and is valid.
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
        """Ends the read. Returns the rows to write to undo what follows the last seal."""
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
