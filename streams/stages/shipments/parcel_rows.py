"""A parcel as bytes: what the state, the store and the changelog hold of it.

    flags, last, due, size     21 bytes
    what is rare               `size` bytes of MessagePack: registrations, alerts sent, links, facilities without number
    scans                      12 bytes each, sorted: the scan, the number of its facility

Most scans find a parcel with nothing open and change only the header and the end: they are appended without decoding
the rest (`extended`, `inserted`). Strings are stored as numbers (`streams.stages.shipments.string_table`).
"""

from __future__ import annotations

from array import array
from struct import Struct
from typing import Any

import msgspec

from streams.rules.reconcile import OPEN, Emitted
from streams.rules.shipments.parcel import Parcel, Registration
from streams.rules.shipments.scan_status import BITS, FIRST_TERMINAL, MASK
from streams.rules.shipments.silence_alerts import STALLED
from streams.stages import split_rows
from streams.stages.shipments.string_table import Names

#: First byte of these rows' keys.
PARCEL_LETTER = b"p"
#: See `streams.rules.shipments.parcel.Parcel`: calm; ended, with nothing left to say; a stall that is open; awaited;
#: an earlier use of the number is remembered.
CALM, FINISHED, STALLED_NOW, AWAITED, USED_BEFORE = 1, 2, 4, 8, 16
#: The row is a head, and the parcel lies in pieces (`streams.stages.split_rows`): so many as the size tells.
SPLIT = 32
#: The format of the row, in what is left of the flags.
FORMAT, FORMATS = 64, 192
#: Row size in bytes above which the parcel is kept decoded in memory while in use.
BUSY = 2 << 10
#: Never due.
NEVER = (1 << 63) - 1
#: The number of a facility that has none: its name is with what is rare.
UNNUMBERED = (1 << 32) - 1

HEADER = Struct("<BqqI")
_HEAD = HEADER.size
_SCAN = Struct("<qI")
_EACH = _SCAN.size

pack_header = HEADER.pack
unpack_header = HEADER.unpack_from
pack_scan = _SCAN.pack
_scan_at = Struct("<q").unpack_from

#: time, event id, digest, order, shop, from, to, placed, destination of the order
_Registered = tuple[int, str, bytes, str, int | str, int | str | None, int | str | None, int | None, int | str | None]


class _Rare(msgspec.Struct, array_like=True, gc=False):
    registrations: list[_Registered]
    emitted: list[Emitted]
    linked: list[tuple[str, str, int, int | None]]
    #: Facilities without a number, by scan.
    facilities: dict[int, str]
    #: See `Parcel.named`.
    named: tuple[int, str] | None = None


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Rare).decode


def due_of(row: bytes) -> int | None:
    """When the parcel is due, in microseconds, or None."""
    due: int = unpack_header(row)[2]
    return None if due == NEVER else due


def is_stalled(row: bytes) -> bool:
    """True if the parcel has an open stall."""
    return bool(row[0] & STALLED_NOW)


def extended(row: bytes, flags: int, last: int, due: int, size: int, scan: bytes) -> bytes:
    """The row with a new header and one more scan at the end."""
    return pack_header(flags, last, due, size) + row[_HEAD:] + scan


def postponed(row: bytes, due: int) -> bytes:
    """The row with another due time."""
    flags, last, _, size = unpack_header(row)
    return pack_header(flags, last, due, size) + row[_HEAD:]


def inserted(row: bytes, last: int, size: int, packed: int, scan: bytes, shortest: int) -> bytes | None:
    """The row of a calm parcel with one more scan before its last update, where that changes nothing else.

    None if it may change more: the scan is known, shares its instant with another, or lies in a silence longer than
    `shortest` (microseconds).
    """
    place = len(row) - _EACH
    start = _HEAD + size
    time = packed >> BITS
    while place >= start:
        known: int = _scan_at(row, place)[0]
        before = known >> BITS
        if before < time:
            if known & MASK >= FIRST_TERMINAL or last - before > shortest:
                return None
            place += _EACH
            return row[:place] + scan + row[place:]
        if before == time:
            return None
        place -= _EACH
    return None


