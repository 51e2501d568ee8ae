"""What the state of the shipments holds of orders, and what is left of it without them.

A use of a tracking number that is theirs alone goes as a whole, scans and all: where a parcel went is about a person
too. Where other orders share the parcel, their history stays, and only what names the forgotten orders goes.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Collection, Iterable
from typing import Any

import msgspec

from schemas.times import render
from streams.policy.model import Policy
from streams.rules.clusters import Facility
from streams.rules.reconcile import OPEN, Emitted
from streams.rules.shipments import Parcel, uses
from streams.rules.silences import STALLED
from streams.stages import rows
from streams.stages.shipments_task import ParcelRow

#: (carrier, tracking number)
Place = tuple[str, str]

#: Letters of rows in `streams.stages.shipments_task`.
_PARCEL = b"p"
_FACILITY = b"c"
_decode = msgspec.msgpack.Decoder(ParcelRow).decode
_facility = msgspec.msgpack.Decoder(Facility).decode
_encode = msgspec.msgpack.Encoder().encode


class OpenAlert(msgspec.Struct, frozen=True):
    """An alert that was raised and of which nothing more will be said. `since`: RFC 3339."""

    type: str
    subject: str
    since: str
    episode: str
    audiences: tuple[str, ...]


def open_alerts(emitted: Iterable[Emitted]) -> list[OpenAlert]:
    """Those of what was sent that are open, the oldest first."""
    left = sorted(
        (sent.raised, sent.type, sent.audiences, sent.episode, sent.subject) for sent in emitted if sent.state == OPEN
    )
    return [OpenAlert(type_, subject, render(raised), episode, to) for raised, type_, to, episode, subject in left]


class HeldParcel(msgspec.Struct, frozen=True):
    """What of a parcel goes: how many of each kind. `shared`: other orders were in it, and keep their history."""

    carrier: str
    tracking_no: str
    holds: dict[str, int]
    shared: bool
    open_alerts: list[OpenAlert]


class Cut(msgspec.Struct):
    """A row without the orders. `row` None: nothing is left. `stalls`: names of stalls that facilities know."""

    held: HeldParcel
    row: bytes | None
    stalls: frozenset[str]


class Search:
    """Which rows of a shipments task have to do with the orders, or with parcels that are known to be theirs."""

    def __init__(self, orders: Collection[str], parcels: Collection[Place]) -> None:
        self.orders = frozenset(orders)
        self.parcels = frozenset(parcels)
        self._keys = frozenset(rows.row_key(_PARCEL, *parcel) for parcel in parcels)
        # A string in MessagePack is its bytes: what holds none of these names none of the orders.
        named = b"|".join(re.escape(order.encode()) for order in sorted(self.orders))
        self._named = re.compile(named) if named else None

    def may_be(self, key: bytes, row: bytes) -> bool:
        """Whether a row may be of use; quick. Facilities all may: what they know is found with the parcels."""
        if key[:1] == _PARCEL:
            return key in self._keys or (self._named is not None and self._named.search(row) is not None)
        return key[:1] == _FACILITY

    def cut(self, key: bytes, row: bytes, policy: Policy) -> Cut | None:
        """The row without the orders; None where it has nothing to do with them."""
        letter, parts = rows.parts_of(key)
        if letter != _PARCEL:
            return None
        carrier, tracking_no = parts
        kept = _decode(row)
        mine = any(one.order_id in self.orders for one in kept.registrations)
        mine |= any(sent.order_id in self.orders for sent in kept.emitted)
        mine |= any(order in self.orders for order, *_ in kept.linked)
        # Scanned, and not registered yet: the order itself says whose it is.
        unregistered = (carrier, tracking_no) in self.parcels and not kept.registrations
        if not mine and not unregistered:
            return None
        return self._cut(_parcel(carrier, tracking_no, kept), kept, policy, whole=unregistered)

    def _cut(self, parcel: Parcel, kept: ParcelRow, policy: Policy, *, whole: bool) -> Cut:
        before = _count(parcel)
        emitted = parcel.emitted
        rules = policy.shipments
        for use in uses(parcel, rules.given_up, rules.keep):
            theirs = [one for one in use.registrations if one.order_id in self.orders]
            if whole or (theirs and len(theirs) == len(use.registrations)):
                parcel.forget(use)
        parcel.registrations = [one for one in parcel.registrations if one.order_id not in self.orders]
        parcel.linked = {key: span for key, span in parcel.linked.items() if key[0] not in self.orders}
        gone = [sent for sent in emitted if all(sent is not left for left in parcel.emitted)]
        for sent in parcel.emitted:
            if sent.order_id in self.orders:
                sent.order_id = None
        left = _count(parcel)
        row = None
        if parcel.scans or parcel.registrations:
            row = _encode(_row(parcel, kept))
        holds = {kind: count - left[kind] for kind, count in before.items() if count > left[kind]}
        held = HeldParcel(parcel.carrier, parcel.tracking_no, holds, row is not None, open_alerts(gone))
        stalls = frozenset(f"{parcel.tracking_no}/{sent.episode}" for sent in gone if sent.type == STALLED)
        return Cut(held, row, stalls)


def without_names(row: bytes, stalls: Collection[str], nameless: Iterable[str]) -> bytes | None:
    """A facility's row in which those stalls still count, without their names; None where it has none of them.

    `nameless` gives names that nothing else has.
    """
    facility = _facility(row)
    if not any(name in stalls for _, name in facility.points):
        return None
    names = iter(nameless)
    facility.points = sorted((time, next(names) if name in stalls else name) for time, name in facility.points)
    return _encode(facility)


def is_facility(key: bytes) -> bool:
    """Whether the row of that key is a facility's."""
    return key[:1] == _FACILITY


def _count(parcel: Parcel) -> dict[str, int]:
    return {
        "scans": len(parcel.scans),
        "registrations": len(parcel.registrations),
        "alerts": len(parcel.emitted),
        "links": len(parcel.linked),
    }


def _parcel(carrier: str, tracking_no: str, kept: ParcelRow) -> Parcel:
    scans = array("q")
    scans.frombytes(kept.scans)
    linked = {(order, name): (since, until) for order, name, since, until in kept.linked}
    return Parcel(carrier, tracking_no, scans, kept.facilities, kept.registrations, kept.emitted, linked)


def _row(parcel: Parcel, kept: ParcelRow) -> ParcelRow:
    """The row of what is left; it is judged anew by whoever restores it."""
    left: set[Any] = set(parcel.scans)
    return msgspec.structs.replace(
        kept,
        scans=parcel.scans.tobytes(),
        facilities=parcel.facilities,
        registrations=parcel.registrations,
        emitted=parcel.emitted,
        ties=[tie for tie in kept.ties if tie[0] in left],
        linked=[(*key, *span) for key, span in parcel.linked.items()],
        calm=False,
        finished=0,
        due=None,
    )
