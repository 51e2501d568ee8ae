"""Orders that are due to ship soon, late, or probably out of stock."""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable
from functools import cached_property
from typing import Any, NamedTuple

import msgspec

from schemas.times import render
from streams.policy.model import Policy
from streams.rules.alert import MERCHANT, PLATFORM, RAISED
from streams.rules.facts import Fact
from streams.rules.reconcile import Expected

SHIP_DUE_SOON = "order.ship_due_soon"
SHIP_LATE = "order.ship_late"
OUT_OF_STOCK = "order.out_of_stock_suspected"
#: How the wait for shipping ends.
SHIPPED, COMPLETED, CANCELLED = "shipped", "completed", "cancelled"


class Placed(Fact, array_like=True, kw_only=True, gc=False):
    """`items`: (item, category) of each line, in order. `buyer`: a keyed hash, if a key is configured."""

    items: tuple[tuple[str, str], ...]
    ship_to_region: str | None = None
    commitment_days: int | None = None
    buyer: bytes | None = None


class Paid(Fact, array_like=True, kw_only=True, gc=False):
    """`ship_by`: the agreed ship time in microseconds, if any."""

    ship_by: int | None = None


class Shipped(Fact, array_like=True, kw_only=True, gc=False):
    """One parcel of the order. `deliver_by`: the promised delivery in microseconds, if any."""

    carrier: str
    tracking_no: str
    from_region: str | None = None
    to_region: str | None = None
    deliver_by: int | None = None


class Order(msgspec.Struct, array_like=True, dict=True):
    """What is known of one order: the first fact of each kind, and one `Shipped` per parcel."""

    placed: Placed | None = None
    paid: Paid | None = None
    completed: Fact | None = None
    cancelled: Fact | None = None
    shipped: list[Shipped] = msgspec.field(default_factory=list)

    def parcel(self, carrier: str, tracking_no: str) -> Shipped | None:
        """What is known of the order in that parcel."""
        return self._by_parcel.get((carrier, tracking_no))

    def put_parcel(self, fact: Shipped) -> None:
        """Takes the place of what is known of the order in the parcel, if anything is."""
        name = fact.carrier, fact.tracking_no
        known = self._by_parcel.get(name)
        if known is not None:
            self.shipped.remove(known)
        # Nearly every order has one parcel.
        if self.shipped:
            insort(self.shipped, fact, key=lambda one: one.place)
        else:
            self.shipped.append(fact)
        self._by_parcel[name] = fact

    @cached_property
    def _by_parcel(self) -> dict[tuple[str, str], Shipped]:
        """Worked out once while the order is in memory: it is no part of what is kept."""
        return {(one.carrier, one.tracking_no): one for one in self.shipped}

    @property
    def single_item(self) -> str | None:
        """The order's item if it has exactly one."""
        if self.placed is None:
            return None
        items = {item for item, _ in self.placed.items}
        return next(iter(items)) if len(items) == 1 else None


class ShipDeadline(NamedTuple):
    """The time, in microseconds, at which an alert of `type` is raised unless the wait has ended."""

    type: str
    time: int
    audience: str


def ship_deadlines(paid: Paid, policy: Policy) -> list[ShipDeadline]:
    """All deadlines in order; `ship_due_soon` is left out if the order was paid later than that."""
    ship_by, rules = ship_by_of(paid, policy), policy.orders.micros
    found = [
        ShipDeadline(SHIP_LATE, max(ship_by, paid.time), MERCHANT),
        ShipDeadline(OUT_OF_STOCK, max(ship_by + rules.out_of_stock, paid.time), PLATFORM),
    ]
    due_soon = ship_by - rules.due_soon
    if paid.time <= due_soon:
        found.insert(0, ShipDeadline(SHIP_DUE_SOON, due_soon, MERCHANT))
    return found


def deadline_alerts(order_id: str, order: Order, policy: Policy) -> list[Expected]:
    """All alerts for the order's facts, past and future."""
    paid, end = order.paid, end_of_wait(order)
    first = first_deadline(order, policy)
    if paid is None or first is None or (end is not None and end[0] <= first):
        # Nearly always: it shipped in good time.
        return []
    ship_by = ship_by_of(paid, policy)
    alerts = []
    for kind, deadline, audience in ship_deadlines(paid, policy):
        if end is not None and end[0] <= deadline:
            continue
        alerts.append(
            Expected(
                type=kind,
                subject=order_id,
                anchor=order_id,
                episode=_episode(order_id, deadline),
                raised=deadline,
                resolved=end[0] if end is not None else None,
                resolution=end[1] if end is not None else None,
                resolved_by_deadline=False,
                audiences=(audience,),
                shop_id=paid.shop_id,
                order_id=order_id,
                carrier=None,
                evidence=_evidence(paid, ship_by, deadline),
            )
        )
    return alerts


def first_deadline(order: Order, policy: Policy) -> int | None:
    """The earliest time, in microseconds, at which the order can raise an alert if nothing ends the wait."""
    paid = order.paid
    if paid is None:
        return None
    ship_by = ship_by_of(paid, policy)
    due_soon = ship_by - policy.orders.micros.due_soon
    return due_soon if paid.time <= due_soon else max(ship_by, paid.time)


def end_of_wait(order: Order) -> tuple[int, str] | None:
    """When (microseconds) and how the wait for shipping first ends."""
    end: tuple[tuple[int, str, bytes], str] | None = None
    for fact, how in ((order.completed, COMPLETED), (order.cancelled, CANCELLED)):
        if fact is not None and (end is None or fact.place < end[0]):
            end = (fact.place, how)
    for parcel in order.shipped:
        if end is None or parcel.place < end[0]:
            end = (parcel.place, SHIPPED)
    return None if end is None else (end[0][0], end[1])


def _episode(order_id: str, deadline: int) -> Callable[[], str]:
    """The deadline distinguishes it from that of a later life of the order, which is unknown here."""
    return lambda: f"{order_id}/{render(deadline)}"


def ship_by_of(paid: Paid, policy: Policy) -> int:
    """When the order has to be shipped, in microseconds."""
    return paid.ship_by if paid.ship_by is not None else paid.time + policy.orders.micros.ship_by


def _evidence(paid: Paid, ship_by: int, deadline: int) -> Callable[[str], dict[str, Any]]:
    def evidence(status: str) -> dict[str, Any]:
        facts = {"paid_at": render(paid.time), "ship_by": render(ship_by)}
        return facts if status == RAISED else {**facts, "raised_at": render(deadline)}

    return evidence
