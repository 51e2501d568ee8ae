"""What decides between two scans of one time and status, as long as they are not settled.

Events of one time sort by event id, then by the SHA-256 of the value. Both are kept of each scan that is not settled:
the digest is worked out where two scans collide, or where it has to outlive the process.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from streams.rules.facts import digest
from streams.rules.statuses import BITS

#: First letter of the keys of its rows.
LETTER = b"t"
#: Event id, then the value, or (True) its digest.
_Tie = tuple[str, bytes, bool]
#: Row key of the parcel and the scan.
_Scan = tuple[bytes, int]

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[tuple[bytes, int, str, bytes]]).decode


class TieBook:
    """The scans that are not settled, in two generations, so that forgetting costs nothing per scan.

    `lasting`: what is kept has to be collected as rows, one for all scans since the last time.
    """

    def __init__(self, *, lasting: bool = False) -> None:
        self._young: dict[_Scan, _Tie] = {}
        self._old: dict[_Scan, _Tie] = {}
        #: The greatest scan, packed.
        self._greatest = -(1 << 62)
        #: Everything in the old generation is older than, or as old as this time.
        self._old_until = -(1 << 62)
        self._lasting = lasting
        self._fresh: list[_Scan] = []
        #: Numbers of the rows of either generation, and of those that are to go.
        self._young_rows: list[int] = []
        self._old_rows: list[int] = []
        self._gone: list[int] = []
        self._last = 0

    def note(self, key: bytes, packed: int, event_id: str, value: bytes) -> None:
        """Keeps what decides for a scan."""
        scan = key, packed
        self._young[scan] = (event_id, value, False)
        if packed > self._greatest:
            self._greatest = packed
        if self._lasting:
            self._fresh.append(scan)

    def holds_against(self, key: bytes, packed: int, event_id: str, value: bytes) -> bool:
        """Whether the known scan of that time and status sorts before this one, or is not known not to."""
        scan = key, packed
        known = self._young.get(scan) or self._old.get(scan)
        if known is None or known[1] == value:
            return True
        if known[0] != event_id:
            return known[0] < event_id
        return (known[1] if known[2] else digest(known[1])) <= digest(value)

    def settle(self, settled: int) -> None:
        """Forgets a generation where events below `settled` (microseconds) are settled."""
        if settled > self._old_until:
            self._old, self._young = self._young, {}
            self._gone += self._old_rows
            self._old_rows, self._young_rows = self._young_rows, []
            self._old_until = self._greatest >> BITS

    def collect(self, settled: int, rows: dict[bytes, bytes | None]) -> None:
        """Adds the row of what is new and not settled, and tombstones of those that are of no more use."""
        kept = []
        for scan in self._fresh:
            if scan[1] >> BITS < settled:
                continue
            for generation in (self._young, self._old):
                known = generation.get(scan)
                if known is not None:
                    event_id, value, is_digest = known
                    short = value if is_digest else digest(value)
                    generation[scan] = (event_id, short, True)
                    kept.append((*scan, event_id, short))
                    break
        self._fresh.clear()
        if kept:
            self._last += 1
            self._young_rows.append(self._last)
            rows[_key(self._last)] = _encode(kept)
        for number in self._gone:
            rows[_key(number)] = None
        self._gone.clear()

    def rebuild(self, rows: Iterable[tuple[bytes, bytes]]) -> None:
        """Takes over restored rows."""
        for key, row in sorted(rows):
            number = int.from_bytes(key[1:])
            self._last = max(self._last, number)
            self._young_rows.append(number)
            for parcel, packed, event_id, short in _decode(row):
                self._young[parcel, packed] = (event_id, short, True)
                self._greatest = max(self._greatest, packed)


def _key(number: int) -> bytes:
    return LETTER + number.to_bytes(8)
