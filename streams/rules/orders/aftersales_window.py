"""The after-sales window: open until a base period after the order's completion, then subject to review, then closed.

It applies to refund requests, disputes, complaints and after-sales tickets of an order, and is evaluated as of that
event: only a placement and completion up to then count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from schemas.times import DAY, parse, render
from streams.policy.model import AfterSales, Policy
from streams.rules.alert import PLATFORM
from streams.rules.orders.escalations import Escalation
from streams.rules.orders.refunds import Refund
from streams.rules.orders.ship_by import Order
from streams.rules.orders.tickets import Opened, Ticket
from streams.rules.reconcile import Expected

REVIEW = "aftersales.review"
#: Why a window extends beyond its base period; if equally long, the first holds.
STATUTORY_WARRANTY, COMMITMENT, SLOW_CATEGORY = "statutory_warranty", "commitment", "slow_category"
#: The kinds of requests.
REFUND, DISPUTE, COMPLAINT, TICKET = "refund", "dispute", "complaint", "ticket"
REQUEST_KINDS = (REFUND, DISPUTE, COMPLAINT, TICKET)
#: The kind of ticket to which the window applies.
_TICKET_KIND = "after_sales"
_END_OF_CALENDAR = parse("9999-12-31T23:59:59Z")


class Request(NamedTuple):
    """An event to which the window applies. `kind`: one of REQUEST_KINDS; `item_id`: None if it names none."""

    kind: str
    identity: str
    time: int
    shop_id: str
    item_id: str | None


class Window(NamedTuple):
    """The window of a completed order. Ends are inclusive, in microseconds."""

    completed: int
    base_end: int
    extension_end: int
    ground: str

    def asks_for_review(self, time: int) -> bool:
        """Whether `time` is past the base period but within the longest extension."""
        return self.base_end < time <= self.extension_end

    def is_closed(self, time: int) -> bool:
        """Whether `time` is past the base period and all extensions."""
        return time > self.base_end and time > self.extension_end


def requests(
    refunds: Mapping[str, Refund],
    disputes: Mapping[str, Escalation],
    complaints: Mapping[str, Escalation],
    tickets: Mapping[str, Ticket],
) -> Iterator[Request]:
    """The events of one record key to which the window applies."""
    for identity, refund in refunds.items():
        asked = refund.requested
        if asked is not None:
            yield Request(REFUND, identity, asked.time, asked.shop_id, asked.item_id)
    for kind, escalations in ((DISPUTE, disputes), (COMPLAINT, complaints)):
        for identity, one in escalations.items():
            if one.order_id is not None:
                yield Request(kind, identity, one.time, one.shop_id, one.item_id)
    for identity, ticket in tickets.items():
        opened = ticket.opened
        if opened is not None and asks(opened):
            yield Request(TICKET, identity, opened.time, opened.shop_id, None)


def asks(opened: Opened) -> bool:
    """Whether the window applies to a ticket."""
    return opened.kind == _TICKET_KIND and opened.order_id is not None


def window_of(order: Order, time: int, item_id: str | None, rules: AfterSales) -> Window | None:
    """The window as of `time` (microseconds), or None if it is open: the order is unknown or not completed by then."""
    completed = order.completed
    if completed is None or completed.time > time:
        return None
    categories = categories_of(order, time, item_id)
    base = rules.long_base_days if any(one in rules.long_categories for one in categories) else rules.base_days
    promised = order.placed.commitment_days if order.placed is not None and order.placed.time <= time else None
    extensions = (
        (_longest(categories, rules.warranty_days), STATUTORY_WARRANTY),
        (promised or 0, COMMITMENT),
        (_longest(categories, rules.slow_category_days), SLOW_CATEGORY),
    )
    days, ground = max(extensions, key=lambda extension: extension[0])
    start = completed.time
    return Window(start, start + round(base * DAY), start + round(days * DAY), ground)


def is_closed(order: Order, time: int, item_id: str | None, rules: AfterSales) -> bool:
    """Whether a request at `time` came after the window had closed."""
    window = window_of(order, time, item_id, rules)
    return window is not None and window.is_closed(time)


def categories_of(order: Order, time: int, item_id: str | None) -> set[str]:
    """Categories of the named item, or of all items if it is not in the order; empty unless placed by `time`."""
    placed = order.placed
    if placed is None or placed.time > time:
        return set()
    named = {category for item, category in placed.items if item == item_id}
    return named or {category for _, category in placed.items}


def review_alerts(order_id: str, order: Order, asked: Iterable[Request], policy: Policy) -> list[Expected]:
    """All review alerts for the requests of an order."""
    if order.completed is None:
        return []
    alerts = []
    for request in asked:
        window = window_of(order, request.time, request.item_id, policy.aftersales)
        if window is None or not window.asks_for_review(request.time):
            continue
        name = f"{request.kind}/{request.identity}"
        alerts.append(
            Expected(
                type=REVIEW,
                subject=order_id,
                anchor=name,
                episode=_episode(order_id, name, request.time),
                raised=request.time,
                resolved=None,
                resolution=None,
                resolved_by_deadline=False,
                audiences=(PLATFORM,),
                shop_id=request.shop_id,
                order_id=order_id,
                carrier=None,
                evidence=_evidence(request, window),
                by_event=True,
            )
        )
    return alerts


def _episode(order_id: str, name: str, time: int) -> Callable[[], str]:
    """The time distinguishes it from a request with the same id in a later life of the order."""
    return lambda: f"{order_id}/{name}/{render(time)}"


def _longest(categories: set[str], days: Mapping[str, float]) -> float:
    return max((days.get(category, 0) for category in categories), default=0)


def _evidence(request: Request, window: Window) -> Callable[[str], dict[str, Any]]:
    def evidence(_status: str) -> dict[str, Any]:
        # A commitment may extend past the end of the calendar.
        end = render(window.extension_end) if window.extension_end <= _END_OF_CALENDAR else None
        return {
            "request": request.kind,
            "request_id": request.identity,
            "item_id": request.item_id,
            "completed_at": render(window.completed),
            "base_ends_at": render(window.base_end),
            "extension_ends_at": end,
            "ground": window.ground,
        }

    return evidence
