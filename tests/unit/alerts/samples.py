"""Alerts of every type, with the evidence that the rules give them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

from schemas.times import DAY, HOUR, MINUTE, parse, render
from streams.rules.alert import Alert
from streams.rules.alert_types import ALERT_TYPES
from streams.rules.reconcile import LATE_EVENT

T0 = parse("2026-11-03T00:15:00Z")

SHIPMENT = {
    "last_update": render(T0),
    "last_status": "arrived",
    "facility": "郑州转运中心",
    "threshold_hours": 168,
    "order_ids": ["O-1"],
    "destination": "新疆",
    "use_since": render(T0 - DAY),
}
CAUSES: list[dict[str, Any]] = [
    {"code": "not_handed_over", "shipped_at": render(T0)},
    {"code": "recipient_or_address", "status": "delivery_failed"},
    {"code": "remote_area", "region": "新疆维吾尔自治区"},
    {"code": "peak_season", "period": "11-01/11-20"},
    {"code": "lost_suspected", "silent_hours": 168},
]
RATE = {
    "window_days": 30,
    "orders": 200,
    "disputes": 9,
    "complaints": 8,
    "interventions": 7,
    "ticket_timeouts": 6,
    "escalations": 30,
    "rate": 0.15,
    "baseline": 0.05,
    "category_id": "women-clothing",
    "threshold": 0.06,
    "escalations_left": 3,
}
EVIDENCE: dict[str, dict[str, Any]] = {
    "shipment.not_collected": {**SHIPMENT, "threshold_hours": 24, "shipped_at": render(T0)},
    "shipment.slow": {**SHIPMENT, "threshold_hours": 72},
    "shipment.stalled": {**SHIPMENT, "causes": CAUSES},
    "shipment.delivery_late": {**SHIPMENT, "threshold_hours": None, "deliver_by": render(T0 + 7 * DAY)},
    "shipment.returning": {**SHIPMENT, "threshold_hours": None, "last_status": "returning"},
    "shipment.delivery_failing": {**SHIPMENT, "threshold_hours": None, "attempts": 2},
    "shipment.destroyed": {**SHIPMENT, "threshold_hours": None, "last_status": "destroyed"},
    "shipment.suspicious": {**SHIPMENT, "threshold_hours": None, "ground": "number_reused"},
    **{
        f"order.{name}": {"paid_at": render(T0 - 2 * DAY), "ship_by": render(T0 + 12 * HOUR)}
        for name in ("ship_due_soon", "ship_late", "out_of_stock_suspected")
    },
    **{
        f"ticket.{name}": {
            "opened_at": render(T0 - DAY),
            "due_at": render(T0 + 6 * HOUR),
            "kind": "urge_shipping",
            "order_id": "O-1",
        }
        for name in ("due_soon", "timed_out")
    },
    **{f"help_rate.{name}": RATE for name in ("elevated", "campaign_blocked", "delisting_risk")},
    "item.delisting_risk": {
        field.name: RATE.get(field.name, "I-1") for field in ALERT_TYPES["item.delisting_risk"].evidence
    },
    "aftersales.review": {
        "request": "refund",
        "request_id": "R-1",
        "item_id": "I-1",
        "completed_at": render(T0 - 40 * DAY),
        "base_ends_at": render(T0 - 25 * DAY),
        "extension_ends_at": render(T0 + 50 * DAY),
        "ground": "statutory_warranty",
    },
    "aftersales.rights_refused": {
        "refund_id": "R-1",
        "kind": "refund_only",
        "reason": "late",
        "item_id": "I-1",
        "requested_at": render(T0 + 6 * DAY),
        "rights": ["late_shipment_refund"],
    },
    "chat.reply_late": {
        "asked_at": render(T0 + 7 * DAY - 3 * MINUTE),
        "waiting_since": render(T0 + 7 * DAY - HOUR),
        "due_at": render(T0 + 7 * DAY),
    },
    "carrier.feed_silent": {"silent_since": render(T0 + 7 * DAY - 6 * HOUR), "hours": 6, "usual_scans": 240},
    "facility.stall_cluster": {"stalls": 23, "hours": 24, "since": render(T0 + 6 * DAY), "facility": "郑州转运中心"},
}
SUBJECTS = {
    "shipment": "YT880001",
    "order": "O-1",
    "ticket": "T-1",
    "help_rate": "shop-7",
    "item": "I-1",
    "aftersales": "O-1",
    "chat": "C-1",
    "carrier": "SF",
    "facility": "郑州转运中心",
}
#: Every value that the words about after-sales requests depend on.
REQUESTS = ("refund", "dispute", "complaint", "ticket")
GROUNDS = ("statutory_warranty", "commitment", "slow_category")
#: What is suspicious about a parcel, with what it rests on.
SUSPICIONS: dict[str, dict[str, Any]] = {
    "scanned_before_payment": {"paid_at": render(T0 + 4 * HOUR), "collected_at": render(T0)},
    "delivered_elsewhere": {"region": "广东", "destination": "浙江省"},
    "number_reused": {"previous_end": render(T0 - 20 * DAY)},
}
RIGHTS = {
    "refund_only": "late_shipment_refund",
    "return_refund": "no_reason_return",
    "exchange": "quality_exchange",
    "reship": "quality_exchange",
}
AUDIENCES = {name: type_.audiences for name, type_ in ALERT_TYPES.items()}
RESOLUTIONS = {name: tuple(type_.resolutions) for name, type_ in ALERT_TYPES.items()}
#: Values that the rules may not know.
NULLABLE = {
    name: tuple(field.name for field in type_.evidence if field.nullable) for name, type_ in ALERT_TYPES.items()
}


def an_alert(type_: str, resolution: str | None = None, **changed: Any) -> Alert:
    """One alert a week after T0; `changed` goes into the alert where it is a field of it, else evidence."""
    family = type_.partition(".")[0]
    evidence = dict(EVIDENCE[type_])
    if resolution is not None:
        raised_at = {"raised_at": render(T0 + 7 * DAY)}
        evidence = raised_at if resolution == LATE_EVENT else evidence | raised_at
    alert = Alert(
        type=type_,
        subject=SUBJECTS[family],
        status="raised" if resolution is None else "resolved",
        time=T0 + 7 * DAY,
        audiences=AUDIENCES[type_],
        shop_id=None if family in ("carrier", "facility") else "shop-7",
        order_id=None if family in ("help_rate", "item", "carrier", "facility") else "O-1",
        carrier={"shipment": "YTO", "carrier": "SF"}.get(family),
        episode=f"{SUBJECTS[family]}/1",
        resolution=resolution,
        evidence=evidence,
    )
    fields = {name: value for name, value in changed.items() if name in Alert._fields}
    evidence.update({name: value for name, value in changed.items() if name not in fields or name in evidence})
    return alert._replace(**fields)


def every_alert() -> Iterator[Alert]:
    """Every type, status and resolution, with every combination of unknown values."""
    for type_ in EVIDENCE:
        family = type_.partition(".")[0]
        for resolution in (None, *RESOLUTIONS[type_]):
            for unknown in product((False, True), repeat=len(NULLABLE[type_])):
                gone = {name: None for name, off in zip(NULLABLE[type_], unknown, strict=True) if off}
                yield an_alert(type_, resolution, **gone)
        if type_ == "shipment.stalled":
            yield an_alert(type_, audiences=("platform",), shop_id=None, order_id=None, order_ids=[])
            bare = [{"code": cause["code"], **dict.fromkeys(list(cause)[1:])} for cause in CAUSES]
            yield an_alert(type_, causes=bare)
        if type_ == "shipment.suspicious":
            for ground, facts in SUSPICIONS.items():
                yield an_alert(type_, ground=ground, **facts)
        if type_ == "aftersales.review":
            for request, ground in product(REQUESTS, GROUNDS):
                yield an_alert(type_, request=request, ground=ground)
        if type_ == "aftersales.rights_refused":
            for kind, right in RIGHTS.items():
                yield an_alert(type_, kind=kind, rights=[right])
        if family == "ticket":
            for kind in ("after_sales", "other"):
                yield an_alert(type_, kind=kind)
