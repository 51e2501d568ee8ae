"""A stream in which everything that must not leave the worker bears a mark.

Buyers' ids, texts of chats, notes, free-text reasons, fields that nobody knows; in valid events of every type, and in
records that are none, in every way of being none. What may leave (ids of orders, shops, parcels) bears none.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from schemas.decode import MAX_BYTES
from schemas.times import DAY, HOUR, parse, render

#: In no case, form or script anywhere else. With capitals and a blank it is no code of a reason either.
MARK = "S3CR3T mark"
T0 = parse("2024-03-04T00:00:00Z")
#: When everything that can follow has followed.
END = T0 + 310 * DAY

INPUTS = {"orders": 2, "chats": 2, "logistics-scans": 2}


class Written(NamedTuple):
    """A record of an input, under its proper key unless it is to be another. `partition`: None is the key's."""

    topic: str
    key: bytes | None
    value: bytes | None
    partition: int | None = None


def finds_mark(*found: bytes | str | None) -> bool:
    """Whether the mark, or what normalising text makes of it, is in any of them."""
    wholes = [one.encode() if isinstance(one, str) else one for one in found if one is not None]
    return any(mark in whole.lower().replace(b" ", b"") for whole in wholes for mark in _MARKS)


#: As it is, and as formats may write it: escaped, each byte in hexadecimal, in base 64 at any of three places.
_MARKS = (
    b"s3cr3t",
    b"\\u00533cr3t",
    MARK[:6].encode().hex().encode(),
    b"uzndujnu", b"mzq1izvc", b"m0nsm1qg",
)  # fmt: skip


def _value(number: int, hours: float, type_: str, **fields: Any) -> dict[str, Any]:
    hidden = {"nickname": f"{MARK} nick", "extra": {MARK: [f"{MARK} deep", {"phone": f"13800{MARK}"}]}}
    return (
        {"event_id": f"e{number:04}", "type": type_, "occurred_at": render(T0 + round(hours * HOUR))} | fields | hidden
    )


def _events() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(topic, key, value) of valid events: an order's whole life, and what is around it."""
    number = 0

    def event(topic: str, key: str, hours: float, type_: str, **fields: Any) -> tuple[str, str, dict[str, Any]]:
        nonlocal number
        number += 1
        return topic, key, _value(number, hours, type_, **fields)

    for order in ("A", "B", "C", "D"):
        mine: dict[str, Any] = {"order_id": order, "shop_id": "shop"}
        items = [{"item_id": "i", "category_id": "c", "quantity": 1, "engraving": f"for {MARK}"}]
        yield event("orders", order, 0, "order.placed", buyer_id=f"{MARK} buyer of {order}", items=items, **mine)
        yield event("orders", order, 0.5, "order.paid", note=MARK, **mine)
        yield event("orders", order, 60, "refund.requested", refund_id="r", kind="refund_only",
                    reason=f"{MARK} 坏了", **mine)  # fmt: skip
        yield event("orders", order, 61, "refund.rejected", refund_id="r", reason=MARK, **mine)
        yield event("orders", order, 62, "order.shipped", tracking_no=f"P{order}", carrier="ZTO", **mine)
        yield event("orders", order, 63, "dispute.opened", dispute_id="d", text=MARK, **mine)
        yield event("orders", order, 64, "escalation.voided", escalation="dispute", escalation_id="d",
                    reason=f"spam by {MARK}", **mine)  # fmt: skip
        said = {"conversation_id": f"v{order}", **mine}
        for minutes, text in enumerate(
            (f"{MARK}: 快递到哪了", f"申请平台介入 {MARK}", f"{MARK}" * 500, f"\u3000{MARK}")
        ):
            yield event("chats", order, 65 + minutes / 60, "chat.message", sender="buyer", text=text, **said)
        yield event("chats", order, 66, "chat.message", sender="merchant", text=f"您好 {MARK}", **said)
        yield event("chats", order, 67, "intervention.requested", intervention_id="n", reason=MARK, **said)
        yield event("chats", order, 68, "complaint.filed", complaint_id="c", text=MARK, **mine)
        yield event("chats", order, 69, "ticket.opened", ticket_id="t", kind="after_sales", text=MARK, **mine)
        yield event("chats", order, 70, "ticket.paused", ticket_id="t", **mine)
        yield event("chats", order, 71, "ticket.resumed", ticket_id="t", **mine)
        yield event("chats", order, 170, "ticket.responded", ticket_id="t", text=MARK, **mine)
        yield event("chats", order, 171, "escalation.voided", escalation="complaint", escalation_id="c",
                    reason=MARK, conversation_id=f"v{order}", **mine)  # fmt: skip
        scan = {"tracking_no": f"P{order}", "carrier": "ZTO"}
        for hours, status in ((63, "picked_up"), (64, "departed"), (64, "departed"), (400, "delivered")):
            # The third repeats the second with another note: which of the two sorts first is looked up.
            yield event("logistics-scans", f"P{order}", hours, "scan", status=status, facility="Hub",
                        note=f"{MARK} {hours}", **scan)  # fmt: skip
        yield event("orders", order, 410, "order.completed", **mine)
    for name in ("x", "y", "z"):
        said = {"conversation_id": name, "shop_id": "shop", "sender": "buyer"}
        yield event("chats", name, 72, "chat.message", text=f"要求小二介入 {MARK}", **said)


