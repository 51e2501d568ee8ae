"""What the evidence of an alert says of a shipment as of an instant."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any, NamedTuple

from schemas.times import render
from streams.policy.model import Policy
from streams.rules.shipments.carrier_feeds import Silent
from streams.rules.shipments.parcel import Parcel, Registration
from streams.rules.shipments.places import destination
from streams.rules.shipments.scan_status import BITS, MASK, NAMES
from streams.rules.shipments.uses import Use

GIVEN_UP = "given_up"
#: Most orders of a parcel that an alert lists; ids have at most 128 characters, so a record stays small.
MOST_ORDER_IDS = 100


class State(NamedTuple):
    """A shipment as of an instant. `since`: its last update in microseconds; `status`: the rank of its last scan."""

    since: int
    status: int | None
    facility: str | None
    registrations: Sequence[Registration]


def state_at(parcel: Parcel, use: Use, time: int) -> State:
    """The shipment as of an instant (microseconds), which is not before its start."""
    registrations = use.registrations[: bisect_right(use.registrations, time, key=lambda one: one.time)]
    last = min(time, use.ended[0]) if use.ended is not None else time
    place = bisect_right(parcel.scans, last << BITS | MASK) - 1
    scanned = place >= 0 and parcel.scans[place] >> BITS >= use.start
    since = registrations[-1].time if registrations else use.start
    if not scanned:
        return State(since, None, None, registrations)
    packed = parcel.scans[place]
    return State(max(since, packed >> BITS), packed & MASK, parcel.facilities[place], registrations)


def end_of(use: Use, policy: Policy) -> tuple[int, str]:
    """When (microseconds) and how the use ends: with its terminal scan, else it is given up."""
    if use.ended is None:
        return use.last + policy.shipments.given_up, GIVEN_UP
    ended, rank = use.ended
    return ended, NAMES[rank]


def moved_by(silent: Silent | None) -> dict[str, Any]:
    """Explains a delay: the feed was silent when the deadline passed."""
    if silent is None or silent.end is None:
        return {}
    return {"feed_silent": {"from": render(silent.start), "until": render(silent.end)}}


def facts_of(use: Use, state: State, by: int, threshold_hours: float | None) -> dict[str, Any]:
    """What every alert about a shipment says; the destination is that known by an instant (microseconds)."""
    return {
        "last_update": render(state.since),
        "last_status": NAMES[state.status] if state.status is not None else None,
        "facility": state.facility,
        "threshold_hours": threshold_hours,
        **_orders(state.registrations),
        "destination": destination(state.registrations, by),
        "use_since": render(use.start),
    }


def _orders(registrations: Sequence[Registration]) -> dict[str, Any]:
    """The orders in the parcel: the first of them, and how many there are where that is not all."""
    orders = list(dict.fromkeys(r.order_id for r in registrations))
    facts: dict[str, Any] = {"order_ids": orders[:MOST_ORDER_IDS]}
    if len(orders) > MOST_ORDER_IDS:
        facts["order_count"] = len(orders)
    return facts
