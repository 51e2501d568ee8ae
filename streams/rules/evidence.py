"""The evidence fields of alerts, each with its kind, unit and meaning.

`streams.rules.alert_types` lists the fields of each alert; the docs and the JSON Schemas are generated from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, get_args

from schemas.events import RefundKind, Status, TicketKind
from streams.rules.help_rate.parcels_at_risk import PARCELS_AT_RISK
from streams.rules.orders.aftersales_window import COMMITMENT, REQUEST_KINDS, SLOW_CATEGORY, STATUTORY_WARRANTY
from streams.rules.orders.refused_rights import LATE_SHIPMENT_REFUND, NO_REASON_RETURN, QUALITY_EXCHANGE
from streams.rules.shipments.delivery_estimates import DELIVERED_AFTER_ALL, EXPECTED_BY
from streams.rules.shipments.silence_alerts import (
    LOST_SUSPECTED,
    NOT_HANDED_OVER,
    PEAK_SEASON,
    RECIPIENT_OR_ADDRESS,
    REMOTE_AREA,
)
from streams.rules.shipments.suspicious import DELIVERED_ELSEWHERE, NUMBER_REUSED, SCANNED_BEFORE_PAYMENT

#: `time` is RFC 3339 text in UTC; `codes` and `texts` are lists; `object` has `parts`, and `causes` is a list of them.
Kind = Literal["time", "text", "code", "count", "number", "texts", "codes", "object", "causes"]


class Field(NamedTuple):
    """One field of an alert's evidence.

    `example`: a sample value. `codes`: all possible values of a `code`, or of the members of `codes`. `nullable`: null
    if unknown. `optional`: absent if not applicable. `parts`: the fields of an `object`, or, by code, those of a cause
    besides the code.
    """

    name: str
    kind: Kind
    meaning: str
    example: Any
    unit: str | None = None
    codes: tuple[str, ...] = ()
    nullable: bool = False
    optional: bool = False
    parts: Mapping[str, tuple[Field, ...]] = {}


#: Part of every resolution's evidence, and all of it if a late event disproved the alert.
RAISED_AT = Field("raised_at", "time", "when the alert was raised", "2026-11-10T00:00:00Z")

_STATUSES = get_args(Status)


def of_silence(
    hours: int, last_update: str, use_since: str, last_status: str | None, facility: str | None
) -> tuple[Field, ...]:
    """The evidence of all alerts about a shipment's silence; the arguments are sample values."""
    return (*of_shipment(hours, last_update, use_since, last_status, facility), *_RELIEF, _FEED_SILENT)


def of_shipment(
    hours: int | None, last_update: str, use_since: str, last_status: str | None, facility: str | None
) -> tuple[Field, ...]:
    """The evidence of all alerts about a shipment; the arguments are sample values."""
    return (
        Field("last_update", "time", "last update by then: a scan or `order.shipped`", last_update),
        Field("last_status", "code", "status of the last scan", last_status, codes=_STATUSES, nullable=True),
        Field("facility", "text", "facility of the last scan", facility, nullable=True),
        Field(
            "threshold_hours", "number", "how long the silence may last; null where it is not about one", hours,
            unit="hours", nullable=hours is None,
        ),
        Field("order_ids", "texts", "orders in the parcel, the first 100 of them; empty where none is known", ["O-1"]),
        Field("order_count", "count", "how many they are, where they are more than 100", 10_000, optional=True),
        Field("destination", "text", "region that the parcel goes to", "新疆", nullable=True),
        Field("use_since", "time", "first event of this use of the tracking number", use_since),
        *_ESTIMATES,
    )  # fmt: skip