def ahead() -> list[Written]:
    """Orders so far ahead of the chats that they are kept aside."""
    found = []
    for order in ("E", "F", "G"):
        value = _value(9000, 300 * 24, "order.placed", order_id=order, shop_id="shop", buyer_id=f"{MARK} {order}",
                       items=[{"item_id": "i", "category_id": "c", "quantity": 1}])  # fmt: skip
        found.append(Written("orders", order.encode(), _encoded(value)))
        asked = _value(9001, 300 * 24, "refund.requested", order_id=order, shop_id="shop", refund_id="r", kind="reship",
                       reason=f"{MARK} late")  # fmt: skip
        found.append(Written("orders", order.encode(), _encoded(asked)))
    return found


def valid() -> list[Written]:
    """Events in the order of their times, in the proper partitions."""
    events = sorted(_events(), key=lambda event: parse(event[2]["occurred_at"]))
    return [Written(topic, key.encode(), _encoded(value)) for topic, key, value in events]


def invalid() -> list[Written]:
    """Records that are no events, in every way."""
    order = _value(1, 1, "order.placed", order_id="A", shop_id="shop", buyer_id=MARK, items=[])
    chat = _value(2, 1, "chat.message", conversation_id="A", shop_id="shop", sender="buyer", text=MARK)
    scan = _value(3, 1, "scan", tracking_no="A", carrier="ZTO", status="arrived", note=MARK)
    item = {"item_id": "i", "category_id": "c", "quantity": 1}
    values: list[tuple[str, Any]] = [
        ("orders", order),
        ("orders", order | {"items": [item | {"quantity": MARK}]}),
        ("orders", order | {"items": [item | {"amount": MARK}]}),
        ("orders", order | {"items": MARK}),
        ("orders", order | {"items": [item], "buyer_id": [MARK]}),
        ("orders", order | {"items": [item], "buyer_id": MARK * 20}),
        ("orders", order | {"items": [item], "commitment_days": MARK}),
        ("orders", order | {"items": [item], "occurred_at": MARK}),
        ("orders", order | {"items": [item], "occurred_at": f"2026-03-02T00:00:00 {MARK}"}),
        ("orders", order | {"type": MARK}),
        ("orders", order | {"type": [MARK]}),
        ("orders", order | {"type": "order.paid", "ship_by": MARK}),
        ("orders", order | {"type": "refund.requested", "refund_id": "r", "kind": MARK, "reason": MARK}),
        ("orders", order | {"type": "refund.requested", "refund_id": "r", "kind": "reship", "reason": [MARK]}),
        ("orders", order | {"type": "escalation.voided", "escalation": MARK, "escalation_id": "d", "reason": MARK}),
        ("orders", [MARK]),
        ("orders", MARK),
        ("chats", chat | {"sender": MARK}),
        ("chats", chat | {"text": {MARK: MARK}}),
        ("chats", chat | {"text": f"{MARK} " + "长" * MAX_BYTES}),
        ("chats", chat | {"occurred_at": "2126-01-01T00:00:00Z"}),
        ("chats", chat | {"type": "ticket.opened", "ticket_id": "t", "kind": MARK}),
        ("chats", chat | {"type": "ticket.opened", "ticket_id": "t", "kind": "other", "respond_by": MARK}),
        ("logistics-scans", scan | {"status": MARK}),
        ("logistics-scans", scan | {"note": [MARK]}),
        ("logistics-scans", scan | {"carrier": None}),
    ]
    # The mark alone comes first: a client that writes down what it fetches may write down the beginning.
    found: list[Written] = []
    for broken in (
        b"%s",
        b'{"text": "%s',
        b'{"text": "\xff\xfe%s"}',
        b'{"a": "\\ud800%s"}{"b": 1}',
        b"[" * 2000 + b"%s",
    ):
        found += [Written(topic, b"A", broken.replace(b"%s", MARK.encode())) for topic in INPUTS]
    found += [Written(topic, b"A", _encoded(value)) for topic, value in values]
    fine = valid()
    for topic in INPUTS:
        record = next(one for one in fine if one.topic == topic)
        found.append(record._replace(key=b"another"))
        found.append(record._replace(key=None))
        found += [record._replace(partition=partition) for partition in range(INPUTS[topic])]
        found.append(Written(topic, b"A", None))
    return found


def _encoded(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()
