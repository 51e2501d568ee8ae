"""The contributions of one record key to its shop's hourly counts: its order, its escalations, and their voidings.

An escalation counts in the hour in which it happened, from the next hour boundary on; a voiding removes it from the
boundary after the voiding on. The contributions sent are kept, so that a late fact sends only the difference.
"""

from __future__ import annotations

import msgspec

from schemas.times import HOUR
from streams.policy.model import Policy
from streams.rules.cases.case import (
    ASIDE,
    COMPLAINT,
    DISPUTE,
    DISTINCT_ORDER,
    INTERVENTION,
    KINDS,
    ONCE,
    ORDER,
    TALLIED,
    TICKET_TIMEOUT,
    Case,
    Counted,
    Delta,
)
from streams.rules.cases.distinct_orders import moves
from streams.rules.cases.escalation_spans import hour_of, interventions, single_item, spans, voided_of
from streams.rules.cases.lifetimes import is_ticket_closed, life_at, timed_out_while_known
from streams.rules.help_rate import tally_names
from streams.rules.orders import ship_by
from streams.rules.orders.aftersales_window import is_closed
from streams.rules.orders.ship_by import Order
from streams.rules.windows import LONGEST

#: (shop, order, item); None if unknown.
_About = tuple[str, str | None, str | None]


def expected_contributions(
    case: Case, policy: Policy, whole: Case | None = None
) -> dict[str, tuple[int, Delta, int | None]]:
    """Everything that counts, past and future: by identity, (time, delta, time of its voiding or None).

    `whole`: the case to whose past this one belongs.
    """
    whole = whole or case
    result: dict[str, tuple[int, Delta, int | None]] = {}
    rate = policy.help_rate
    _expect_order(result, case.order, over_paid=rate.over == "paid")
    if case.disputes or case.complaints or case.requests or case.messages or case.tickets:
        _expect_escalations(result, case, whole, policy)
    for identity, refund in case.refunds.items():
        requested = refund.requested
        if requested is not None:
            tally = tally_names.tally(tally_names.REFUND_REASONS, requested.kind, requested.reason)
            result[f"refund/{identity}"] = (requested.time, tallied(requested.shop_id, requested.time, tally), None)
    if rate.distinct_orders and case is whole:
        _expect_once(result, whole, policy)
    return result


def _expect_escalations(
    result: dict[str, tuple[int, Delta, int | None]], case: Case, whole: Case, policy: Policy
) -> None:
    """Adds the escalations and the ticket timeouts, one entry each."""

    def add(name: str, kind: int, time: int, of: _About, life: Case | None, *, closed: bool) -> None:
        shop_id, order_id, item = of
        linked = False
        if order_id is not None:
            item = item or single_item(life, time)
            linked = _is_linked(whole, life, time, policy)
        hour = hour_of(time)
        voided = voided_of(whole, case, name, policy)
        items = (item,) if item is not None else ()
        result[name] = (time, Delta(shop_id, hour + HOUR, hour, kind, 1, items, (), linked, closed), voided)

    for kind, escalations in ((DISPUTE, case.disputes), (COMPLAINT, case.complaints)):
        for identity, one in escalations.items():
            closed = one.order_id is not None and is_closed(case.order, one.time, one.item_id, policy.aftersales)
            of = (one.shop_id, one.order_id, one.item_id)
            add(f"{KINDS[kind]}/{identity}", kind, one.time, of, case, closed=closed)
    if case.requests or case.messages:
        for asked in interventions(case, whole, policy):
            of = (asked.shop_id, asked.order_id, asked.item_id)
            add(f"{KINDS[INTERVENTION]}/{asked.intervention_id}", INTERVENTION, asked.time, of, case, closed=False)
    for identity, ticket in case.tickets.items():
        name = f"{KINDS[TICKET_TIMEOUT]}/{identity}"
        timed_out = timed_out_while_known(ticket, policy)
        if timed_out is None or ticket.opened is None:
            continue
        sent = case.sent.get(name)
        if sent is not None and sent.final:
            result[name] = (timed_out, sent.delta, voided_of(whole, case, name, policy))
            continue
        of = (ticket.opened.shop_id, ticket.opened.order_id, None)
        life = life_at(whole, timed_out, policy)
        add(name, TICKET_TIMEOUT, timed_out, of, life, closed=is_ticket_closed(whole, ticket, policy))


def _expect_once(result: dict[str, tuple[int, Delta, int | None]], whole: Case, policy: Policy) -> None:
    """Adds the order as an escalated one, and as such for each item concerned."""
    for (shop_id, item), known in spans(whole, policy).items():
        kind, items = (DISTINCT_ORDER, ()) if item is None else (ASIDE, (item,))
        for boundary, hour, sign in moves(known):
            # Decided by the events before the boundary, and thus due just before it.
            delta = Delta(shop_id, boundary, hour, kind, sign, items)
            result[f"{ONCE}{(shop_id, item, boundary, hour, sign)}"] = (boundary - 1, delta, None)


