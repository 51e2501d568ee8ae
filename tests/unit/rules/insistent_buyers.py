"""Streams in which buyers escalate one order again and again."""

from __future__ import annotations

from random import Random
from typing import Any

from tests.oracle.policy import DAY, HOUR
from tests.oracle.streams import START, random_stream
from tests.oracle.timeline import microseconds, shown

PROFILES = ("taobao-experience-2026", "distinct-orders")


Events = list[dict[str, Any]]


#: Between two escalations of one order: about an hour's end, a window's, or none.
_GAPS = (0, 1, HOUR - 1, HOUR, 7 * DAY - HOUR, 7 * DAY, 7 * DAY + HOUR, 30 * DAY - HOUR, 30 * DAY, 30 * DAY + HOUR)


def told(topic: str, type_: str, time: int, order: str, number: int, **fields: Any) -> dict[str, Any]:
    value = {"event_id": f"p{number}", "type": type_, "occurred_at": shown(time), "order_id": order, **fields}
    return {"topic": topic, "value": value}


def insistent(rng: Random, count: int) -> Events:
    """Buyers who escalate one order again and again, and are told that they were wrong now and then."""
    events: Events = []
    for number in range(count):
        order = f"V{rng.randrange(3)}"
        fields: dict[str, Any] = {"shop_id": rng.choice(("S0", "S0", "S0", "S1")), "item_id": rng.choice((None, "i0"))}
        at = START + rng.randrange(3 * DAY) if rng.random() < 0.3 else START + rng.choice(_GAPS)
        at += rng.choice((0, 7, 23, 30)) * DAY
        if rng.random() < 0.5:
            at -= at % HOUR
        kind, id_ = rng.choice(("dispute", "complaint")), f"{number}"
        type_, topic = ("dispute.opened", "orders") if kind == "dispute" else ("complaint.filed", "chats")
        events.append(told(topic, type_, at, order, number, **{f"{kind}_id": id_}, **fields))
        if rng.random() < 0.4:
            void = at + rng.choice((-1, 0, 1, HOUR, rng.choice(_GAPS)))
            fields = {"shop_id": "S0", "escalation": kind, "escalation_id": id_, "reason": "spam"}
            events.append(told(topic, "escalation.voided", void, order, count + number, **fields))
    return events


def market(rng: Random) -> Events:
    """Orders of one item in seven shops: so many that a shop and its item are at risk where buyers insist."""
    events: Events = []
    for number in range(21):
        order = f"V{number}"
        at = START + rng.choice((0, HOUR, 7 * DAY, rng.randrange(9 * DAY)))
        items = [{"item_id": "i0", "category_id": "c1", "quantity": 1}]
        fields = {"shop_id": f"S{number // 3}", "buyer_id": "B", "items": items}
        events.append(told("orders", "order.placed", at, order, 5000 + number, **fields))
    return events


def stream(rng: Random, size: int) -> Events:
    """What the oracle's generator gives; its orders are paid, and some of them escalated without end."""
    events = random_stream(rng, size, weeks=rng.choice((2, 8)), forgetting=False, odd_parcels=0)
    events += market(rng) if rng.random() < 0.7 else []
    for number, event in enumerate(list(events)):
        value = event["value"]
        if value["type"] == "order.placed" and rng.random() < 0.8:
            at = microseconds(value["occurred_at"]) + rng.choice((-HOUR, -1, 0, 0, 1, HOUR, rng.randrange(9 * DAY)))
            events.append(told("orders", "order.paid", at, value["order_id"], 9000 + number, shop_id=value["shop_id"]))
    events += insistent(rng, rng.randrange(size // 4 + 2))
    return sorted(events, key=lambda event: microseconds(event["value"]["occurred_at"]))
