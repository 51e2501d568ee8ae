"""Converts Olist's orders, items and reviews into marketplace events.

Olist has the times at which an order was placed, approved, handed to the carrier and delivered, and its
reviews. The rest is derived by fixed rules, listed in `DERIVED`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from schemas.events import CHATS, ORDERS, SCANS
from streams.adapt.lines import MAX_ID, Line, Report, Settings
from streams.adapt.olist_files import Folder, Item, Order, Review, read_folder
from streams.adapt.times import read_time, rfc3339

CARRIER = "OLIST"
"""Olist names no carrier; one stands for all."""
NO_CATEGORY = "uncategorised"
_RANK = {ORDERS: 0, SCANS: 1, CHATS: 2}

DERIVED = """\
An order of one seller keeps its id; one of several becomes one order per seller, ORDER-1, ORDER-2, ... in
the order of their first items, because an order has one shop. Orders without items have no shop and are
left out, and counted. The shop is the seller, the category the product's Portuguese category name
('uncategorised' without one), the amount the sum of the prices without freight, the buyer
customer_unique_id, the region the customer's state. Paid is order_approved_at, ship_by the earliest
shipping_limit_date of the seller's items. Shipped, and picked_up, are both order_delivered_carrier_date;
the tracking number is OLIST-ORDER and the carrier OLIST, as the data names neither. A delivered order
completes with its delivery. A cancelled one is cancelled at the latest of its own times, as the data has
none for it; 'unavailable' is not taken for a cancellation. A review of one star is a complaint at the time
it was answered; of an order of several sellers it is one against each (REVIEW-1, ...), as it does not say
whom it is about."""


class _Moments(NamedTuple):
    placed: datetime
    approved: datetime | None
    handed_over: datetime | None
    delivered: datetime | None


class _Part(NamedTuple):
    """One seller's part of an order."""

    order: str
    suffix: str
    shop: str
    items: list[Item]


class _Timed(NamedTuple):
    moment: datetime
    line: Line


def olist(path: Path, settings: Settings, report: Report) -> Iterator[Line]:
    """The events of one Olist folder in the order of their times. Unreadable orders are problems."""
    folder = read_folder(path, report)
    if folder is None:
        return
    found: list[_Timed] = []
    for order in folder.orders:
        try:
            _check_id("order_id", order.order)
            events = list(_events(folder, order, settings, report))
        except ValueError as error:
            report.problem(folder.file, order.where, str(error))
            continue
        report.readable += 1
        found.extend(events)
    found.sort(key=lambda timed: (timed.moment, _RANK[timed.line.topic]))
    for timed in found:
        report.count(timed.line)
        yield timed.line


def _events(folder: Folder, order: Order, settings: Settings, report: Report) -> Iterator[_Timed]:
    moments = _Moments(
        placed=_moment("order_purchase_timestamp", order.placed, settings),
        approved=_moment("order_approved_at", order.approved, settings) if order.approved else None,
        handed_over=_moment("order_delivered_carrier_date", order.handed_over, settings) if order.handed_over else None,
        delivered=_moment("order_delivered_customer_date", order.delivered, settings) if order.delivered else None,
    )
    if not order.items:
        report.left_out["orders without items, so without a shop"] += 1
        return
    for part in _parts(order):
        _check_id("seller_id", part.shop)
        yield from _of_order(folder, order, part, moments, settings)
        yield from _of_parcel(order, part, moments)
        for review in order.reviews:
            if review.score == 1:
                yield _complaint(part, review, settings)


def _parts(order: Order) -> list[_Part]:
    sellers: dict[str, list[Item]] = {}
    for item in order.items:
        sellers.setdefault(item.seller, []).append(item)
    several = len(sellers) > 1
    parts = []
    for number, (seller, items) in enumerate(sellers.items(), 1):
        suffix = f"-{number}" if several else ""
        parts.append(_Part(order.order + suffix, suffix, seller, items))
    return parts