_ESTIMATES = (
    Field(
        EXPECTED_BY, "object", "with `estimates` in the policy: when such parcels are delivered, by those of the past",
        {"p50": "2026-11-12T06:00:00Z", "p90": None}, optional=True,
        parts={
            "": (
                Field("p50", "time", "half of them by then; null where it is not known, or fewer ever are",
                      "2026-11-12T06:00:00Z", nullable=True),
                Field("p90", "time", "nine of ten of them, likewise", None, nullable=True),
            )
        },
    ),
    Field(
        DELIVERED_AFTER_ALL, "number", "likewise: the share of them that is delivered, within 30 days", 0.81,
        nullable=True, optional=True,
    ),
)  # fmt: skip
_RELIEF = (
    Field("relief", "text", "name of the policy's span of relief that gave it more time", "flood", optional=True),
    Field("relief_hours", "number", "how much more", 48.0, unit="hours", optional=True),
)
_FEED_SILENT = Field(
    "feed_silent",
    "object",
    "silence of the carrier's feed that the deadline fell into, and that moved it",
    {"from": "2026-11-05T22:00:00Z", "until": "2026-11-06T09:20:00Z"},
    optional=True,
    parts={
        "": (
            Field("from", "time", "when the feed was found silent", "2026-11-05T22:00:00Z"),
            Field("until", "time", "its next scan", "2026-11-06T09:20:00Z"),
        )
    },
)
SHIPPED_AT = Field("shipped_at", "time", "the parcel's first `order.shipped`", "2026-11-09T00:00:00Z")
CAUSES = Field(
    "causes",
    "causes",
    "likely causes, the likeliest first",
    [
        {"code": REMOTE_AREA, "region": "新疆"},
        {"code": PEAK_SEASON, "period": "double-11"},
        {"code": LOST_SUSPECTED, "silent_hours": 168.0},
    ],
    codes=(NOT_HANDED_OVER, RECIPIENT_OR_ADDRESS, REMOTE_AREA, PEAK_SEASON, LOST_SUSPECTED),
    parts={
        NOT_HANDED_OVER: (
            Field("shipped_at", "time", "first `order.shipped`", "2026-11-03T00:00:00Z", nullable=True),
        ),
        RECIPIENT_OR_ADDRESS: (Field("status", "code", "status of the last scan", "held", codes=_STATUSES),),
        REMOTE_AREA: (Field("region", "text", "province of the destination", "新疆"),),
        PEAK_SEASON: (Field("period", "text", "name of the policy's period", "double-11"),),
        LOST_SUSPECTED: (Field("silent_hours", "number", "length of the silence", 168.0, unit="hours"),),
    },
)  # fmt: skip
PROMISE = (
    Field("deliver_by", "time", "when it was promised to be delivered", "2026-11-10T00:00:00Z"),
    _FEED_SILENT,
)
ATTEMPTS = Field("attempts", "count", "failed deliveries of this parcel up to then", 2)
SUSPICION = (
    Field(
        "ground", "code", "what is suspicious", SCANNED_BEFORE_PAYMENT,
        codes=(SCANNED_BEFORE_PAYMENT, DELIVERED_ELSEWHERE, NUMBER_REUSED),
    ),
    Field("paid_at", "time", "when its first order was paid", "2026-11-10T00:00:00Z", optional=True),
    Field("collected_at", "time", "its first scan but `info_received`", "2026-11-09T20:00:00Z", optional=True),
    Field("region", "text", "province in which it was delivered", "广东", optional=True),
    Field("previous_end", "time", "when the parcel before it ended", "2026-10-20T00:00:00Z", optional=True),
)  # fmt: skip
SHIPPING = (
    Field("paid_at", "time", "first `order.paid`", "2026-11-08T12:00:00Z"),
    Field("ship_by", "time", "when the order has to be shipped", "2026-11-10T12:00:00Z"),
)
TICKET = (
    Field("opened_at", "time", "when the ticket was opened", "2026-11-09T06:00:00Z"),
    Field("due_at", "time", "when an answer is due, pauses left out", "2026-11-10T06:00:00Z"),
    Field("kind", "code", "kind of ticket", "urge_shipping", codes=get_args(TicketKind)),
    Field("order_id", "text", "order that it is about", "O-1", nullable=True),
)
_PARCELS_AT_RISK = Field(
    PARCELS_AT_RISK, "texts",
    "with `estimates` in the policy: the shop's parcels with an open alert that are the least often delivered after"
    " all, and so the next to turn into escalations, at most 5", ["78300011112222"], optional=True,
)  # fmt: skip
ITEM = Field("item_id", "text", "the item", "I-1")


