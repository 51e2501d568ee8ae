"""A stream that raises every type of alert under a policy whose limits a small marketplace reaches."""

from __future__ import annotations

import json
from functools import cache
from random import Random
from typing import Any

from schemas.decode import Invalid, decode
from schemas.events import record_key
from schemas.times import DAY, HOUR, MINUTE, parse, render
from streams.marketplace.market import Plan, market

#: (topic, key, value).
Event = tuple[str, bytes, bytes]

START = parse("2026-09-01T00:00:00+08:00")

#: Limits that a small marketplace reaches.
POLICY = """
extends = "default"
name = "lively"
[feed_silence]
min_scans = 60
[clusters]
stalls = 5
[help_rate]
min_orders = 20
[conversations.reply_late]
enabled = true
[[shipments.relief]]
name = "flood"
from = "2026-09-08T00:00:00+08:00"
to = "2026-09-11T00:00:00+08:00"
hours = 24
"""


def _record(topic: str, value: dict[str, Any]) -> tuple[int, Event]:
    encoded = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    event, time = decode(topic, encoded)
    return time, (topic, record_key(event).encode(), encoded)


def outages(start: int = START) -> list[tuple[int, Event]]:
    """26 days of a carrier with many scans that falls silent twice, and whose parcels stall at two facilities."""
    random = Random(7)
    gaps = [(start + days * DAY + 5 * HOUR, hours * HOUR) for days, hours in ((12, 9), (20, 40))]
    found = []
    for number in range(9_000):
        at = start + random.randrange(26 * 24 * 60) * MINUTE
        if any(since <= at < since + length for since, length in gaps):
            continue
        value = {"event_id": f"f{number}", "type": "scan", "occurred_at": render(at), "carrier": "FEED"}
        value |= {"tracking_no": f"F{random.randrange(1_500)}", "facility": random.choice(("甲站", "乙站"))}
        found.append(
            _record("logistics-scans", value | {"status": random.choice(("departed", "arrived", "delivered"))})
        )
    for number in range(10):
        found += _promised_in_an_outage(number, gaps[1][0])
    return found


def _promised_in_an_outage(number: int, begins: int) -> list[tuple[int, Event]]:
    """A parcel whose delivery is promised for a time at which its carrier's feed is silent, and that comes later."""
    parcel = {"tracking_no": f"Q{number}", "carrier": "FEED"}
    ids = {"order_id": f"Q{number}", "shop_id": f"shop-{number % 4:03d}"}
    found = []
    for topic, type_, at, fields in (
        ("orders", "order.shipped", begins - 30 * HOUR, ids | {"deliver_by": render(begins + 20 * HOUR)}),
        ("logistics-scans", "scan", begins - 28 * HOUR, {"status": "picked_up"}),
        ("logistics-scans", "scan", begins + (44 + number) * HOUR, {"status": "delivered"}),
    ):
        value = {"event_id": f"{type_}-Q{number}-{at}", "type": type_, "occurred_at": render(at)}
        found.append(_record(topic, value | parcel | fields))
    return found


def _refunds() -> list[tuple[int, Event]]:
    """Orders with requests after the sale, refused and granted, and talk that is answered late or not at all."""
    return [event for number in range(150) for event in _refund(number, Random(number))]


def _refund(number: int, random: Random) -> list[tuple[int, Event]]:
    """The life of one such order."""
    order, shop = f"R{number}", f"shop-{number % 4:03d}"
    placed = START + random.randrange(10 * 24 * 60) * MINUTE
    found = []

    def event(topic: str, type_: str, hours: float, **fields: Any) -> None:
        value = {"event_id": f"{type_}-{number}-{hours}", "type": type_, "shop_id": shop, "order_id": order}
        found.append(_record(topic, value | {"occurred_at": render(placed + round(hours * HOUR))} | fields))

    items = [{"item_id": f"i{number % 7}", "category_id": random.choice(("c1", "flowers")), "quantity": 1}]
    event("orders", "order.placed", 0, buyer_id=f"b{number}", items=items, commitment_days=random.choice((None, 30)))
    event("orders", "order.completed", 48)
    asked = 48 + random.choice((24, 15 * 24, 17 * 24 + 0.5))
    kind, reason = random.choice(("return_refund", "exchange", "refund_only")), random.choice(("damaged", "其他"))
    event("orders", "refund.requested", asked, refund_id="r", kind=kind, reason=reason)
    event("orders", "refund.rejected", asked + 1, refund_id="r")
    if random.random() < 0.5:
        event("orders", "refund.settled", asked + 12, refund_id="r")
    else:
        event("orders", "dispute.opened", asked + 14, dispute_id="d")
    said = {"conversation_id": f"v{number}"}
    text = random.choice(("快递到哪了", "申请平台介入"))
    event("chats", "chat.message", asked - 39, sender="buyer", text=text, **said)
    if random.random() < 0.7:
        answered = asked - 39 + random.choice((0.01, 0.05, 2))
        event("chats", "chat.message", answered, sender="merchant", text="您好", **said)
    return found


