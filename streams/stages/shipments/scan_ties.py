"""Tie-breakers between unsettled scans with the same time and status.

Events at one time sort by event id, then by the SHA-256 of the value. Both are kept for each unsettled scan; the digest
is computed only when two scans collide or when it must outlive the process.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

import msgspec

from schemas.times import BEFORE_ALL
from streams.rules.facts import digest
from streams.rules.shipments.scan_status import BITS

#: First byte of these rows' keys.
TIES_LETTER = b"t"
#: Notes per row: ids have at most 128 characters, so no row comes near the log's record limit.
_MOST = 500

#: Row key of the parcel, the scan, the event id, then the value or (True) its digest.
_Note = tuple[bytes, int, str, bytes, bool]

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[tuple[bytes, int, str, bytes]]).decode


class _Generation:
    """Notes in arrival order, sorted only on the first lookup: lookups are rare."""

    __slots__ = ("_indexed", "_places", "collected", "notes", "rows")

    def __init__(self) -> None:
        self.notes: list[_Note] = []
        #: How many have been collected, and the numbers of the rows that hold them.
        self.collected = 0
        self.rows: list[int] = []
        self._places: dict[tuple[bytes, int], int] = {}
        self._indexed = 0

    def find(self, key: bytes, packed: int) -> _Note | None:
        notes, places = self.notes, self._places
        for place in range(self._indexed, len(notes)):
            # Of two notes the later one holds.
            places[notes[place][:2]] = place
        self._indexed = len(notes)
        found = places.get((key, packed))
        return None if found is None else notes[found]


class Ties(Protocol):
    """What is known of unsettled scans. `packed`: a scan's time and status."""

    def note(self, key: bytes, packed: int, event_id: str, value: bytes, /) -> None:
        """Records the tie-breaker of a scan."""

    def holds_against(self, key: bytes, packed: int, event_id: str, value: bytes, /) -> bool:
        """True unless the known scan of that time and status is found to sort after this one."""

    def settle(self, settled: int, /) -> None:
        """Forgets scans, once all of their generation are below `settled` (microseconds)."""

    def collect(self, settled: int, rows: dict[bytes, bytes | None]) -> None:
        """Adds rows for new unsettled scans, and tombstones for obsolete rows."""

    def rebuild(self, rows: Iterable[tuple[bytes, bytes]]) -> None:
        """Restores rows."""


class TieBook:
    """Unsettled scans in two generations, so that eviction costs nothing per scan; see `Ties`."""

    def __init__(self) -> None:
        self._young = _Generation()
        self._old = _Generation()
        #: The greatest scan, packed.
        self._greatest = BEFORE_ALL
        #: No scan in the old generation is later than this time.
        self._old_until = BEFORE_ALL
        #: Rows to delete.
        self._gone: list[int] = []
        self._last = 0

    def note(self, key: bytes, packed: int, event_id: str, value: bytes) -> None:
        """Records the tie-breaker of a scan."""
        self._young.notes.append((key, packed, event_id, value, False))
        if packed > self._greatest:
            self._greatest = packed

    def holds_against(self, key: bytes, packed: int, event_id: str, value: bytes) -> bool:
        """True unless the known scan of that time and status is found to sort after this one."""
        known = self._young.find(key, packed) or self._old.find(key, packed)
        if known is None or known[3] == value:
            return True
        if known[2] != event_id:
            return known[2] < event_id
        return (known[3] if known[4] else digest(known[3])) <= digest(value)

    def settle(self, settled: int) -> None:
        """Evicts a generation once all its events are below `settled` (microseconds)."""
        # Twice where nothing is unsettled any more: then nothing is left.
        while settled > self._old_until and (self._old.notes or self._young.notes):
            self._gone += self._old.rows
            self._old, self._young = self._young, _Generation()
            self._old_until = self._greatest >> BITS

    def collect(self, settled: int, rows: dict[bytes, bytes | None]) -> None:
        """Adds rows for new unsettled scans, and tombstones for obsolete rows."""
        for generation in (self._old, self._young):
            notes, kept = generation.notes, []
            for place in range(generation.collected, len(notes)):
                key, packed, event_id, value, short = notes[place]
                if packed >> BITS >= settled:
                    value = value if short else digest(value)
                    notes[place] = key, packed, event_id, value, True
                    kept.append((key, packed, event_id, value))
            generation.collected = len(notes)
            for start in range(0, len(kept), _MOST):
                self._last += 1
                generation.rows.append(self._last)
                rows[notes_key(self._last)] = _encode(kept[start : start + _MOST])
        for number in self._gone:
            rows[notes_key(number)] = None
        self._gone.clear()

    def rebuild(self, rows: Iterable[tuple[bytes, bytes]]) -> None:
        """Restores rows."""
        for number, notes in notes_of(rows):
            self._last = number
            self._young.rows.append(number)
            for parcel, packed, event_id, short in notes:
                self._young.notes.append((parcel, packed, event_id, short, True))
                self._greatest = max(self._greatest, packed)
        self._young.collected = len(self._young.notes)


def notes_of(rows: Iterable[tuple[bytes, bytes]]) -> Iterator[tuple[int, list[tuple[bytes, int, str, bytes]]]]:
    """The numbers of rows, in order, and their notes: row key of the parcel, the scan, the event id, the digest."""
    for key, row in sorted(rows):
        yield int.from_bytes(key[1:]), _decode(row)


def notes_key(number: int) -> bytes:
    """The key of a row of notes."""
    return TIES_LETTER + number.to_bytes(8)
