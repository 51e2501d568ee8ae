"""One valid value of every event, and changes of it."""

from __future__ import annotations

import json
from typing import Any

from schemas.events import CHATS, ORDERS, SCANS

AT = "2026-11-03T08:15:00+08:00"
ITEM = {"item_id": "i1", "category_id": "c1", "quantity": 1}
_VOIDED = {"escalation": "dispute", "escalation_id": "E", "reason": "spam"}

#: By topic and type, the fields that each must have beside `event_id` and `occurred_at`.
VALUES: dict[tuple[str, str], dict[str, Any]] = {
    (ORDERS, "order.placed"): {"buyer_id": "B", "items": [ITEM]},
    (ORDERS, "order.paid"): {},
    (ORDERS, "order.shipped"): {"tracking_no": "X1", "carrier": "SF"},
    (ORDERS, "order.completed"): {},
    (ORDERS, "order.cancelled"): {},
    (ORDERS, "refund.requested"): {"refund_id": "R", "kind": "refund_only", "reason": "late"},
    (ORDERS, "refund.rejected"): {"refund_id": "R"},
    (ORDERS, "refund.settled"): {"refund_id": "R"},
    (ORDERS, "dispute.opened"): {"dispute_id": "D"},
    (ORDERS, "escalation.voided"): _VOIDED,
    (SCANS, "scan"): {"tracking_no": "X1", "carrier": "SF", "status": "arrived"},
    (CHATS, "chat.message"): {"conversation_id": "C", "sender": "buyer", "text": "好的"},
    (CHATS, "intervention.requested"): {"intervention_id": "I"},
    (CHATS, "complaint.filed"): {"complaint_id": "M"},
    (CHATS, "ticket.opened"): {"ticket_id": "T", "kind": "other"},
    (CHATS, "ticket.responded"): {"ticket_id": "T"},
    (CHATS, "ticket.paused"): {"ticket_id": "T"},
    (CHATS, "ticket.resumed"): {"ticket_id": "T"},
    (CHATS, "escalation.voided"): _VOIDED,
}

#: A change of this takes the field away.
GONE = object()


def fields(topic: str, type_: str, **changes: Any) -> dict[str, Any]:
    """The fields of an event, with changes."""
    plain: dict[str, Any] = {"event_id": "e1", "type": type_, "occurred_at": AT, **VALUES[topic, type_]}
    if topic == ORDERS:
        plain |= {"order_id": "A", "shop_id": "S1"}
    elif topic == CHATS:
        plain |= {"shop_id": "S1"}
    return {name: field for name, field in {**plain, **changes}.items() if field is not GONE}


def value(topic: str, type_: str, **changes: Any) -> bytes:
    """The value of a record, with changes."""
    return json.dumps(fields(topic, type_, **changes), ensure_ascii=False).encode()