def parcels() -> list[tuple[int, Event]]:
    """Parcels that are late, fail to be delivered, go back, are destroyed, and those of each suspicious kind."""
    return [event for number in range(60) for event in _parcel(number, Random(number))]


def _parcel(number: int, random: Random) -> list[tuple[int, Event]]:
    """One of them, and the order in it."""
    ids = {"order_id": f"P{number}", "shop_id": f"shop-{number % 4:03d}"}
    # The number of a parcel that was delivered two weeks before.
    used = number >= 30 and number % 6 == 0
    parcel = {"tracking_no": f"N{number - 30 if used else number}", "carrier": "ZTO"}
    begun = START + (16 if used else 1) * DAY + number * HOUR
    found = []

    def order(type_: str, hours: float, **fields: Any) -> None:
        value = {"event_id": f"{type_}-P{number}", "type": type_, "occurred_at": render(begun + round(hours * HOUR))}
        found.append(_record("orders", value | ids | fields))

    def scan(status: str, hours: float, **fields: Any) -> None:
        at = begun + round(hours * HOUR)
        value = {"event_id": f"{status}-{at}", "type": "scan", "occurred_at": render(at), "status": status}
        found.append(_record("logistics-scans", value | parcel | {"facility": "丙站"} | fields))

    paid = 9 if number % 6 == 1 else 1
    order("order.paid", paid)
    order("order.shipped", 2, **parcel, to_region="浙江", deliver_by=render(begun + 60 * HOUR))
    scan("picked_up", 4)
    for attempt in range(random.choice((0, 2, 3)) if number % 6 == 2 else 0):
        scan("delivery_failed", 30 + attempt)
    if number % 6 == 3:
        scan("returning", 40)
    end = "delivered" if number % 6 < 3 else random.choice(("delivered", "returned", "destroyed"))
    scan(end, random.choice((50, 50, 70)), region=random.choice(("浙江省", "广东省", None)))
    return found


@cache
def stream() -> tuple[list[Event], str]:
    """The events in the order of arrival, and when to end."""
    greatest, keyed = 0, []
    # The marketplace keeps its own mild disorder; what is added comes when the greatest time before it says so.
    for made in market(Plan(seed=3, shops=12, orders_per_day=72, days=40)):
        event = (made.topic, made.key.encode(), made.encode())
        if not _is_valid(*event):
            continue
        time = parse(json.loads(event[2])["occurred_at"])
        greatest = max(greatest, time)
        keyed.append((greatest, event))
        if b'"order.placed"' in event[2] and b'"item-002-1"' in event[2] and event[1][-1:] in b"258":
            keyed.append(_disputed(json.loads(event[2])))
    events = [event for _, event in sorted(keyed + outages() + _refunds() + parcels(), key=lambda one: one[0])]
    return events, render(greatest + 9 * DAY)


def _disputed(placed: dict[str, Any]) -> tuple[int, Event]:
    """Buyers of one item are angry with it."""
    return _record(
        "orders",
        {
            "event_id": f"angry-{placed['order_id']}",
            "type": "dispute.opened",
            "occurred_at": render(parse(placed["occurred_at"]) + HOUR),
            "order_id": placed["order_id"],
            "shop_id": placed["shop_id"],
            "dispute_id": f"{placed['order_id']}-angry",
            "item_id": "item-002-1",
        },
    )


def _is_valid(topic: str, key: bytes, value: bytes) -> bool:
    try:
        return record_key(decode(topic, value)[0]).encode() == key
    except Invalid:
        return False
