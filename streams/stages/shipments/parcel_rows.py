"""A parcel as bytes: what the state, the store and the changelog hold of it.

    flags, last, due, size     21 bytes
    what is rare               `size` bytes: registrations, alerts sent, links, facilities without number, in
                               MessagePack; then, where PROMISED, 8 bytes: when a delivery is promised
    scans                      12 bytes each, sorted: the scan, the number of its place

Most scans find a parcel with nothing open and change only the header and the end: they are appended without decoding
the rest (`extended`, `inserted`). Strings are stored as numbers (`streams.stages.shipments.string_table`).
"""

from __future__ import annotations

from array import array
from struct import Struct
from typing import Any

import msgspec

from schemas.times import BEFORE_ALL, SECOND
from streams.rules.reconcile import Emitted, in_order
from streams.rules.shipments.parcel import Parcel, Registration
from streams.rules.shipments.routes import are_different_provinces
from streams.rules.shipments.scan_status import BITS, DELIVERED, FIRST_TERMINAL, INFO_RECEIVED, MASK
from streams.stages import split_rows
from streams.stages.shipments.string_table import Names

#: First byte of these rows' keys.
PARCEL_LETTER = b"p"
#: See `streams.rules.shipments.parcel.Parcel`: calm; awaited; an earlier use of the number is remembered.
CALM, AWAITED, USED_BEFORE = 1, 8, 16
#: The times of registrations are as `_apart` writes them, and so they are in every row that is written; older ones have
#: them as `_FORMER_UNITS` says. In rows of the format before a 2 says nothing, and neither does a 4.
NEAR = 2
#: The row is a head, and the parcel lies in pieces (`streams.stages.split_rows`): so many as the size tells.
SPLIT = 32
#: The format of the row, and that of rows which the version before wrote. A row with neither was written by 0.1.0: it
#: is due at once, as what may follow from it has changed since, and its flags say nothing.
FORMAT, FORMER, FORMATS = 128, 64, 192
#: Calm or awaited, and a delivery is promised for an instant that the row holds. Not in rows of the format before.
PROMISED = 64
#: Row size in bytes above which the parcel is kept decoded in memory while in use. Its row is due at once and has no
#: flags: they are told anew when it is read.
BUSY = 2 << 10
#: Never due.
NEVER = (1 << 63) - 1
#: The number of a place that has none: its name is with what is rare.
UNNUMBERED = (1 << 32) - 1
#: What stands between facility and region in the place of a scan that has both, and before a region alone.
_AND, _ONLY = "\x1f", "\x1e"

HEADER = Struct("<BqqI")
_HEAD = HEADER.size
_SCAN = Struct("<qI")
#: Bytes of a scan.
SCAN_SIZE = _SCAN.size


pack_header = HEADER.pack
unpack_header = HEADER.unpack_from
pack_scan = _SCAN.pack
_scan_at = _due_at = Struct("<q").unpack_from
#: Where the header has when the parcel is due.
_DUE = Struct("<Bq").size
_TIME = Struct("<q")


class _Registered(msgspec.Struct, array_like=True, gc=False):
    """A registration; what came later is left out of the row where it has no value.

    Times but the first as of `_apart`: `placed` and `deliver_by` from `time` on, `paid` from `placed` on, if that is
    known: it is most often within minutes, and so smaller.
    """

    time: int
    event_id: str
    digest: bytes
    order_id: str
    shop_id: int | str
    from_region: int | str | None
    to_region: int | str | None
    placed: int | None
    ship_to_region: int | str | None
    paid: int | None = None
    deliver_by: int | None = None


class _Rare(msgspec.Struct, array_like=True, gc=False):
    registrations: list[_Registered]
    emitted: list[Emitted]
    linked: list[tuple[str, str, int, int | None]]
    #: Places without a number, by scan.
    facilities: dict[int, str]
    #: See `Parcel`.
    named: tuple[int, str] | None = None
    ended_before: int | None = None


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Rare).decode


def due_of(row: bytes) -> int | None:
    """When the parcel is due, in microseconds, or None."""
    if not row[0] & FORMATS:
        return BEFORE_ALL
    due: int = _due_at(row, _DUE)[0]
    return None if due == NEVER else due


