"""When an on-time event requires its case to be evaluated, so that nothing is recomputed needlessly.

The rules are causal: an event changes nothing before its own time. So an unsettled event has no effect yet; its case is
evaluated once the event is settled, and only in what it affects. Each function returns the earliest moment
(microseconds) at which the event requires that, or None if the moments already scheduled suffice.

An event that only meets or brings forward a pending deadline schedules nothing: the visit at the deadline finds it. One
that may cause something *not* yet pending schedules a visit at its own time.
"""

from __future__ import annotations

from streams.policy.model import Policy
from streams.rules.cases.apply import (
    CANCELLED,
    COMPLAINED,
    COMPLETED,
    DISPUTED,
    INTERVENED,
    OPENED,
    PAID,
    PLACED,
    REJECTED,
    REQUESTED,
    RESPONDED,
    SAID,
    SETTLED,
    SHIPPED,
    SWITCHED,
    VOIDED,
    Entry,
)
from streams.rules.cases.case import Case
from streams.rules.conversations.replies import Message
from streams.rules.orders import ship_by

_OF_THE_ORDER = frozenset({PLACED, PAID, SHIPPED, COMPLETED, CANCELLED})
_OF_REQUESTS = frozenset({REQUESTED, REJECTED, SETTLED, DISPUTED, COMPLAINED, OPENED, RESPONDED, SWITCHED})
_COUNTING = frozenset({PLACED, REQUESTED, DISPUTED, COMPLAINED, INTERVENED, OPENED, RESPONDED, SWITCHED, VOIDED})


def alerts_from(case: Case, entry: Entry, policy: Policy) -> int | None:
    """When to judge alerts because of an event just applied to the case."""
    slot = entry.slot
    if slot in _OF_THE_ORDER:
        # Requests trigger the window and rights checks, and later events resolve open alerts.
        if case.emitted or case.refunds or case.disputes or case.complaints or case.tickets:
            return entry.time
        return ship_by.first_deadline(case.order, policy) if slot == PAID else None
    if slot in _OF_REQUESTS or (slot == SAID and policy.conversations.reply_late.enabled):
        return entry.time
    return None


def counts_from(case: Case, entry: Entry, policy: Policy) -> int | None:
    """When to recompute the case's deltas to its shop's hours, except topics, because of an event."""
    slot = entry.slot
    if slot == SAID:
        # Whether another message of its id asked first is seen from what the messages gave.
        asks = isinstance(entry.fact, Message) and entry.fact.asks
        return entry.time if asks or case.messages or case.voidings else None
    if slot in _COUNTING or (slot == PAID and policy.help_rate.over == "paid"):
        return entry.time
    return None
