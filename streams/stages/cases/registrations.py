"""What the shipments get to know of the orders under one record key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from streams.policy.model import Policy
from streams.rules.cases import eviction, lifetimes
from streams.rules.cases.case import Case, Shipping
from streams.rules.orders.ship_by import Shipped

#: What the shipments get to know of an order, of a parcel by (what, carrier, tracking number, ...): that it was
#: "shipped" in it (fields of a Registration), that it was not by that event ("withdrawn": order and place), and when it
#: was "placed" (order and place of the shipping, then time and region).
RegistrationRecord = tuple[Any, ...]


def announced(case: Case) -> list[Shipping]:
    """What the shipments know of the case."""
    return lifetimes.shippings(case) + case.ahead


def changed(case: Case, before: list[Shipping], policy: Policy) -> Iterator[RegistrationRecord]:
    """What the shipments have to be told since they knew what stood `before`.

    They wait for the orders alone, so of what is deferred as it is foreseen: that it is a repeat may depend on a chat
    that is yet to come only where an order has neither been completed nor cancelled.
    """
    now = lifetimes.shippings(case)
    case.ahead = []
    if case.shippings_deferred:
        known = {one.name for one in now}
        foreseen = lifetimes.shippings(eviction.foreseen(case, policy))
        case.ahead = [one for one in foreseen if one.name not in known]
        now += case.ahead
    known_before = {one.name: one for one in before}
    wanted = {one.name: one for one in now}
    yield from (("withdrawn", *name) for name in known_before if name not in wanted)
    for name, one in wanted.items():
        if name not in known_before:
            yield "shipped", *_registration(one)
        elif known_before[name] != one:
            yield "placed", *name, one.placed, one.ship_to_region


def shipped(case: Case, fact: Shipped, known: Shipped | None) -> Iterator[RegistrationRecord]:
    """What they have to be told of a fact that the case holds now, in the place of a known one, and of nothing else."""
    placed = case.order.placed
    of_order = (placed.time, placed.ship_to_region) if placed is not None else (None, None)
    if known is not None:
        yield "withdrawn", *Shipping(known, case.key, *of_order).name
    yield "shipped", *_registration(Shipping(fact, case.key, *of_order))


def _registration(one: Shipping) -> tuple[Any, ...]:
    """The parcel, and the fields of a Registration."""
    fact = one.fact
    regions = (fact.from_region, fact.to_region, one.placed, one.ship_to_region)
    return fact.carrier, fact.tracking_no, *fact.place, one.order_id, fact.shop_id, *regions
