"""An example of every event and of every record of a table: part of the JSON Schemas and of the AsyncAPI document."""

from __future__ import annotations

from typing import Any

from schemas.events import CHATS, ORDERS, SCANS

_ORDER = {"order_id": "A-1001", "shop_id": "tea-house"}
_TICKET = {"shop_id": "tea-house", "order_id": "A-1001", "ticket_id": "T-1"}


def _event(number: int, occurred_at: str, type_: str, **fields: Any) -> dict[str, Any]:
    return {"event_id": f"e-{number:04d}", "type": type_, "occurred_at": occurred_at, **fields}


#: By topic, one example of each of its events.
EVENTS: dict[str, tuple[dict[str, Any], ...]] = {
    ORDERS: (
        _event(
            1, "2026-03-01T08:00:00+08:00", "order.placed", **_ORDER, buyer_id="b-77",
            items=[{"item_id": "oolong-250", "category_id": "tea", "quantity": 2, "amount": 118.0}],
            ship_to_region="新疆", commitment_days=30,
        ),
        _event(2, "2026-03-01T08:02:10+08:00", "order.paid", **_ORDER, ship_by="2026-03-03T08:02:10+08:00"),
        _event(
            3, "2026-03-01T17:30:00+08:00", "order.shipped", **_ORDER, tracking_no="78300011112222", carrier="ZTO",
            from_region="福建", to_region="新疆", deliver_by="2026-03-08T23:59:59+08:00",
        ),
        _event(4, "2026-03-09T10:00:00+08:00", "order.completed", **_ORDER),
        _event(5, "2026-03-01T09:00:00+08:00", "order.cancelled", **_ORDER),
        _event(
            6, "2026-03-10T12:00:00+08:00", "refund.requested", **_ORDER, refund_id="R-1", kind="return_refund",
            reason="not_as_described", item_id="oolong-250",
        ),
        _event(7, "2026-03-11T09:00:00+08:00", "refund.rejected", **_ORDER, refund_id="R-1"),
        _event(8, "2026-03-12T09:00:00+08:00", "refund.settled", **_ORDER, refund_id="R-1"),
        _event(9, "2026-03-11T20:00:00+08:00", "dispute.opened", **_ORDER, dispute_id="D-1", item_id="oolong-250"),
        _event(
            10, "2026-03-15T09:00:00+08:00", "escalation.voided", **_ORDER, escalation="complaint",
            escalation_id="M-1", reason="appeal upheld",
        ),
    ),
    SCANS: (
        _event(
            11, "2026-03-04T18:10:00Z", "scan", tracking_no="78300011112222", carrier="ZTO", status="arrived",
            facility="乌鲁木齐转运中心", region="新疆", note="快件已到达乌鲁木齐转运中心",
        ),
    ),
    CHATS: (
        _event(
            12, "2026-03-08T20:15:00+08:00", "chat.message", shop_id="tea-house", order_id="A-1001",
            conversation_id="C-1", sender="buyer", text="快递怎么还没到？",
        ),
        _event(
            13, "2026-03-11T20:30:00+08:00", "intervention.requested", shop_id="tea-house", order_id="A-1001",
            intervention_id="I-1", conversation_id="C-1", item_id="oolong-250",
        ),
        _event(
            14, "2026-03-11T21:00:00+08:00", "complaint.filed", shop_id="tea-house", order_id="A-1001",
            complaint_id="M-1", item_id="oolong-250",
        ),
        _event(
            15, "2026-03-08T20:20:00+08:00", "ticket.opened", **_TICKET, kind="urge_shipping",
            respond_by="2026-03-09T20:20:00+08:00",
        ),
        _event(16, "2026-03-09T08:00:00+08:00", "ticket.responded", **_TICKET),
        _event(17, "2026-03-08T21:00:00+08:00", "ticket.paused", **_TICKET),
        _event(18, "2026-03-08T22:00:00+08:00", "ticket.resumed", **_TICKET),
        _event(
            19, "2026-03-15T09:00:00+08:00", "escalation.voided", shop_id="tea-house", order_id="A-1001",
            escalation="intervention", escalation_id="I-1", reason="spam", conversation_id="C-1",
        ),
    ),
}  # fmt: skip

_AS_OF = "2026-03-12T01:00:00Z"
_WEEK = {
    "orders": 40, "disputes": 1, "complaints": 0, "interventions": 1, "ticket_timeouts": 0, "escalations": 2,
    "rate": 0.05, "logistics_linked": 1, "window_closed": 0,
}  # fmt: skip
_MONTH = {**_WEEK, "orders": 160, "complaints": 1, "escalations": 3, "rate": 0.01875}

#: By table, an example of a record.
TABLES: dict[str, dict[str, Any]] = {
    "help-rates": {
        "shop_id": "tea-house", "as_of": _AS_OF, "main_category": "tea", "state": "elevated", "baseline": 0.0125,
        "7d": _WEEK, "30d": _MONTH,
    },
    "category-baselines": {"category_id": "tea", "as_of": _AS_OF, "shops": 6, "rate": 0.0125},
    "conversation-topics": {
        "shop_id": "tea-house", "as_of": _AS_OF, "7d": {"logistics": 4, "after_sales": 1},
        "30d": {"logistics": 9, "after_sales": 3, "product": 12, "promotion": 2, "other": 5},
    },
    "refund-reasons": {
        "shop_id": "tea-house", "as_of": _AS_OF, "7d": [{"kind": "refund_only", "reason": "late", "count": 2}],
        "30d": [
            {"kind": "refund_only", "reason": "late", "count": 3},
            {"kind": "return_refund", "reason": "not_as_described", "count": 1},
        ],
    },
}  # fmt: skip

#: The headers of a dead letter, as text.
DEAD_LETTER_HEADERS = {
    "error-code": "missing_field",
    "error-detail": "carrier: missing",
    "source-topic": "logistics-scans",
    "source-partition": "3",
    "source-offset": "1042",
    "failed-at": "2026-03-04T18:10:01.250317Z",
}
#: Those of a push.
PUSH_DEAD_LETTER_HEADERS = {
    "error-code": "partly_unreadable",
    "error-detail": "2 pieces could not be read",
    "source-topic": "push/kuaidi100",
    "failed-at": "2026-03-04T18:10:01.250317Z",
}
