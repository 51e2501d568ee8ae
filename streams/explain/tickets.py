"""A ticket's thresholds, and a conversation's: what came of each."""

from __future__ import annotations

from msgspec.structs import replace

from schemas.times import render
from streams.explain.checks import PENDING, PREVENTED, Alerts, Check, raised
from streams.explain.facts import At, Coded, Facts, Name, Span
from streams.explain.subject import CONVERSATION, TICKET
from streams.policy.model import Policy
from streams.rules.conversations import replies
from streams.rules.conversations.replies import REPLY_LATE, Conversation
from streams.rules.orders import tickets
from streams.rules.orders.tickets import DUE_SOON, TIMED_OUT, Ticket

NOT_OPENED, PAUSED, SWITCHED_OFF, NOBODY_WAITS = "not_opened", "paused", "switched_off", "nobody_waits"


def ticket_checks(key: str, ticket_id: str, ticket: Ticket, policy: Policy, alerts: Alerts, end: int) -> list[Check]:
    """Due soon and timed out. `key`: the record key; `end`: deadlines below it have passed."""
    about = Name(TICKET, ticket_id)
    opened = ticket.opened
    if opened is None:
        return [Check(TIMED_OUT, about, NOT_OPENED, None, None, {})]
    responded = ticket.responded
    # As if nobody had answered; and as if, besides, the clock had never stood still.
    plain = _due(key, ticket_id, replace(ticket, responded=None), policy)
    unpaused = _due(key, ticket_id, replace(ticket, responded=None, switches=[]), policy)
    given = _due(key, ticket_id, ticket, policy)
    found = []
    for kind in (DUE_SOON, TIMED_OUT):
        due = plain.get(kind)
        facts: Facts = {"kind": Coded("kinds", opened.kind), "agreed": opened.respond_by is not None}
        if due is None:
            since = max((switch.time for switch in ticket.switches if switch.paused), default=opened.time)
            facts |= {"original_due": At(unpaused[kind]), "paused": At(since)}
            found.append(Check(kind, about, PAUSED, opened.time, None, facts))
            continue
        if due != unpaused[kind]:
            facts |= {"original_due": At(unpaused[kind]), "stood_still": Span(due - unpaused[kind])}
        if kind not in given and responded is not None:
            found.append(Check(kind, about, PREVENTED, opened.time, due, {**facts, "at": At(responded.time)}))
        elif due >= end:
            found.append(Check(kind, about, PENDING, opened.time, due, facts))
        else:
            sent = alerts.raised(kind, about, due, f"{key}/{ticket_id}/")
            found.append(raised(kind, about, opened.time, due, facts, sent))
    return found


def _due(key: str, ticket_id: str, ticket: Ticket, policy: Policy) -> dict[str, int]:
    return {one.type: one.raised for one in tickets.ticket_alerts(key, ticket_id, ticket, policy)}


def conversation_checks(
    key: str, conversation_id: str, conversation: Conversation, policy: Policy, alerts: Alerts, end: int
) -> list[Check]:
    """Every wait of a buyer for an answer, where the policy looks at them."""
    about = Name(CONVERSATION, conversation_id)
    allowed: Facts = {"threshold": Span(policy.conversations.reply_late.allowed)}
    if not policy.conversations.reply_late.enabled:
        return [Check(REPLY_LATE, about, SWITCHED_OFF, None, None, {})]
    messages = replies.new_messages(conversation.messages, policy)
    given = {one.raised: one for one in replies.late_reply_alerts(key, conversation_id, messages, policy)}
    found = []
    for place, message in enumerate(messages):
        if message.side != "merchant" and place + 1 < len(messages):
            continue
        # What was waited for up to this answer, or up to the last message.
        before = messages[:place] if message.side == "merchant" else messages
        open_ = [one for one in replies.late_reply_alerts(key, conversation_id, before, policy) if one.resolved is None]
        for one in open_:
            asked, due = one.raised - policy.conversations.reply_late.allowed, one.raised
            if due not in given:
                found.append(Check(REPLY_LATE, about, PREVENTED, asked, due, {**allowed, "at": At(message.time)}))
            elif due >= end:
                found.append(Check(REPLY_LATE, about, PENDING, asked, due, allowed))
            else:
                sent = alerts.raised(REPLY_LATE, about, due, f"{key}/{conversation_id}/{render(asked)}")
                found.append(raised(REPLY_LATE, about, asked, due, allowed, sent))
    if not found:
        found.append(Check(REPLY_LATE, about, NOBODY_WAITS, None, None, {}))
    return found