def quiet_until(row: bytes) -> int | None:
    """When a calm or awaited parcel is due (microseconds), as only a deadline can come; None for any other parcel."""
    flags, _, due, _ = unpack_header(row)
    return due if flags & (CALM | AWAITED) and flags & FORMAT and not flags & SPLIT else None


def ends_before(row: bytes, size: int, time: int) -> bool:
    """True if all scans of the row are before that time (microseconds). `size`: as its header says."""
    place = len(row) - SCAN_SIZE
    return place < _HEAD + size or _scan_at(row, place)[0] >> BITS < time


def extended(row: bytes, flags: int, last: int, due: int, size: int, scan: bytes) -> bytes:
    """The row with a new header and one more scan at the end."""
    return pack_header(flags, last, due, size) + row[_HEAD:] + scan


def promised(row: bytes) -> int | None:
    """When a delivery is promised that a calm or awaited parcel waits for, in microseconds, or None."""
    if row[0] & FORMATS != FORMAT | PROMISED or row[0] & SPLIT:
        return None
    size: int = unpack_header(row)[3]
    by: int = _TIME.unpack_from(row, _HEAD + size - _TIME.size)[0]
    return by


def may_tell(row: bytes, rank: int, region: str | None, names: Names) -> bool:
    """True if a scan may raise an alert of itself for a parcel with that row.

    `region`: that of a `delivered` scan, if it is a province.
    """
    flags, _, _, size = unpack_header(row)
    if rank != DELIVERED:
        return bool(size)
    if region is None:
        return False
    rare = _rare_of(row, flags, size)
    # Once for each parcel that is delivered: plain loops are twice as fast.
    for one in rare.registrations if rare is not None else ():
        for target in (one.to_region, one.ship_to_region):
            if target is not None and are_different_provinces(region, names.long(target)):
                return True
    return False


def joined_place(facility: str | None, region: str | None) -> str | None:
    """What a row holds of where a `delivered` scan was; `region`: if it is a province."""
    if facility is None:
        return None if region is None else f"{_ONLY}{region}"
    if region is None and _AND not in facility and not facility.startswith(_ONLY):
        return facility
    return f"{facility}{_AND}{region or ''}"


def _parts_of(place: str | None) -> tuple[str | None, str | None]:
    """The inverse of `joined_place`."""
    if place is None:
        return None, None
    if _AND in place:
        facility, _, region = place.rpartition(_AND)
        return facility, region or None
    return (None, place[1:]) if place.startswith(_ONLY) else (place, None)


def inserted(row: bytes, last: int, size: int, packed: int, scan: bytes, shortest: int) -> bytes | None:
    """The row of a calm parcel with one more scan before its last update, where that changes nothing else.

    None if it may change more: the scan is known, shares its instant with another, lies in a silence longer than
    `shortest` (microseconds), or may be the first that collects it.
    """
    place = len(row) - SCAN_SIZE
    start = _HEAD + size
    time = packed >> BITS
    while place >= start:
        known: int = _scan_at(row, place)[0]
        before = known >> BITS
        if before < time:
            if known & MASK >= FIRST_TERMINAL or last - before > shortest or (size and known & MASK == INFO_RECEIVED):
                return None
            place += SCAN_SIZE
            return row[:place] + scan + row[place:]
        if before == time:
            return None
        place -= SCAN_SIZE
    return None


def pieces_of(row: bytes) -> int:
    """Number of pieces the parcel is split into; 0: it is in the row itself."""
    size: int = unpack_header(row)[3]
    return size if row[0] & SPLIT else 0


def in_pieces(key: bytes, row: bytes) -> tuple[bytes, dict[bytes, bytes]]:
    """The row to store, and the pieces of a parcel too large for one row."""
    if len(row) <= split_rows.PIECE:
        return row, {}
    _, last, due, _ = unpack_header(row)
    pieces = split_rows.split(key, row)
    return pack_header(FORMAT | SPLIT, last, due, len(pieces)), pieces


def whole(rows: split_rows.Rows, key: bytes, row: bytes) -> bytes:
    """The full row of a parcel, joined if it is split."""
    return split_rows.joined(rows, key, pieces_of(row)) if row[0] & SPLIT else row