def pieces_of(row: bytes) -> int:
    """Number of pieces the parcel is split into; 0: it is in the row itself."""
    size: int = unpack_header(row)[3]
    return size if row[0] & SPLIT else 0


def in_pieces(key: bytes, row: bytes) -> tuple[bytes, dict[bytes, bytes]]:
    """The row to store, and the pieces of a parcel too large for one row."""
    if len(row) <= split_rows.PIECE:
        return row, {}
    flags, last, due, _ = unpack_header(row)
    pieces = split_rows.split(key, row)
    return pack_header(flags & (STALLED_NOW | FORMATS) | SPLIT, last, due, len(pieces)), pieces


def whole(rows: split_rows.Rows, key: bytes, row: bytes) -> bytes:
    """The full row of a parcel, joined if it is split."""
    return split_rows.joined(rows, key, pieces_of(row)) if row[0] & SPLIT else row


def encoded(parcel: Parcel, names: Names) -> bytes:
    """Encodes a parcel into its row."""
    scans = []
    unnumbered: dict[int, str] = {}
    for packed, facility in zip(parcel.scans, parcel.facilities, strict=True):
        number = names.short(facility)
        if isinstance(number, str):
            unnumbered[packed] = number
            number = UNNUMBERED
        scans.append(pack_scan(packed, number or 0))
    rare = b""
    if parcel.registrations or parcel.emitted or parcel.linked or unnumbered or parcel.named:
        linked = [(*key, *span) for key, span in parcel.linked.items()]
        registered = [_registered(one, names) for one in parcel.registrations]
        rare = _encode(_Rare(registered, parcel.emitted, linked, unnumbered, parcel.named))
    flags = FORMAT
    flags |= CALM if parcel.calm else FINISHED if parcel.finished else AWAITED if parcel.awaited else 0
    if parcel.used_before:
        flags |= USED_BEFORE
    if any(sent.state == OPEN and sent.type == STALLED for sent in parcel.emitted):
        flags |= STALLED_NOW
    due = NEVER if parcel.due is None else parcel.due
    return pack_header(flags, parcel.last, due, len(rare)) + rare + b"".join(scans)


def decoded(carrier: str, tracking_no: str, row: bytes, names: Names) -> Parcel:
    """Decodes a row into its parcel."""
    flags, last, due, size = unpack_header(row)
    scans = array("q")
    facilities: list[str | None] = []
    rare = _decode(row[_HEAD : _HEAD + size]) if size else None
    for packed, number in _SCAN.iter_unpack(row[_HEAD + size :]):
        scans.append(packed)
        if number == UNNUMBERED and rare is not None:
            facilities.append(rare.facilities[packed])
        else:
            facilities.append(names.text(number) if number else None)
    parcel = Parcel(carrier, tracking_no, scans, facilities)
    parcel.last, parcel.awaited = last, bool(flags & AWAITED)
    parcel.calm, parcel.finished = bool(flags & CALM), bool(flags & FINISHED)
    parcel.used_before = bool(flags & USED_BEFORE)
    parcel.due = None if due == NEVER else due
    if rare is not None:
        parcel.registrations = [_registration(one, names) for one in rare.registrations]
        parcel.emitted = rare.emitted
        parcel.named = rare.named
        parcel.linked = {(order, name): (since, until) for order, name, since, until in rare.linked}
    return parcel


def _registered(one: Registration, names: Names) -> Any:
    short = names.short
    return (
        one.time, one.event_id, one.digest, one.order_id, short(one.shop_id), short(one.from_region),
        short(one.to_region), one.placed, short(one.ship_to_region),
    )  # fmt: skip


def _registration(one: _Registered, names: Names) -> Registration:
    time, event_id, digest, order_id, shop, source, target, placed, destination = one
    long = names.long
    return Registration(
        time, event_id, digest, order_id, long(shop) or "", long(source), long(target), placed, long(destination)
    )
