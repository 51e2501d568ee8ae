"""Registration messages to the shipments about the orders under one record key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from streams.policy.model import Policy
from streams.rules.cases import eviction, lifetimes
from streams.rules.cases.case import Case, Shipping
from streams.rules.orders.ship_by import Shipped

#: A message about a parcel, as (kind, carrier, tracking number, ...): "shipped" registers an order in it (fields of a
#: Registration), "withdrawn" takes that back (order and place of the event), "placed" tells what became known of the
#: order (order and place of the shipping, then when it was placed, its region, when it was paid).
RegistrationRecord = tuple[Any, ...]


def announced(case: Case) -> list[Shipping]:
    """What the shipments have been told of the case."""
    return lifetimes.shippings(case) + case.ahead


def changed(case: Case, before: list[Shipping], policy: Policy) -> Iterator[RegistrationRecord]:
    """The messages that bring the shipments from `before` to the current case.

    The shipments wait for the orders only, so deferred events count as they are foreseen: whether one is a repeat can
    depend on a later chat only if the order is neither completed nor cancelled.
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
            yield "placed", *name, one.placed, one.ship_to_region, one.paid


def shipped(case: Case, fact: Shipped, known: Shipped | None) -> Iterator[RegistrationRecord]:
    """The messages for one fact that the case now holds, in place of `known`, if nothing else changed."""
    of_order = lifetimes.of_its_order(case.order)
    if known is not None:
        yield "withdrawn", *Shipping(known, case.key, *of_order).name
    yield "shipped", *_registration(Shipping(fact, case.key, *of_order))


def _registration(one: Shipping) -> tuple[Any, ...]:
    """The parcel and the fields of a Registration."""
    fact = one.fact
    regions = (fact.from_region, fact.to_region, one.placed, one.ship_to_region)
    times = (fact.deliver_by, one.paid)
    return fact.carrier, fact.tracking_no, *fact.place, one.order_id, fact.shop_id, *regions, *times
