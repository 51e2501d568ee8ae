"""The registry of alerts: every type that a rule raises, with all that is the same for each alert of it.

What has to know types of alerts asks here. `docs/alerts.md` and `schemas/jsonschema/alerts` are made from it
(`streams.alerts.reference`); the texts of a type are in `streams/alerts/catalogue`. A new type is an entry here, its
rule, and its texts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

from streams.rules import evidence
from streams.rules.alert import MERCHANT, PLATFORM
from streams.rules.conversations.replies import REPLY_LATE
from streams.rules.evidence import Field
from streams.rules.help_rate.levels import CAMPAIGN_BLOCKED, DELISTING_RISK, ELEVATED, ITEM_DELISTING_RISK, alert_of
from streams.rules.orders.aftersales_window import REVIEW
from streams.rules.orders.refused_rights import RIGHTS_REFUSED
from streams.rules.orders.ship_by import OUT_OF_STOCK, SHIP_DUE_SOON, SHIP_LATE
from streams.rules.orders.tickets import DUE_SOON, TIMED_OUT
from streams.rules.reconcile import LATE_EVENT
from streams.rules.shipments.carrier_feeds import FEED_SILENT
from streams.rules.shipments.exceptions import DELIVERY_FAILING, SHIPMENT_DESTROYED, SHIPMENT_RETURNING
from streams.rules.shipments.promises import DELIVERY_LATE
from streams.rules.shipments.silence_alerts import NOT_COLLECTED, SLOW, STALLED
from streams.rules.shipments.stall_clusters import STALL_CLUSTER
from streams.rules.shipments.suspicious import SUSPICIOUS

Severity = Literal["info", "warning", "critical"]
Subject = Literal["shipment", "order", "ticket", "conversation", "shop", "item", "carrier", "facility"]
#: What tells alerts of one type and subject apart under any policy, where no evidence does: the time in which one is
#: open, or its episode.
SPAN: Final = "span"
EPISODE: Final = "episode"


class Resolution(NamedTuple):
    """How an alert can end. `by_itself`: nothing turned out to be wrong, or nobody can know."""

    meaning: str
    by_itself: bool


class AlertType(NamedTuple):
    """One type of alert.

    `rule`: the module of `streams/rules` that decides it. `about`: what its subject is. `audiences`: all that it can go
    to. `raised`: at which time, as a clause. `resolutions`: how it ends, by code. `supersedes`: types whose open alert
    on the same subject says less than this one, so that who reads both needs this one alone. `identity`: the fields of
    the evidence that tell it apart from others of its type and subject whatever the thresholds, or SPAN or EPISODE;
    carrier and order go with them. `example_time`: when one with the examples of the evidence is raised.
    """

    name: str
    rule: str
    about: Subject
    severity: Severity
    audiences: tuple[str, ...]
    meaning: str
    raised: str
    resolutions: Mapping[str, Resolution]
    evidence: tuple[Field, ...]
    identity: tuple[str, ...] | Literal["span", "episode"]
    supersedes: tuple[str, ...] = ()
    example_time: str = "2026-11-10T00:00:00Z"

    @property
    def family(self) -> str:
        """The first part of the name; types of one family share the texts of their resolutions."""
        return family_of(self.name)

    @property
    def superseded_by(self) -> tuple[str, ...]:
        """The types that supersede this one."""
        return tuple(other.name for other in ALERT_TYPES.values() if self.name in other.supersedes)

    @property
    def is_resolved_by_events(self) -> bool:
        """False: it only ends where a late event disproves it, if at all."""
        return any(code != LATE_EVENT for code in self.resolutions)


def family_of(name: str) -> str:
    """The family of the type of that name."""
    return name.partition(".")[0]


def types_about(*subjects: Subject) -> frozenset[str]:
    """The names of the types that are about one of these."""
    return frozenset(name for name, type_ in ALERT_TYPES.items() if type_.about in subjects)


_DISPROVED = {LATE_EVENT: Resolution("an event that came late shows that it should not have been raised", True)}
_TERMINAL = {
    "delivered": Resolution("the parcel was delivered", True),
    "returned": Resolution("the parcel came back to the sender", False),
    "destroyed": Resolution("the parcel was destroyed", False),
}
_GIVEN_UP = {
    "given_up": Resolution("no update for `shipments.given_up_days`, so that the parcel is no longer watched", False)
}
_SILENCE_ENDS = {
    "resumed": Resolution("the next update, if it is not a terminal status", True),
    **_TERMINAL, **_GIVEN_UP, **_DISPROVED,
}  # fmt: skip
_COLLECTED = {"collected": Resolution("the first scan but `info_received`, if it is not a terminal status", True)}
_ORDER_ENDS = {
    "shipped": Resolution("`order.shipped`", True),
    "completed": Resolution("`order.completed`", True),
    "cancelled": Resolution("`order.cancelled`", False),
    **_DISPROVED,
}
_RESPONDED = {"responded": Resolution("`ticket.responded`", True), **_DISPROVED}
_ITEM_ENDS = {
    "recovered": Resolution("the rate fell below the level; of a shop, a lower level may hold", True),
    "insufficient": Resolution("too few orders, or no baseline any more, so nothing is judged", False),
}
_LEVEL_ENDS = {"escalated": Resolution("a higher level was reached", False), **_ITEM_ENDS}

#: For examples.
_SHIPPED, _BEGUN, _NOW = "2026-11-09T00:00:00Z", "2026-11-02T06:40:00Z", "2026-11-10T00:00:00Z"
_HIGHER = "as of an hour boundary, the rate of 30 days exceeds `{}` times the baseline"

_ALL = (
    AlertType(
        NOT_COLLECTED, "shipments/silence_alerts", "shipment", "warning", (MERCHANT,),
        "A parcel was marked as shipped, and the carrier has not picked it up.",
        "`shipments.not_collected` after the first `order.shipped`, where no scan but `info_received` has come",
        {**_COLLECTED, **_TERMINAL, **_GIVEN_UP, **_DISPROVED},
        (*evidence.of_silence(24, _SHIPPED, _SHIPPED, None, None), evidence.SHIPPED_AT), ("shipped_at",),
    ),
    AlertType(
        SLOW, "shipments/silence_alerts", "shipment", "warning", (MERCHANT,),
        "A parcel under way has had no update for longer than usual.",
        "the `slow` time of `shipments.thresholds` after an update, where an order is known and it was collected",
        _SILENCE_ENDS,
        evidence.of_silence(72, "2026-11-07T00:00:00Z", _BEGUN, "departed", "郑州转运中心"), ("last_update",),
    ),
    AlertType(
        STALLED, "shipments/silence_alerts", "shipment", "critical", (MERCHANT, PLATFORM),
        "A parcel has had no update for more than a week, whether it was collected or not. Without a known order it"
        " goes to the platform alone.",
        "the `stalled` time of `shipments.thresholds` after an update",
        _SILENCE_ENDS,
        (*evidence.of_silence(168, "2026-11-03T00:00:00Z", _BEGUN, "arrived", "乌鲁木齐转运中心"), evidence.CAUSES),
        ("last_update",), (SLOW, NOT_COLLECTED),
    ),
    AlertType(
        DELIVERY_LATE, "shipments/promises", "shipment", "warning", (MERCHANT,),
        "A parcel was not delivered by the time that was promised.",
        "the `deliver_by` of its first `order.shipped` that has one, where it has not ended; not before that event",
        {**_TERMINAL, **_GIVEN_UP, **_DISPROVED},
        (*evidence.of_shipment(None, "2026-11-09T08:00:00Z", _BEGUN, "out_for_delivery", "苏州园区营业部"),
         *evidence.PROMISE),
        ("use_since",),
    ),
    AlertType(
        SHIPMENT_RETURNING, "shipments/exceptions", "shipment", "warning", (MERCHANT,),
        "A parcel goes back to the sender.",
        "that of the first scan `returning` or `returned` as of which an order is known",
        {**_TERMINAL, **_GIVEN_UP, **_DISPROVED},
        evidence.of_shipment(None, _NOW, _BEGUN, "returning", "苏州园区营业部"), ("use_since",),
    ),
    AlertType(
        DELIVERY_FAILING, "shipments/exceptions", "shipment", "warning", (MERCHANT,),
        "A parcel could not be delivered again and again.",
        "that of the first scan `delivery_failed` which is the parcel's `shipments.failed_attempts` or a later one, and"
        " as of which an order is known",
        {**_TERMINAL, **_GIVEN_UP, **_DISPROVED},
        (*evidence.of_shipment(None, _NOW, _BEGUN, "delivery_failed", "苏州园区营业部"), evidence.ATTEMPTS),
        ("use_since",),
    ),
    AlertType(
        SHIPMENT_DESTROYED, "shipments/exceptions", "shipment", "critical", (MERCHANT, PLATFORM),
        "A parcel was destroyed.",
        "that of the scan `destroyed`, where an order is known by then",
        _DISPROVED,
        evidence.of_shipment(None, _NOW, _BEGUN, "destroyed", "苏州园区营业部"), ("use_since",),
    ),
    AlertType(
        SUSPICIOUS, "shipments/suspicious", "shipment", "warning", (PLATFORM,),
        "A parcel looks like false shipping (虚假发货): it was scanned long before the order was paid, delivered in"
        " another province, or sent under a number that was used before.",
        "that of the latest of the facts that it rests on: `suspicious.paid_slack` and `suspicious.reuse` say how far"
        " apart they may be",
        _DISPROVED,
        (*evidence.of_shipment(None, "2026-11-09T20:00:00Z", _BEGUN, "picked_up", "义乌北苑网点"), *evidence.SUSPICION),
        ("use_since", "ground"),
    ),
    AlertType(
        SHIP_DUE_SOON, "orders/ship_by", "order", "info", (MERCHANT,),
        "An order that is paid will soon be late.",
        "`orders.due_soon_hours` before the time to ship by; not where it was paid after that",
        _ORDER_ENDS, evidence.SHIPPING, (),
    ),
    AlertType(
        SHIP_LATE, "orders/ship_by", "order", "warning", (MERCHANT,),
        "An order was not shipped in time. Until it is, the buyer has a right to a refund without return.",
        "the time to ship by: that of the first `order.paid`, else `orders.ship_by_hours` after it",
        _ORDER_ENDS, evidence.SHIPPING, (), (SHIP_DUE_SOON,), "2026-11-10T12:00:00Z",
    ),
    AlertType(
        OUT_OF_STOCK, "orders/ship_by", "order", "warning", (PLATFORM,),
        "An order is so late that the shop probably cannot or will not ship it.",
        "`orders.out_of_stock_hours` after the time to ship by",
        _ORDER_ENDS, evidence.SHIPPING, (), (SHIP_LATE, SHIP_DUE_SOON), "2026-11-13T12:00:00Z",
    ),
    AlertType(
        DUE_SOON, "orders/tickets", "ticket", "info", (MERCHANT,),
        "A ticket will soon time out.",
        "when `tickets.due_soon_percent` of the time to answer is used; pauses do not count",
        _RESPONDED, evidence.TICKET, ("opened_at",),
    ),
    AlertType(
        TIMED_OUT, "orders/tickets", "ticket", "warning", (MERCHANT,),
        "A ticket was not answered in time, which is an escalation.",
        "when the time to answer is used: up to its `respond_by`, else the hours of `tickets` for its kind; pauses do"
        " not count",
        _RESPONDED, evidence.TICKET, ("opened_at",), (DUE_SOON,), "2026-11-10T06:00:00Z",
    ),
    AlertType(
        REVIEW, "orders/aftersales_window", "order", "info", (PLATFORM,),
        "A request came after the base period of the after-sales window, but within its extension: staff decide.",
        "that of the request: a refund, a dispute, a complaint or an after-sales ticket",
        _DISPROVED, evidence.REVIEW_REQUEST, ("request", "request_id"),
    ),
    AlertType(
        RIGHTS_REFUSED, "orders/refused_rights", "order", "warning", (MERCHANT,),
        "A request that the buyer had a right to was rejected. That is what turns into disputes.",
        "that of `refund.rejected`",
        {
            "settled": Resolution("`refund.settled` of the request", True),
            "disputed": Resolution("the order's next `dispute.opened`", False),
            **_DISPROVED,
        },
        evidence.RIGHTS, ("refund_id",),
    ),
    AlertType(
        REPLY_LATE, "conversations/replies", "conversation", "info", (MERCHANT,),
        "A buyer waits for an answer by a person. The rule is off by default.",
        "`conversations.reply_late.minutes` after the first message of a wait that came in its hours",
        {"answered": Resolution("the next message of the merchant", True), **_DISPROVED},
        evidence.REPLY, ("waiting_since",),
    ),
    AlertType(
        alert_of(ELEVATED), "help_rate/levels", "shop", "info", (MERCHANT,),
        "The help rate of a shop is above that of its category.",
        _HIGHER.format("help_rate.elevated"), _LEVEL_ENDS,
        evidence.of_level(1.2, 0.11, 4), SPAN,
    ),
    AlertType(
        alert_of(CAMPAIGN_BLOCKED), "help_rate/levels", "shop", "warning", (MERCHANT, PLATFORM),
        "The help rate of a shop is so high that campaigns are closed to it.",
        _HIGHER.format("help_rate.campaign_blocked"), _LEVEL_ENDS,
        evidence.of_level(1.5, 0.08, 19), SPAN, (alert_of(ELEVATED),),
    ),
    AlertType(
        alert_of(DELISTING_RISK), "help_rate/levels", "shop", "critical", (MERCHANT, PLATFORM),
        "The help rate of a shop is so high that its items may be delisted.",
        f"{_HIGHER.format('help_rate.delisting_risk')}, with `help_rate.delisting_min_escalations`",
        _LEVEL_ENDS, evidence.of_level(3.0, 0.04, None), SPAN, (alert_of(CAMPAIGN_BLOCKED), alert_of(ELEVATED)),
    ),
    AlertType(
        ITEM_DELISTING_RISK, "help_rate/levels", "item", "critical", (MERCHANT, PLATFORM),
        "The help rate of one item, beside that of its shop's category, is so high that it may be delisted.",
        f"{_HIGHER.format('help_rate.delisting_risk')}, with `help_rate.delisting_min_escalations` and"
        " `help_rate.min_orders` orders of the item",
        _ITEM_ENDS, (evidence.ITEM, *evidence.of_rate(3.0, 0.04, None)), SPAN,
    ),
    AlertType(
        FEED_SILENT, "shipments/carrier_feeds", "carrier", "critical", (PLATFORM,),
        "No scan of a carrier comes in, where there used to be many. What falls due meanwhile for its parcels moves, so"
        " that an outage is one alert.",
        "at an hour boundary, after `feed_silence.hours` without a scan, where in the same hours of the"
        " `feed_silence.days` before there were `feed_silence.min_scans` on average",
        {"resumed": Resolution("the carrier's next scan", True)}, evidence.FEED, SPAN,
    ),
    AlertType(
        STALL_CLUSTER, "shipments/stall_clusters", "facility", "critical", (PLATFORM,),
        "Many parcels that were last seen at one facility have stalled. Once a facility and UTC day.",
        "that of the stall which makes it `clusters.stalls` within `clusters.hours`",
        {}, evidence.CLUSTER, EPISODE,
    ),
)  # fmt: skip

#: Every type of alert, by its name.
ALERT_TYPES: dict[str, AlertType] = {type_.name: type_ for type_ in _ALL}
