"""What an event that is on time can lead to, so that nothing is worked out that cannot have changed.

The rules are causal: an event changes nothing before its own time. So one that is not settled yet says nothing now; it
is enough to look at its case once it is settled, and only at what it bears on. Each function gives the least moment
(microseconds) at which that has to be looked at because of the event, or None where what is planned already is enough.

An event that only ends or hastens what is awaited plans nothing: whoever looks at the deadline finds it. One that may
lead to something that was *not* expected before plans a look at its own time.
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
    """When alerts have to be judged because of an event that the case holds now."""
    slot = entry.slot
    if slot in _OF_THE_ORDER:
        # Windows and rights are asked by what is requested, and open alerts end with what comes.
        if case.emitted or case.refunds or case.disputes or case.complaints or case.tickets:
            return entry.time
        return ship_by.first_deadline(case.order, policy) if slot == PAID else None
    if slot in _OF_REQUESTS or (slot == SAID and policy.conversations.reply_late.enabled):
        return entry.time
    return None


def counts_from(case: Case, entry: Entry, policy: Policy) -> int | None:
    """When what the case adds to its shop's hours, topics apart, has to be worked out because of an event."""
    slot = entry.slot
    if slot == SAID:
        # Whether another message of its id asked first is seen from what the messages gave.
        asks = isinstance(entry.fact, Message) and entry.fact.asks
        return entry.time if asks or case.messages or case.voidings else None
    if slot in _COUNTING or (slot == PAID and policy.help_rate.over == "paid"):
        return entry.time
    return None
