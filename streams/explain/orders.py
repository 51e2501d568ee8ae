"""Outcomes of an order's thresholds, its after-sales window and its refused rights."""

from __future__ import annotations

from schemas.times import DAY
from streams.explain.checks import PENDING, PREVENTED, Alerts, Check, raised
from streams.explain.facts import At, Coded, Facts, Name, Span, at
from streams.explain.subject import ORDER
from streams.policy.model import Policy
from streams.rules.cases.case import Case
from streams.rules.orders import aftersales_window, refused_rights, ship_by
from streams.rules.orders.aftersales_window import REVIEW, Request
from streams.rules.orders.refunds import EXCHANGE, REFUND_ONLY, RESHIP, RETURN_REFUND, Refund
from streams.rules.orders.refused_rights import RIGHTS_REFUSED
from streams.rules.orders.ship_by import SHIP_DUE_SOON, SHIP_LATE, ship_by_of

NOT_PAID, PAID_TOO_LATE = "not_paid", "paid_after_due_soon"
WINDOW_OPEN, IN_BASE, CLOSED = "window_open", "in_base_period", "window_closed"
NOT_REJECTED, BEFORE_REQUEST, NO_RIGHT = "not_rejected", "rejected_before_request", "no_right"


def order_checks(case: Case, policy: Policy, alerts: Alerts, end: int) -> list[Check]:
    """All of one order; nothing where the record key is none of an order. `end`: deadlines below it have passed."""
    order = case.order
    if not (order.placed or order.paid or order.shipped or order.completed or order.cancelled or case.refunds):
        asked = list(aftersales_window.requests({}, case.disputes, case.complaints, case.tickets))
        return _reviews(case, asked, policy, alerts)
    found = _shipping(case, policy, alerts, end)
    asked = list(aftersales_window.requests(case.refunds, case.disputes, case.complaints, case.tickets))
    found += _reviews(case, asked, policy, alerts)
    found += [_rights(case, refund_id, refund, policy, alerts) for refund_id, refund in case.refunds.items()]
    return found


def _shipping(case: Case, policy: Policy, alerts: Alerts, end: int) -> list[Check]:
    order, about = case.order, Name(ORDER, case.key)
    paid = order.paid
    if paid is None:
        return [Check(SHIP_LATE, about, NOT_PAID, None, None, {})]
    agreed = ship_by_of(paid, policy)
    common: Facts = {"ship_by": At(agreed), "agreed": paid.ship_by is not None}
    deadlines = ship_by.ship_deadlines(paid, policy)
    ended = ship_by.end_of_wait(order)
    found = []
    if SHIP_DUE_SOON not in {deadline.type for deadline in deadlines}:
        due = agreed - policy.orders.micros.due_soon
        found.append(Check(SHIP_DUE_SOON, about, PAID_TOO_LATE, paid.time, due, common))
    for kind, due, _ in deadlines:
        if ended is not None and ended[0] <= due:
            how: Facts = {"at": At(ended[0]), "update": Coded("updates", f"order.{ended[1]}")}
            found.append(Check(kind, about, PREVENTED, paid.time, due, {**common, **how}))
        elif due >= end:
            found.append(Check(kind, about, PENDING, paid.time, due, common))
        else:
            found.append(raised(kind, about, paid.time, due, common, alerts.raised(kind, about, due)))
    return found


def _reviews(case: Case, asked: list[Request], policy: Policy, alerts: Alerts) -> list[Check]:
    about = Name(ORDER, case.key)
    found = []
    for request in asked:
        window = aftersales_window.window_of(case.order, request.time, request.item_id, policy.aftersales)
        facts: Facts = {"request": Coded("requests", request.kind), "request_id": request.identity}
        if window is None:
            found.append(Check(REVIEW, about, WINDOW_OPEN, request.time, None, facts))
            continue
        facts |= {"completed": At(window.completed), "base_end": At(window.base_end)}
        if window.asks_for_review(request.time):
            facts |= {"extension_end": at(window.extension_end), "ground": Coded("grounds", window.ground)}
            name = f"/{request.kind}/{request.identity}/"
            sent = alerts.raised(REVIEW, about, request.time, name)
            found.append(raised(REVIEW, about, request.time, request.time, facts, sent))
        else:
            outcome = CLOSED if window.is_closed(request.time) else IN_BASE
            facts["closed"] = at(max(window.base_end, window.extension_end))
            found.append(Check(REVIEW, about, outcome, request.time, None, facts))
    return found


def _rights(case: Case, refund_id: str, refund: Refund, policy: Policy, alerts: Alerts) -> Check:
    about = Name(ORDER, case.key)
    requested, rejected = refund.requested, refund.rejected
    facts: Facts = {"refund_id": refund_id}
    since = requested.time if requested is not None else None
    if requested is not None:
        facts["kind"] = Coded("refund_kinds", requested.kind)
    if rejected is None:
        return Check(RIGHTS_REFUSED, about, NOT_REJECTED, since, None, facts)
    facts["rejected"] = At(rejected.time)
    if requested is None or rejected.time < requested.time:
        return Check(RIGHTS_REFUSED, about, BEFORE_REQUEST, since, None, facts)
    codes = refused_rights.rights_of(case.key, case.order, requested, policy)
    if codes:
        facts["right"] = Coded("rights", codes[0])
        sent = alerts.raised(RIGHTS_REFUSED, about, rejected.time, f"/{refund_id}/")
        return raised(RIGHTS_REFUSED, about, requested.time, rejected.time, facts, sent)
    if requested.kind == REFUND_ONLY:
        facts["why"] = Coded("no_rights", "not_late")
    elif requested.kind == RETURN_REFUND:
        facts["why"] = Coded("no_rights", "no_return")
        facts["limit"] = Span(round(policy.aftersales.no_reason_return_days * DAY))
    elif requested.kind in (EXCHANGE, RESHIP):
        facts["why"] = Coded("no_rights", "no_exchange")
        facts["limit"] = Span(round(policy.aftersales.quality_exchange_days * DAY))
    return Check(RIGHTS_REFUSED, about, NO_RIGHT, requested.time, None, facts)
