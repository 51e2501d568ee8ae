"""Finds a person's orders in the state of the orders tasks, each with everything under its key."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from streams.forget.parcels import OpenAlert, ParcelKey, open_alerts
from streams.rules.cases.apply import PLACED, SHIPPED, unpacked
from streams.rules.cases.case import Case
from streams.rules.cases.lifetimes import parts
from streams.rules.orders.ship_by import Placed, Shipped
from streams.stages.cases.table import CASE_LETTER, case_row_key, is_in_pieces
from streams.stages.split_rows import is_piece, owner_of


class Wanted(msgspec.Struct, frozen=True):
    """Whose state is to go: an order's, or that of all orders of a buyer, by the keyed hash."""

    order: str | None = None
    buyer: bytes | None = None

    def may_be(self, key: bytes, row: bytes) -> bool:
        """Quick prefilter: True if the row of an orders task, or a piece of one, may be theirs."""
        if key[:1] != CASE_LETTER:
            return False
        name = owner_of(key) if is_piece(key) else key
        if self.buyer is not None:
            return name != key or is_in_pieces(row) or self.buyer in row
        return self.order is not None and name == case_row_key(self.order)

    def is_theirs(self, case: Case) -> bool:
        """True if the case itself names the order or the buyer."""
        if self.buyer is not None:
            return any(placed.buyer == self.buyer for placed in _placed(case))
        return case.key == self.order


class HeldOrder(msgspec.Struct, frozen=True):
    """What one case holds: counts by kind, its parcels, and its open alerts."""

    order_id: str
    holds: dict[str, int]
    parcels: list[ParcelKey]
    open_alerts: list[OpenAlert]


def held(case: Case) -> HeldOrder:
    """Everything under an order's key, earlier lives included."""
    counted = dict.fromkeys(_KINDS, 0)
    for part in parts(case):
        for kind in ("refunds", "disputes", "complaints", "tickets", "conversations", "voidings", "stalls"):
            counted[kind] += len(getattr(part, kind))
        counted["interventions"] += len(part.requests) + len(part.messages)
        order = part.order
        facts = (order.placed, order.paid, order.completed, order.cancelled, *order.shipped)
        counted["facts"] += sum(fact is not None for fact in facts)
        counted["alerts"] += len(part.emitted)
    counted["deferred"] = len(case.deferred)
    parcels = list(dict.fromkeys((fact.carrier, fact.tracking_no) for fact in _shipped(case)))
    left_open = [alert for part in parts(case) for alert in open_alerts(part.emitted)]
    return HeldOrder(case.key, {kind: count for kind, count in counted.items() if count}, parcels, left_open)


_KINDS = (
    "facts", "refunds", "disputes", "complaints", "interventions", "tickets", "conversations", "voidings", "stalls",
    "alerts", "deferred",
)  # fmt: skip


def _placed(case: Case) -> Iterator[Placed]:
    yield from (part.order.placed for part in parts(case) if part.order.placed is not None)
    for deferred in case.deferred:
        if deferred.slot == PLACED and isinstance(fact := unpacked(deferred).fact, Placed):
            yield fact


def _shipped(case: Case) -> Iterator[Shipped]:
    for part in parts(case):
        yield from part.order.shipped
    for deferred in case.deferred:
        if deferred.slot == SHIPPED and isinstance(fact := unpacked(deferred).fact, Shipped):
            yield fact
    yield from (one.fact for one in case.ahead)
