"""Removes orders from the rows of the shipments tasks.

A use of a tracking number that belongs to them alone is removed entirely, scans included: a parcel's route is personal
data too. If other orders share the parcel, their history stays, and only what names the forgotten orders is removed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

import msgspec

from schemas.times import render
from streams.policy.model import Policy
from streams.rules.help_rate.parcels_at_risk import name_of
from streams.rules.reconcile import OPEN, Emitted
from streams.rules.shipments.parcel import Parcel
from streams.rules.shipments.silence_alerts import STALLED
from streams.rules.shipments.stall_clusters import Facility
from streams.rules.shipments.suspicious import keys_of
from streams.rules.shipments.uses import uses
from streams.stages.shipments import parcel_rows, scan_ties
from streams.stages.shipments.string_table import Names
from streams.stages.split_rows import is_piece, piece_key

#: (carrier, tracking number)
ParcelKey = tuple[str, str]

#: Row letters, as in `streams.stages.shipments.task`.
_NAME = b"n"
_FACILITY = b"c"
#: Bytes of a parcel's key before the tracking number: the letter, the carrier's number.
_PREFIX = 4
_ties = msgspec.msgpack.Decoder(list[tuple[bytes, int, str, bytes]]).decode
_facility = msgspec.msgpack.Decoder(Facility).decode
_encode = msgspec.msgpack.Encoder().encode


class OpenAlert(msgspec.Struct, frozen=True):
    """An open alert that will never be resolved. `since`: RFC 3339."""

    type: str
    subject: str
    since: str
    episode: str
    audiences: tuple[str, ...]


def open_alerts(emitted: Iterable[Emitted]) -> list[OpenAlert]:
    """The open alerts among those sent, oldest first."""
    left = sorted(
        (sent.raised, sent.type, sent.audiences, sent.episode, sent.subject) for sent in emitted if sent.state == OPEN
    )
    return [OpenAlert(type_, subject, render(raised), episode, to) for raised, type_, to, episode, subject in left]


class HeldParcel(msgspec.Struct, frozen=True):
    """What is removed of a parcel, counted by kind. `shared`: other orders are in it, and keep their history."""

    carrier: str
    tracking_no: str
    holds: dict[str, int]
    shared: bool
    open_alerts: list[OpenAlert]


class Cut(msgspec.Struct):
    """A row without the orders. `row` None: nothing is left. `rows`: all changed rows, pieces included.

    `stalls`: names of stalls that facilities know; `alerts`: those that shops may know, by tracking number and name;
    `scans`: the removed scans, packed.
    """

    held: HeldParcel
    row: bytes | None
    stalls: frozenset[str]
    alerts: frozenset[tuple[str, str]]
    scans: frozenset[int]
    rows: dict[bytes, bytes | None] = msgspec.field(default_factory=dict)


class Search:
    """Finds the rows of a shipments task that concern the orders, or parcels known to be theirs."""

    def __init__(self, orders: Collection[str], parcels: Collection[ParcelKey]) -> None:
        self.orders = frozenset(orders)
        self.parcels = frozenset(parcels)
        self._numbers = frozenset(tracking_no.encode() for _, tracking_no in parcels)
        # MessagePack stores strings as plain bytes: a row without any of these ids names none of the orders.
        named = b"|".join(re.escape(order.encode()) for order in sorted(self.orders))
        self._named = re.compile(named) if named else None

    def may_be(self, key: bytes, row: bytes) -> bool:
        """Quick prefilter: True if a row may concern them, or is needed to read parcels."""
        if key[:1] == parcel_rows.PARCEL_LETTER:
            if is_piece(key) or (row and row[0] & parcel_rows.SPLIT):
                return True
            return key[_PREFIX:] in self._numbers or (self._named is not None and self._named.search(row) is not None)
        return key[:1] in (_NAME, _FACILITY, scan_ties.TIES_LETTER)

    def cuts(self, rows: Mapping[bytes, bytes], policy: Policy) -> dict[bytes, Cut]:
        """The affected rows, with the orders removed. `rows`: all rows of a task that pass `may_be`."""
        names = Names()
        names.rebuild((int.from_bytes(key[1:]), row.decode()) for key, row in rows.items() if key[:1] == _NAME)
        found = {}
        for key, row in rows.items():
            if key[:1] == parcel_rows.PARCEL_LETTER and not is_piece(key):
                carrier, tracking_no = names.text(int.from_bytes(key[1:_PREFIX])), key[_PREFIX:].decode()
                parcel = parcel_rows.decoded(carrier, tracking_no, parcel_rows.whole(rows, key, row), names)
                cut = self._cut(parcel, names, policy)
                if cut is not None:
                    head, pieces = (None, {}) if cut.row is None else parcel_rows.in_pieces(key, cut.row)
                    cut.rows = {piece_key(key, number): None for number in range(parcel_rows.pieces_of(row))}
                    cut.rows |= {key: head, **pieces}
                    found[key] = cut
        return found

    def _cut(self, parcel: Parcel, names: Names, policy: Policy) -> Cut | None:
        """The parcel without the orders; None if it does not concern them."""
        mine = any(one.order_id in self.orders for one in parcel.registrations)
        mine |= any(sent.order_id in self.orders for sent in parcel.emitted)
        mine |= any(order in self.orders for order, _ in parcel.linked)
        # Scanned but not registered yet: only the order's own state says whose it is.
        whole = (parcel.carrier, parcel.tracking_no) in self.parcels and not parcel.registrations
        if not mine and not whole:
            return None
        before, emitted, scans = _count(parcel), parcel.emitted, frozenset(parcel.scans)
        self._take_out(parcel, policy, whole=whole)
        left = _count(parcel)
        gone = [sent for sent in emitted if all(sent is not left for left in parcel.emitted)]
        row = None
        if parcel.scans or parcel.registrations:
            # The task that restores it judges it again at once.
            parcel.calm, parcel.due = False, 0
            row = parcel_rows.encoded(parcel, names)
        holds = {kind: count - left[kind] for kind, count in before.items() if count > left[kind]}
        held = HeldParcel(parcel.carrier, parcel.tracking_no, holds, row is not None, open_alerts(gone))
        stalls = frozenset(f"{parcel.tracking_no}/{sent.episode}" for sent in gone if sent.type == STALLED)
        alerts = frozenset((parcel.tracking_no, name_of(sent.type, sent.episode)) for sent in gone)
        return Cut(held, row, stalls, alerts, scans - frozenset(parcel.scans))

    def _take_out(self, parcel: Parcel, policy: Policy, *, whole: bool) -> None:
        for use in uses(parcel, policy.shipments):
            theirs = [one for one in use.registrations if one.order_id in self.orders]
            if whole or (theirs and len(theirs) == len(use.registrations)):
                parcel.forget(use, keys_of(parcel, use, policy))
        parcel.registrations = [one for one in parcel.registrations if one.order_id not in self.orders]
        parcel.linked = {key: span for key, span in parcel.linked.items() if key[0] not in self.orders}
        for sent in parcel.emitted:
            if sent.order_id in self.orders:
                sent.order_id = None


def without_names(row: bytes, stalls: Collection[str], nameless: Iterable[str]) -> bytes | None:
    """A facility's row with those stalls anonymised but still counted; None if it has none of them.

    `nameless` yields unique replacement names.
    """
    facility = _facility(row)
    if not any(name in stalls for _, name in facility.points):
        return None
    names = iter(nameless)
    facility.points = sorted((time, next(names) if name in stalls else name) for time, name in facility.points)
    return _encode(facility)


def without_scans(row: bytes, gone: Collection[tuple[bytes, int]]) -> bytes | None:
    """A row of scan tie-breakers without those of (parcel row key, scan); None if nothing is left."""
    left = [tie for tie in _ties(row) if (tie[0], tie[1]) not in gone]
    return _encode(left) if left else None


def is_facility(key: bytes) -> bool:
    """True if the key is that of a facility's row."""
    return key[:1] == _FACILITY


def is_of_ties(key: bytes) -> bool:
    """True if the key is that of a row of scan tie-breakers."""
    return key[:1] == scan_ties.TIES_LETTER


def _count(parcel: Parcel) -> dict[str, int]:
    return {
        "scans": len(parcel.scans),
        "registrations": len(parcel.registrations),
        "alerts": len(parcel.emitted),
        "links": len(parcel.linked),
    }
