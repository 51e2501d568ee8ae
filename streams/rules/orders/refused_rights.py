"""Refused rights: rejected refund requests to which the buyer was entitled when making them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from schemas.times import DAY, render
from streams.policy.model import AfterSales, Policy
from streams.rules.alert import MERCHANT, RAISED
from streams.rules.facts import Fact
from streams.rules.orders import ship_by
from streams.rules.orders.aftersales_window import categories_of
from streams.rules.orders.escalations import Escalation
from streams.rules.orders.refunds import EXCHANGE, REFUND_ONLY, RESHIP, RETURN_REFUND, Refund, Requested
from streams.rules.orders.ship_by import Order
from streams.rules.reconcile import Expected

RIGHTS_REFUSED = "aftersales.rights_refused"
LATE_SHIPMENT_REFUND, NO_REASON_RETURN, QUALITY_EXCHANGE = (
    "late_shipment_refund",
    "no_reason_return",
    "quality_exchange",
)
SETTLED, DISPUTED = "settled", "disputed"


def refusal_alerts(
    order_id: str,
    order: Order,
    refunds: Mapping[str, Refund],
    disputes: Mapping[str, Escalation],
    policy: Policy,
) -> list[Expected]:
    """All alerts for an order's refund requests, past and future."""
    alerts = []
    for refund_id, refund in refunds.items():
        requested, rejected = refund.requested, refund.rejected
        # A rejection dated before its request refuses nothing.
        if requested is None or rejected is None or rejected.time < requested.time:
            continue
        rights = rights_of(order_id, order, requested, policy)
        if not rights:
            continue
        end = _end(rejected, refund.settled, disputes)
        alerts.append(
            Expected(
                type=RIGHTS_REFUSED,
                subject=order_id,
                anchor=refund_id,
                episode=_episode(order_id, refund_id, rejected.time),
                raised=rejected.time,
                resolved=end[0] if end is not None else None,
                resolution=end[1] if end is not None else None,
                resolved_by_deadline=False,
                audiences=(MERCHANT,),
                shop_id=rejected.shop_id,
                order_id=order_id,
                carrier=None,
                evidence=_evidence(refund_id, requested, rejected, rights),
                by_event=True,
            )
        )
    return alerts


def _episode(order_id: str, refund_id: str, rejected: int) -> Callable[[], str]:
    """The time distinguishes it from a request with the same id in a later life of the order."""
    return lambda: f"{order_id}/{refund_id}/{render(rejected)}"


def rights_of(order_id: str, order: Order, requested: Requested, policy: Policy) -> list[str]:
    """Codes of the buyer's rights to the request, as of its time; empty if there are none."""
    rules, time = policy.aftersales, requested.time
    if not _is_known(order, time):
        return []
    holds, right = False, ""
    if requested.kind == REFUND_ONLY:
        holds, right = _ships_late(order_id, order, time, policy), LATE_SHIPMENT_REFUND
    elif requested.kind == RETURN_REFUND:
        in_time = _is_within(order, time, rules.no_reason_return_days)
        holds, right = in_time and not _is_exempt(order, requested, rules), NO_REASON_RETURN
    elif requested.kind in (EXCHANGE, RESHIP):
        holds, right = _is_within(order, time, rules.quality_exchange_days), QUALITY_EXCHANGE
    return [right] if holds else []


def _is_known(order: Order, time: int) -> bool:
    """Whether the order itself is known at `time`; an unknown or expired order gives no rights."""
    facts = (order.placed, order.paid, order.completed, order.cancelled, *order.shipped)
    return any(fact is not None and fact.time <= time for fact in facts)


def _ships_late(order_id: str, order: Order, time: int, policy: Policy) -> bool:
    """Whether `order.ship_late` is open at `time`: raised at or before it, and resolved after it, if at all."""
    return any(
        one.type == ship_by.SHIP_LATE and one.raised <= time and (one.resolved is None or time < one.resolved)
        for one in ship_by.deadline_alerts(order_id, order, policy)
    )


def _is_within(order: Order, time: int, days: float) -> bool:
    """Whether `time` is at most `days` after completion, or the order has not completed."""
    return order.completed is None or time <= order.completed.time + round(days * DAY)


def _is_exempt(order: Order, requested: Requested, rules: AfterSales) -> bool:
    """Whether no-reason returns are excluded for all categories that the request concerns."""
    categories = categories_of(order, requested.time, requested.item_id)
    return bool(categories) and all(category in rules.no_reason_exempt for category in categories)


def _end(rejected: Fact, settled: Fact | None, disputes: Mapping[str, Escalation]) -> tuple[int, str] | None:
    """Time and code of the resolution: the first settlement or dispute at or after the rejection."""
    ends = [(dispute.place, DISPUTED) for dispute in disputes.values() if dispute.time >= rejected.time]
    if settled is not None and settled.time >= rejected.time:
        ends.append((settled.place, SETTLED))
    if not ends:
        return None
    place, resolution = min(ends)
    return place[0], resolution


def _evidence(
    refund_id: str, requested: Requested, rejected: Fact, rights: list[str]
) -> Callable[[str], dict[str, Any]]:
    def evidence(status: str) -> dict[str, Any]:
        facts = {
            "refund_id": refund_id,
            "kind": requested.kind,
            "reason": requested.reason,
            "item_id": requested.item_id,
            "requested_at": render(requested.time),
            "rights": rights,
        }
        return facts if status == RAISED else {**facts, "raised_at": render(rejected.time)}

    return evidence