def _of_order(folder: Folder, order: Order, part: _Part, moments: _Moments, settings: Settings) -> Iterator[_Timed]:
    placed: dict[str, Any] = {"buyer_id": order.buyer, "items": _items(folder, part.items)}
    if order.state:
        placed["ship_to_region"] = order.state
    yield _order_event("order.placed", part, moments.placed, placed)
    if moments.approved:
        limits = [_moment("shipping_limit_date", item.ship_by, settings) for item in part.items if item.ship_by]
        paid = {"ship_by": rfc3339(min(limits))} if limits else {}
        yield _order_event("order.paid", part, moments.approved, paid)
    if moments.handed_over:
        shipped = {"tracking_no": _tracking_no(part), "carrier": CARRIER}
        if folder.states.get(part.shop):
            shipped["from_region"] = folder.states[part.shop]
        if order.state:
            shipped["to_region"] = order.state
        yield _order_event("order.shipped", part, moments.handed_over, shipped)
    if order.status == "delivered" and moments.delivered:
        yield _order_event("order.completed", part, moments.delivered, {})
    if order.status == "canceled":
        yield _order_event("order.cancelled", part, max(moment for moment in moments if moment), {})


def _items(folder: Folder, items: list[Item]) -> list[dict[str, Any]]:
    """Items by product: Olist has one line for each piece."""
    products: dict[str, list[Item]] = {}
    for item in items:
        products.setdefault(item.product, []).append(item)
    result = []
    for product, pieces in products.items():
        entry: dict[str, Any] = {
            "item_id": product,
            "category_id": folder.categories.get(product) or NO_CATEGORY,
            "quantity": len(pieces),
        }
        prices = [piece.price for piece in pieces if piece.price is not None]
        if len(prices) == len(pieces):
            entry["amount"] = round(sum(prices), 2)
        result.append(entry)
    return result


def _of_parcel(order: Order, part: _Part, moments: _Moments) -> Iterator[_Timed]:
    if moments.handed_over:
        yield _scan("picked_up", part, moments.handed_over, None)
    if moments.delivered:
        yield _scan("delivered", part, moments.delivered, order.state or None)


def _scan(status: str, part: _Part, moment: datetime, region: str | None) -> _Timed:
    value = {
        "event_id": f"olist:{part.order}:{status}",
        "type": "scan",
        "occurred_at": rfc3339(moment),
        "tracking_no": _tracking_no(part),
        "carrier": CARRIER,
        "status": status,
    }
    if region:
        value["region"] = region
    return _Timed(moment.astimezone(UTC), Line(SCANS, value))


def _complaint(part: _Part, review: Review, settings: Settings) -> _Timed:
    try:
        moment = read_time(review.answered, settings.tz)
    except ValueError as error:
        raise ValueError(f"its review on {review.where} of the reviews: {error}") from error
    complaint = review.review + part.suffix
    value = {
        "event_id": f"olist:{part.order}:{complaint}",
        "type": "complaint.filed",
        "occurred_at": rfc3339(moment),
        "shop_id": part.shop,
        "order_id": part.order,
        "complaint_id": complaint,
    }
    return _Timed(moment.astimezone(UTC), Line(CHATS, value))


def _order_event(kind: str, part: _Part, moment: datetime, more: dict[str, Any]) -> _Timed:
    value = {
        "event_id": f"olist:{part.order}:{kind}",
        "type": kind,
        "occurred_at": rfc3339(moment),
        "order_id": part.order,
        "shop_id": part.shop,
        **more,
    }
    return _Timed(moment.astimezone(UTC), Line(ORDERS, value))


def _tracking_no(part: _Part) -> str:
    return f"OLIST-{part.order}"


def _moment(column: str, text: str, settings: Settings) -> datetime:
    try:
        return read_time(text, settings.tz)
    except ValueError as error:
        raise ValueError(f"{column}: {error}") from error


def _check_id(column: str, value: str) -> None:
    """Leaves room for an id's prefix and suffix."""
    if len(value) > MAX_ID - 40:
        raise ValueError(f"{column} of more than {MAX_ID - 40} characters")