def _is_linked(whole: Case, life: Case | None, time: int, policy: Policy) -> bool:
    """Whether the order had a stalled parcel or was shipped late, as of `time`."""
    if any(opened <= time and (ended is None or time < ended) for opened, ended in whole.stalls.values()):
        return True
    return life is not None and any(
        one.type == ship_by.SHIP_LATE and one.raised <= time and (one.resolved is None or time < one.resolved)
        for one in ship_by.deadline_alerts(life.key, life.order, policy)
    )


def _expect_order(result: dict[str, tuple[int, Delta, int | None]], order: Order, *, over_paid: bool) -> None:
    """Adds the order itself, at the time it was placed or paid; its lines count at the time it was placed."""
    placed = order.placed
    categories: tuple[tuple[str, int], ...] = ()
    if placed is not None:
        lines: dict[str, int] = {}
        for _, category in placed.items:
            lines[category] = lines.get(category, 0) + 1
        categories = tuple(sorted(lines.items()))
        if over_paid:
            hour = hour_of(placed.time)
            result["lines"] = (placed.time, Delta(placed.shop_id, hour + HOUR, hour, ASIDE, 1, (), categories), None)
            categories = ()
    counted_at = order.paid if over_paid else placed
    if counted_at is not None:
        hour = hour_of(counted_at.time)
        known = placed is not None and placed.time <= counted_at.time
        items = tuple(dict.fromkeys(item for item, _ in placed.items)) if placed is not None and known else ()
        delta = Delta(counted_at.shop_id, hour + HOUR, hour, ORDER, 1, items, categories)
        result["order"] = (counted_at.time, delta, None)


def tallied(shop_id: str, time: int, tally: str, sign: int = 1) -> Delta:
    """A delta that adds to a tally only, or subtracts from it. `time` in microseconds."""
    hour = hour_of(time)
    return Delta(shop_id, hour + HOUR, hour, TALLIED, sign, tally=tally)


def topics(case: Case, settled: int, policy: Policy) -> tuple[list[Delta], int | None]:
    """What the buyers' messages add to the tallies now, and the next time at which they add more."""
    now: list[Delta] = []
    least: int | None = None
    for conversation in case.conversations.values():
        changes, later = conversation.changes(settled, policy)
        for change in changes:
            tally = tally_names.tally(tally_names.CONVERSATION_TOPICS, change.topic)
            now.append(tallied(change.shop_id, change.time, tally, change.sign))
        if later is not None and (least is None or later < least):
            least = later
    return now, least


def difference(
    case: Case, watermark: int, settled: int, policy: Policy, whole: Case | None = None
) -> tuple[list[Delta], int | None]:
    """Deltas to send to the shops now, and the next time at which there are more. Updates `case.sent`.

    `whole`: the case to whose past this one belongs.
    """
    now: list[Delta] = []
    later: list[int] = []
    wanted = expected_contributions(case, policy, whole)
    for identity, known in list(case.sent.items()):
        one = wanted.get(identity)
        if one is None or one[1] != known.delta or not _is_past(one[0], one[1], watermark, settled):
            # A late fact changed it or made it unsettled again, or it has left every window.
            if not known.voided and not (one is None and _has_left(identity, known.delta, settled)):
                now.append(_reversed(known.delta, known.delta.effective))
            del case.sent[identity]
    for identity, (time, delta, voided) in wanted.items():
        if not _is_past(time, delta, watermark, settled):
            later.append(time)
            continue
        void = None
        if voided is not None:
            if voided < settled:
                void = hour_of(voided) + HOUR
            else:
                later.append(voided)
        sent = case.sent.get(identity)
        if sent is None:
            sent = case.sent[identity] = Counted(delta)
            if void is not None and void <= delta.effective:
                sent.voided = True
            else:
                now.append(delta)
        if void is not None and not sent.voided:
            sent.voided = True
            now.append(_reversed(delta, void))
    return now, min(later, default=None)


def _has_left(identity: str, delta: Delta, settled: int) -> bool:
    """Whether a count-once escalation has left every window; its origin may have expired by then."""
    return identity.startswith(ONCE) and delta.hour + LONGEST < settled


def _is_past(time: int, delta: Delta, watermark: int, settled: int) -> bool:
    """Ticket timeouts are deadlines, compared with the watermark; all others are events, compared with `settled`."""
    return time < (watermark if delta.kind == TICKET_TIMEOUT else settled)


def _reversed(delta: Delta, effective: int) -> Delta:
    return msgspec.structs.replace(delta, effective=effective, sign=-delta.sign)