def of_level(threshold: float, baseline: float, left: int | None) -> tuple[Field, ...]:
    """The evidence of a shop's level; the arguments are sample values."""
    return (*of_rate(threshold, baseline, left), _PARCELS_AT_RISK)


def of_rate(threshold: float, baseline: float, left: int | None) -> tuple[Field, ...]:
    """The evidence of all rate alerts; the arguments are sample values."""
    return (
        Field("window_days", "count", "window of the rate", 30, unit="days"),
        Field("orders", "count", "orders in the window", 200),
        Field("disputes", "count", "disputes in it", 9),
        Field("complaints", "count", "complaints in it", 8),
        Field("interventions", "count", "interventions in it", 7),
        Field("ticket_timeouts", "count", "tickets in it that timed out", 6),
        Field("escalations", "count", "what the rate counts, by the policy: escalations, or orders with one", 30),
        Field("rate", "number", "`escalations` over `orders`, to 6 digits", 0.15, nullable=True),
        Field("baseline", "number", "mean rate of the category's shops, to 6 digits", baseline, nullable=True),
        Field("category_id", "text", "main category of the shop", "women-clothing", nullable=True),
        Field("threshold", "number", "the level's multiple of the baseline", threshold),
        Field("escalations_left", "count", "how many more reach the next level, if there is one", left, nullable=True),
    )


REVIEW_REQUEST = (
    Field("request", "code", "the event that asked", "refund", codes=REQUEST_KINDS),
    Field("request_id", "text", "its id", "R-1"),
    Field("item_id", "text", "item that it names", "I-1", nullable=True),
    Field("completed_at", "time", "when the order completed", "2026-10-01T00:00:00Z"),
    Field("base_ends_at", "time", "end of the base period", "2026-10-16T00:00:00Z"),
    Field(
        "extension_ends_at", "time", "end of the extension; null past the year 9999", "2026-12-30T00:00:00Z",
        nullable=True,
    ),
    Field(
        "ground", "code", "why the window goes on", STATUTORY_WARRANTY,
        codes=(STATUTORY_WARRANTY, COMMITMENT, SLOW_CATEGORY),
    ),
)  # fmt: skip
RIGHTS = (
    Field("refund_id", "text", "the request", "R-1"),
    Field("kind", "code", "what was asked for", "refund_only", codes=get_args(RefundKind)),
    Field("reason", "text", "code of the buyer's reason", "late"),
    Field("item_id", "text", "item that it names", "I-1", nullable=True),
    Field("requested_at", "time", "when it was asked", "2026-11-09T00:00:00Z"),
    Field(
        "rights", "codes", "what gave the buyer a right to it", [LATE_SHIPMENT_REFUND],
        codes=(LATE_SHIPMENT_REFUND, NO_REASON_RETURN, QUALITY_EXCHANGE),
    ),
)  # fmt: skip
REPLY = (
    Field("asked_at", "time", "the first message in the hours of the rule", "2026-11-09T23:57:00Z"),
    Field("waiting_since", "time", "the buyer's first message since the last answer", "2026-11-09T23:10:00Z"),
    Field("due_at", "time", "when an answer was due", "2026-11-10T00:00:00Z"),
)
FEED = (
    Field("silent_since", "time", "beginning of the hours without a scan", "2026-11-09T18:00:00Z"),
    Field("hours", "count", "how many hours had no scan", 6, unit="hours"),
    Field("usual_scans", "count", "mean number of scans in the same hours of the days before", 240),
)
CLUSTER = (
    Field("stalls", "count", "stalls in the time that is looked at", 23),
    Field("hours", "number", "length of that time", 24, unit="hours"),
    Field("since", "time", "its beginning, excluded", "2026-11-09T00:00:00Z"),
    Field("facility", "text", "where the parcels were last seen", "郑州转运中心"),
)
