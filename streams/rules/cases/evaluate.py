"""The alerts of one case: of an order's deadlines and requests, of tickets and of conversations."""

from __future__ import annotations

from streams.policy.model import Policy
from streams.rules.alert import Alert
from streams.rules.cases.case import Case
from streams.rules.cases.lifetimes import end_of_order, parts
from streams.rules.cases.ttl import ticket_end
from streams.rules.conversations import replies
from streams.rules.orders import aftersales_window, refused_rights, ship_by, tickets
from streams.rules.orders.tickets import Ticket
from streams.rules.reconcile import Expected, next_moment, reconcile


def reconcile_part(
    part: Case, whole: Case, watermark: int, settled: int, policy: Policy
) -> tuple[list[Alert], int | None]:
    """Returns the alerts to send now and the next due moment (microseconds) or None; updates `part.emitted`.

    `whole`: the case whose past holds `part`, or `part` itself. Deadlines below `watermark` have passed, events below
    `settled` are final.
    """
    planned = ship_by.deadline_alerts(part.key, part.order, policy)
    known = planned
    if planned:
        end = end_of_order(part, policy)
        known = [one for one in planned if one.raised <= end]
    others = _others(part, whole, policy)
    if not planned and not others and not part.emitted:
        return [], None
    alerts = reconcile(known + others, part.emitted, watermark, settled)
    # Includes deadlines after the order's eviction: a later event may extend its life.
    return alerts, next_moment(planned + others, watermark, settled)


def _others(part: Case, whole: Case, policy: Policy) -> list[Expected]:
    """All alerts except the order's deadlines; none is raised about state evicted by then."""
    key = part.key
    expected: list[Expected] = []
    if part.order.completed is not None:
        asking = _tickets_of(whole, part, end_of_order(part, policy))
        asked = aftersales_window.requests(part.refunds, part.disputes, part.complaints, asking)
        expected += aftersales_window.review_alerts(key, part.order, asked, policy)
    if part.refunds:
        expected += refused_rights.refusal_alerts(key, part.order, part.refunds, part.disputes, policy)
    for ticket_id, ticket in part.tickets.items():
        end = ticket_end(ticket, policy)
        expected += [one for one in tickets.ticket_alerts(key, ticket_id, ticket, policy) if one.raised <= end]
    if part.conversations and policy.conversations.reply_late.enabled:
        for conversation_id, conversation in part.conversations.items():
            new = replies.new_messages(conversation.messages, policy)
            expected += replies.late_reply_alerts(key, conversation_id, new, policy)
    return expected


def _tickets_of(whole: Case, life: Case, end: int) -> dict[str, Ticket]:
    """The tickets opened within this life of the order."""
    start = life.start
    return {
        identity: ticket
        for part in parts(whole)
        for identity, ticket in part.tickets.items()
        if ticket.opened is not None and (start is None or start <= ticket.opened.time) and ticket.opened.time <= end
    }