class Plain:
    """A parcel of which nothing but scans is known, and the alerts sent about it: its row, with the scans left there.

    `parcel` has all but the scans.
    """

    __slots__ = ("_names", "_numbers", "_row", "_size", "_unnumbered", "parcel", "scans")

    def __init__(self, parcel: Parcel, row: bytes, size: int, unnumbered: dict[int, str], names: Names) -> None:
        self.parcel = parcel
        self._row, self._size, self._unnumbered, self._names = row, size, unnumbered, names
        self.scans: tuple[int, ...]
        self._numbers: tuple[int, ...]
        self.scans, self._numbers = zip(*_SCAN.iter_unpack(row[_HEAD + size :]), strict=True)

    def facility(self, place: int) -> str | None:
        """The facility of the scan at that index."""
        return _place_of(self.scans[place], self._numbers[place], self._unnumbered, self._names)[0]

    def row(self, *, told: bool) -> bytes:
        """The row of the parcel, as `encoded` writes it. `told`: whether `parcel` was told of other alerts."""
        row, size = self._row, self._size
        if told:
            rare = _encode(_rare_from(self.parcel, [], self._unnumbered))
        else:
            rare = row[_HEAD : _HEAD + size]
        return _joined(self.parcel, rare, row[_HEAD + size :])


def plain_parcel(carrier: str, tracking_no: str, row: bytes, names: Names) -> Plain | None:
    """The parcel of a row if it is a plain one, of one use of its number."""
    flags, last, due, size = unpack_header(row)
    if flags & ~(CALM | AWAITED | NEAR) != FORMAT or len(row) == _HEAD + size:
        return None
    parcel = Parcel(carrier, tracking_no)
    parcel.last, parcel.calm, parcel.due = last, bool(flags & CALM), None if due == NEVER else due
    unnumbered: dict[int, str] = {}
    if size:
        rare = _decode(row[_HEAD : _HEAD + size])
        if rare.registrations or rare.linked or rare.ended_before is not None:
            return None
        parcel.emitted, parcel.named, unnumbered = rare.emitted, rare.named, rare.facilities
    return Plain(parcel, row, size, unnumbered, names)


def encoded(parcel: Parcel, names: Names) -> bytes:
    """Encodes a parcel into its row."""
    scans = []
    unnumbered: dict[int, str] = {}
    for packed, facility in zip(parcel.scans, parcel.facilities, strict=True):
        if packed & MASK == DELIVERED:
            facility = joined_place(facility, parcel.delivered_in.get(packed))
        number = names.short(facility)
        if isinstance(number, str):
            unnumbered[packed] = number
            number = UNNUMBERED
        scans.append(pack_scan(packed, number or 0))
    rare = b""
    known = parcel.registrations or parcel.emitted or parcel.linked or unnumbered or parcel.named
    if known or parcel.ended_before is not None:
        registered = [_registered(one, names) for one in parcel.registrations]
        rare = _encode(_rare_from(parcel, registered, unnumbered))
    return _joined(parcel, rare, b"".join(scans))


def _rare_from(parcel: Parcel, registered: list[Any], unnumbered: dict[int, str]) -> tuple[Any, ...]:
    """What is rare, but for the promise."""
    linked = [(*key, *span) for key, span in sorted(parcel.linked.items())]
    emitted = sorted(parcel.emitted, key=in_order)
    before = () if parcel.ended_before is None else (parcel.ended_before,)
    return registered, emitted, linked, dict(sorted(unnumbered.items())), parcel.named, *before


def _joined(parcel: Parcel, rare: bytes, scans: bytes) -> bytes:
    """The row of a parcel, with a header that tells its state."""
    promise = b"" if parcel.due_by is None or not (parcel.calm or parcel.awaited) else _TIME.pack(parcel.due_by)
    flags = FORMAT | (NEAR if parcel.registrations else 0)
    due = NEVER if parcel.due is None else parcel.due
    if _HEAD + len(rare) + len(promise) + len(scans) > BUSY:
        due, promise = BEFORE_ALL, b""
    else:
        flags |= CALM if parcel.calm else AWAITED if parcel.awaited else 0
        flags |= USED_BEFORE if parcel.used_before else 0
        flags |= PROMISED if promise else 0
    rare += promise
    return pack_header(flags, parcel.last, due, len(rare)) + rare + scans


