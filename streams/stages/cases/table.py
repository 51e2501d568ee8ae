"""Cases by record key: a cache of decoded cases over a table of rows.

A row is what the state, the store and the changelog hold of a case: its due moments, its number of deferred events,
then the case in MessagePack, split into pieces if it is too large for one row. Callers cannot tell a cached case from
a stored one.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct

import msgspec

from streams.engine.errors import FatalError
from streams.engine.table import MemoryTable, Table
from streams.rules.cases.case import Case
from streams.stages.split_rows import PIECE, Rows, is_piece, joined, piece_key, replace, split

#: First byte of these rows' keys.
CASE_LETTER = b"c"
#: Never due.
NOT_DUE = (1 << 63) - 1
#: Agendas, by index in the header of a row: alerts, shop counts, messages, lifetimes, deferred events.
ALERTS_DUE, COUNTS_DUE, MESSAGES_DUE, ENDS_DUE, WAITS_DUE = range(5)
#: The last number of a header packs the number of deferred events (bits 0 to 15; no key has more), the number of pieces
#: (`streams.stages.split_rows`; 0: in the row itself; its low eight bits at 20, the rest at 16), and the row format.
_HEADER = Struct("<5qI")
_HEAD = _HEADER.size
_DEFERRED, _FORMATS, _FORMAT = 0xFFFF, 0xF << 28, 1 << 28
_MOST_PIECES = 0xFFF
#: Of 0.1.0: the number of deferred events alone; the case lacks what came later.
_FORMER = 0

#: Cached cases per generation: at most twice as many in all, not counting changed ones.
_RECENT = 4_000

#: Of a mapping, the order in which it came to be is left out.
_encode = msgspec.msgpack.Encoder(order="deterministic").encode
_decode = msgspec.msgpack.Decoder(Case).decode
_CachedCase = tuple[Case, list[int]]


class Cases:
    """All cases of a task. `changed`: keys of cases to write at the next `fold`.

    A caller that changes a case adds its key to `changed`.
    """

    def __init__(self, recent: int = _RECENT) -> None:
        self.rows: Table = MemoryTable()
        self.changed: set[str] = set()
        self._recent = recent
        #: Keys of pieces to delete.
        self._gone: set[bytes] = set()
        #: Two generations of cached cases with their due moments, by agenda.
        self._young: dict[str, _CachedCase] = {}
        self._old: dict[str, _CachedCase] = {}

    def get(self, key: str) -> Case | None:
        """The case of a key, or None."""
        cached = self._cached(key)
        return None if cached is None else cached[0]

    def __contains__(self, key: str) -> bool:
        return key in self._young or key in self._old or self.rows.get(case_row_key(key)) is not None

    def begin(self, key: str) -> Case:
        """Creates the case of a key that has none."""
        case = Case(key)
        self._young[key] = case, [NOT_DUE] * 5
        return case

    def drop(self, key: str) -> None:
        """Deletes the case."""
        self._young.pop(key, None)
        self._old.pop(key, None)
        name = case_row_key(key)
        row = self.rows.pop(name, None)
        for number in range(0 if row is None else _pieces_of(row)):
            self.rows.pop(piece_key(name, number), None)
            self._gone.add(piece_key(name, number))
        self.changed.add(key)

    def moment(self, key: str, agenda: int) -> int:
        """When a case is due, in microseconds; `NEVER` if it is not, or does not exist."""
        cached = self._young.get(key) or self._old.get(key)
        if cached is not None:
            return cached[1][agenda]
        row = self.rows.get(case_row_key(key))
        if row is None:
            return NOT_DUE
        moment: int = _HEADER.unpack_from(row)[agenda]
        return moment

    def plan(self, key: str, agenda: int, moment: int) -> bool:
        """Sets when a case is due. True: sooner than before."""
        cached = self._cached(key)
        if cached is None:
            return False
        before = cached[1][agenda]
        cached[1][agenda] = moment
        self.changed.add(key)
        return moment < before

    def hasten(self, key: str, agenda: int, moment: int) -> bool:
        """Brings the due moment of a case forward. False: it is due sooner already, or does not exist."""
        cached = self._young.get(key) or self._cached(key)
        if cached is None or cached[1][agenda] <= moment:
            return False
        cached[1][agenda] = moment
        self.changed.add(key)
        return True

    def values(self) -> Iterator[Case]:
        """All cases. The table must not change during iteration."""
        for cached in (self._old, self._young):
            yield from (case for case, _ in cached.values())
        for key, row in self.rows.items():
            if is_piece(key):
                continue
            name = key[1:].decode()
            if name not in self._young and name not in self._old:
                yield case_of(self.rows, key, row)

    @property
    def in_memory(self) -> int:
        """Number of cached cases."""
        return len(self._young) + len(self._old)

    def headers(self) -> Iterator[tuple[str, tuple[int, ...], int]]:
        """For each row its key, due moments, and number of deferred events."""
        for key, row in self.rows.items():
            if is_piece(key):
                continue
            *moments, rest = _HEADER.unpack_from(row)
            if rest & _FORMATS not in (_FORMAT, _FORMER):
                raise FatalError("the state holds rows of a format that this version does not know", 1)
            yield key[1:].decode(), tuple(moments), rest & _DEFERRED

    def fold(self) -> Iterator[tuple[bytes, bytes | None]]:
        """Encodes changed cases into rows, and yields their keys and rows; None for a deleted case.

        Must be exhausted.
        """
        yield from ((name, None) for name in self._gone)
        self._gone.clear()
        for key in self.changed:
            name = case_row_key(key)
            cached = self._young.get(key) or self._old.get(key)
            if cached is None:
                yield name, self.rows.get(name)
                continue
            case, moments = cached
            known, body = self.rows.get(name), _encode(case)
            before = 0 if known is None else _pieces_of(known)
            pieces = split(name, body) if len(body) > PIECE else {}
            if before or pieces:
                yield from replace(self.rows, name, before, pieces).items()
            row = self.rows[name] = _HEADER.pack(*moments, _rest(len(pieces), len(case.deferred))) + (
                b"" if pieces else body
            )
            yield name, row
        self.changed.clear()
        if len(self._young) > self._recent:
            self._old, self._young = self._young, {}

    def _cached(self, key: str) -> _CachedCase | None:
        cached = self._young.get(key)
        if cached is None:
            cached = self._old.pop(key, None)
            if cached is None:
                name = case_row_key(key)
                row = self.rows.get(name)
                if row is None:
                    return None
                cached = case_of(self.rows, name, row), list(_HEADER.unpack_from(row)[:5])
            self._young[key] = cached
        return cached


def case_row_key(key: str) -> bytes:
    """The key of a case's row."""
    return CASE_LETTER + key.encode()


def case_of(rows: Rows, key: bytes, row: bytes) -> Case:
    """Decodes a row, with its pieces from the rows if it is split."""
    pieces = _pieces_of(row)
    return _decode(joined(rows, key, pieces) if pieces else row[_HEAD:])


def case_keys(key: bytes, row: bytes) -> list[bytes]:
    """The keys of a case's row and its pieces."""
    return [key, *(piece_key(key, number) for number in range(_pieces_of(row)))]


def is_in_pieces(row: bytes) -> bool:
    """True if the row's case is split into pieces."""
    return _pieces_of(row) > 0


def _pieces_of(row: bytes) -> int:
    rest: int = _HEADER.unpack_from(row)[5]
    return rest >> 20 & 0xFF | (rest >> 16 & 0xF) << 8 if rest & _FORMATS else 0


def _rest(pieces: int, deferred: int) -> int:
    """The last number of a header. Raises `FatalError` for a case of a gigabyte."""
    if pieces > _MOST_PIECES:
        raise FatalError(f"a key's events are more than a row can hold: {pieces} pieces of {PIECE} bytes", 1)
    return _FORMAT | (pieces & 0xFF) << 20 | pieces >> 8 << 16 | deferred
