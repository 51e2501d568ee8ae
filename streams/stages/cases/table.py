"""Cases by record key: those that were used last as they are, all others as rows of bytes.

A row is what the state, the store and the changelog hold of a case: when it is to be looked at, how many events are
deferred, then the case in MessagePack. What is in memory and what is a row makes no difference to anybody.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct

import msgspec

from streams.engine.table import MemoryTable, Table
from streams.rules.cases.case import Case

#: First letter of the keys of these rows.
CASE_LETTER = b"c"
#: To be looked at never.
NOT_DUE = (1 << 63) - 1
#: Agendas, by their place in the header of a row: alerts, what the shops count, messages, what may be over, what is
#: deferred.
ALERTS_DUE, COUNTS_DUE, MESSAGES_DUE, ENDS_DUE, WAITS_DUE = range(5)
_HEADER = Struct("<5qI")
_HEAD = _HEADER.size

#: Cases that are kept as they are, of those used last: twice as many at the most, besides what has changed.
_RECENT = 4_000

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Case).decode
_Held = tuple[Case, list[int]]


class Cases:
    """All cases of a task. `changed`: keys of those that have to be written, until `fold` is called.

    Whoever changes a case adds its key to `changed`.
    """

    def __init__(self, recent: int = _RECENT) -> None:
        self.rows: Table = MemoryTable()
        self.changed: set[str] = set()
        self._recent = recent
        #: Two generations of cases with their moments, by agenda.
        self._young: dict[str, _Held] = {}
        self._old: dict[str, _Held] = {}

    def get(self, key: str) -> Case | None:
        """The case of a key, if there is one."""
        held = self._held(key)
        return None if held is None else held[0]

    def __contains__(self, key: str) -> bool:
        return key in self._young or key in self._old or self.rows.get(case_row_key(key)) is not None

    def begin(self, key: str) -> Case:
        """A case of a key that has none."""
        case = Case(key)
        self._young[key] = case, [NOT_DUE] * 5
        return case

    def drop(self, key: str) -> None:
        """The case is no more."""
        self._young.pop(key, None)
        self._old.pop(key, None)
        self.rows.pop(case_row_key(key), None)
        self.changed.add(key)

    def moment(self, key: str, agenda: int) -> int:
        """When a case is to be looked at, in microseconds; `NEVER` too where there is none."""
        held = self._young.get(key) or self._old.get(key)
        if held is not None:
            return held[1][agenda]
        row = self.rows.get(case_row_key(key))
        if row is None:
            return NOT_DUE
        moment: int = _HEADER.unpack_from(row)[agenda]
        return moment

    def plan(self, key: str, agenda: int, moment: int) -> None:
        """A case is to be looked at then."""
        held = self._held(key)
        if held is not None:
            held[1][agenda] = moment
            self.changed.add(key)

    def hasten(self, key: str, agenda: int, moment: int) -> bool:
        """A case is to be looked at then, if not sooner. False: it is to be looked at sooner, or there is none."""
        held = self._young.get(key) or self._held(key)
        if held is None or held[1][agenda] <= moment:
            return False
        held[1][agenda] = moment
        self.changed.add(key)
        return True

    def values(self) -> Iterator[Case]:
        """All cases. Nothing may be changed meanwhile."""
        for held in (self._old, self._young):
            yield from (case for case, _ in held.values())
        for key, row in self.rows.items():
            name = key[1:].decode()
            if name not in self._young and name not in self._old:
                yield _decode(row[_HEAD:])

    @property
    def in_memory(self) -> int:
        """How many are kept as they are."""
        return len(self._young) + len(self._old)

    def headers(self) -> Iterator[tuple[str, tuple[int, ...], int]]:
        """Of each row its key, its moments, and how many events it defers."""
        for key, row in self.rows.items():
            *moments, deferred = _HEADER.unpack_from(row)
            yield key[1:].decode(), tuple(moments), deferred

    def fold(self) -> Iterator[tuple[bytes, bytes | None]]:
        """Puts into rows what has changed: the keys and rows of that, None where a case is no more.

        To be run to its end.
        """
        for key in self.changed:
            name = case_row_key(key)
            held = self._young.get(key) or self._old.get(key)
            if held is None:
                yield name, self.rows.get(name)
                continue
            case, moments = held
            row = self.rows[name] = _HEADER.pack(*moments, len(case.deferred)) + _encode(case)
            yield name, row
        self.changed.clear()
        if len(self._young) > self._recent:
            self._old, self._young = self._young, {}

    def _held(self, key: str) -> _Held | None:
        held = self._young.get(key)
        if held is None:
            held = self._old.pop(key, None)
            if held is None:
                row = self.rows.get(case_row_key(key))
                if row is None:
                    return None
                held = _decode(row[_HEAD:]), list(_HEADER.unpack_from(row)[:5])
            self._young[key] = held
        return held


def case_row_key(key: str) -> bytes:
    """The key of a case's row."""
    return CASE_LETTER + key.encode()


def case_of(row: bytes) -> Case:
    """The case in a row."""
    return _decode(row[_HEAD:])