def decoded(carrier: str, tracking_no: str, row: bytes, names: Names) -> Parcel:
    """Decodes a row into its parcel."""
    flags, last, due, size = unpack_header(row)
    scans = array("q")
    facilities: list[str | None] = []
    rare = _rare_of(row, flags, size)
    unnumbered = {} if rare is None else rare.facilities
    delivered_in: dict[int, str] = {}
    for packed, number in _SCAN.iter_unpack(row[_HEAD + size :]):
        scans.append(packed)
        facility, region = _place_of(packed, number, unnumbered, names)
        if region is not None:
            delivered_in[packed] = region
        facilities.append(facility)
    parcel = Parcel(carrier, tracking_no, scans, facilities, delivered_in=delivered_in)
    parcel.due_by = promised(row)
    # What 0.1.0 wrote besides its flags is as in the format that followed.
    flags = flags if flags & FORMATS else FORMER
    parcel.last, parcel.awaited = last, bool(flags & AWAITED)
    parcel.calm = bool(flags & CALM)
    parcel.used_before = bool(flags & USED_BEFORE)
    parcel.due = None if due == NEVER else due
    if rare is not None:
        parcel.registrations = [_registration(one, names, flags) for one in rare.registrations]
        parcel.emitted = rare.emitted
        parcel.named = rare.named
        parcel.ended_before = rare.ended_before
        parcel.linked = {(order, name): (since, until) for order, name, since, until in rare.linked}
    return parcel


def _place_of(packed: int, number: int, unnumbered: dict[int, str], names: Names) -> tuple[str | None, str | None]:
    """Facility and region of a scan with that number of its place."""
    if number == UNNUMBERED:
        place: str | None = unnumbered[packed]
    else:
        place = names.text(number) if number else None
    return _parts_of(place) if packed & MASK == DELIVERED else (place, None)


def _rare_of(row: bytes, flags: int, size: int) -> _Rare | None:
    if flags & FORMATS == FORMAT | PROMISED:
        return _decode(row[_HEAD : _HEAD + size - _TIME.size])
    return _decode(row[_HEAD : _HEAD + size]) if size else None


def _registered(one: Registration, names: Names) -> Any:
    short, time, placed = names.short, one.time, one.placed
    paid = _apart(one.paid, time if placed is None else placed)
    deliver_by = None if one.deliver_by is None else _apart(one.deliver_by, time)
    return (
        time, one.event_id, one.digest, one.order_id, short(one.shop_id), short(one.from_region),
        short(one.to_region), _apart(placed, time), short(one.ship_to_region),
        *((paid, deliver_by) if deliver_by is not None else (paid,) if paid is not None else ()),
    )  # fmt: skip


def _registration(one: _Registered, names: Names, flags: int) -> Registration:
    """`flags`: those of its row."""
    long, time = names.long, one.time
    near = flags & NEAR and flags & FORMATS != FORMER
    units = _UNITS if near else _FORMER_UNITS
    placed = one.placed if flags & FORMATS == FORMER else _together(one.placed, time, units)
    return Registration(
        time, one.event_id, one.digest, one.order_id, long(one.shop_id) or "", long(one.from_region),
        long(one.to_region), placed, long(one.ship_to_region), _together(one.deliver_by, time, units),
        _together(one.paid, placed if near and placed is not None else time, units),
    )  # fmt: skip


#: Microseconds of the units in which a distance is told, the coarsest first, and those of older rows.
_UNITS, _FORMER_UNITS = (SECOND, 1_000, 1), (SECOND, 1)


def _apart(time: int | None, beside: int) -> int | None:
    """A time as its distance from another, smaller in a row: in the coarsest unit, whose number is its remainder."""
    if time is None:
        return None
    distance = time - beside
    if not distance % SECOND:
        return len(_UNITS) * (distance // SECOND)
    number = next(number for number, unit in enumerate(_UNITS) if not distance % unit)
    return len(_UNITS) * (distance // _UNITS[number]) + number


def _together(apart: int | None, beside: int, units: tuple[int, ...]) -> int | None:
    """The inverse of `_apart`."""
    if apart is None:
        return None
    distance, number = divmod(apart, len(units))
    return beside + distance * units[number]
