"""Values of every kind that is invalid, with the reason."""

from __future__ import annotations

import pytest

from schemas.decode import MAX_BYTES, Reason
from schemas.events import CHATS, ORDERS, SCANS
from tests.unit.schemas.values import GONE, ITEM, value

#: Topic, value, reason; none of them has a line break.
INVALID = [
    pytest.param(ORDERS, b"not json", Reason.NOT_JSON, id="not json"),
    pytest.param(ORDERS, value(ORDERS, "order.paid")[:-1], Reason.NOT_JSON, id="cut off"),
    pytest.param(
        ORDERS, value(ORDERS, "order.paid", u="U").replace(b'"U"', b'"\xff"'), Reason.NOT_JSON, id="not UTF-8"
    ),
    pytest.param(ORDERS, b"[1,2]", Reason.NOT_OBJECT, id="an array"),
    pytest.param(SCANS, b'"text"', Reason.NOT_OBJECT, id="a text"),
    pytest.param(CHATS, b"7", Reason.NOT_OBJECT, id="a number"),
    pytest.param(CHATS, value(CHATS, "chat.message", text="x" * MAX_BYTES), Reason.TOO_LARGE, id="too large"),
    pytest.param(ORDERS, b"{}", Reason.MISSING_FIELD, id="empty"),
    pytest.param(SCANS, value(SCANS, "scan", type=GONE), Reason.MISSING_FIELD, id="no type"),
    pytest.param(ORDERS, value(ORDERS, "order.paid", event_id=GONE), Reason.MISSING_FIELD, id="no event id"),
    pytest.param(SCANS, value(SCANS, "scan", carrier=GONE), Reason.MISSING_FIELD, id="no carrier"),
    pytest.param(CHATS, value(CHATS, "ticket.opened", kind=GONE), Reason.MISSING_FIELD, id="no kind"),
    pytest.param(ORDERS, value(ORDERS, "order.paid", order_id=5), Reason.ILL_TYPED_FIELD, id="an id that is a number"),
    pytest.param(ORDERS, value(ORDERS, "order.paid", order_id=""), Reason.ILL_TYPED_FIELD, id="an empty id"),
    pytest.param(SCANS, value(SCANS, "scan", tracking_no="x" * 129), Reason.ILL_TYPED_FIELD, id="an id too long"),
    pytest.param(ORDERS, value(ORDERS, "order.placed", items=[]), Reason.ILL_TYPED_FIELD, id="no items"),
    pytest.param(
        ORDERS,
        value(ORDERS, "order.placed", items=[ITEM, {**ITEM, "quantity": 1.0}]),
        Reason.ILL_TYPED_FIELD,
        id="a quantity with a fraction",
    ),
    pytest.param(
        ORDERS, value(ORDERS, "order.placed", items=[{**ITEM, "quantity": 0}]), Reason.ILL_TYPED_FIELD, id="none of it"
    ),
    pytest.param(
        ORDERS, value(ORDERS, "order.placed", commitment_days=-1), Reason.ILL_TYPED_FIELD, id="a promise of less"
    ),
    pytest.param(ORDERS, value(ORDERS, "order.paid", type="order.lost"), Reason.UNKNOWN_TYPE, id="unknown type"),
    pytest.param(SCANS, value(ORDERS, "order.paid"), Reason.UNKNOWN_TYPE, id="a type of another topic"),
    pytest.param(SCANS, value(SCANS, "scan", status="lost"), Reason.UNKNOWN_VALUE, id="unknown status"),
    pytest.param(CHATS, value(CHATS, "chat.message", sender="robot"), Reason.UNKNOWN_VALUE, id="unknown sender"),
    pytest.param(CHATS, value(CHATS, "ticket.opened", kind="urgent"), Reason.UNKNOWN_VALUE, id="unknown kind"),
    pytest.param(
        ORDERS, value(ORDERS, "order.paid", occurred_at="2026-11-03T08:15:00"), Reason.BAD_TIME, id="a naive time"
    ),
    pytest.param(SCANS, value(SCANS, "scan", occurred_at="yesterday"), Reason.BAD_TIME, id="no time"),
    pytest.param(
        ORDERS, value(ORDERS, "order.paid", ship_by="2026-11-03 08:15:00Z"), Reason.BAD_TIME, id="a bad time to ship by"
    ),
    pytest.param(
        CHATS, value(CHATS, "ticket.opened", respond_by="2026-11-03"), Reason.BAD_TIME, id="a bad time to respond by"
    ),
]
