"""Retention: the last instant at which the state knows an order, a ticket, an escalation or a conversation.

It follows from the thing's own facts alone. An event at the last instant still finds it; a later one finds nothing and
starts afresh.
"""

from __future__ import annotations

from schemas.times import DAY
from streams.policy.model import Policy
from streams.rules.conversations.replies import Conversation, new_messages
from streams.rules.orders.ship_by import Order
from streams.rules.orders.tickets import Ticket


def order_end(order: Order, latest: int, policy: Policy) -> int:
    """The last instant at which an order is known; `latest`: of its last event. Both in microseconds.

    The retention period after completion or cancellation, and after the longest extension of its after-sales window;
    or after its last event if it had neither.
    """
    rules, keeping = policy.aftersales, policy.keeping
    completed, cancelled = order.completed, order.cancelled
    if completed is None:
        return latest + keeping.order_idle if cancelled is None else cancelled.time + keeping.order
    days: list[float] = [0]
    if order.placed is not None:
        days.append(order.placed.commitment_days or 0)
        for _, category in order.placed.items:
            days += (rules.warranty_days.get(category, 0), rules.slow_category_days.get(category, 0))
    ends = [completed.time + keeping.order, completed.time + round(max(days) * DAY) + keeping.order_extension]
    if cancelled is not None:
        ends.append(cancelled.time + keeping.order)
    return max(ends)


def ticket_end(ticket: Ticket, policy: Policy) -> int:
    """The last instant at which a ticket is known, in microseconds. Events without effect do not extend it."""
    last: int | None = None
    for fact in (ticket.opened, ticket.responded):
        if fact is not None and (last is None or fact.time > last):
            last = fact.time
    paused = False
    for switch in ticket.switches:
        if switch.paused != paused:
            paused = switch.paused
            last = switch.time if last is None else max(last, switch.time)
    if last is None:
        last = ticket.switches[0].time
    return last + policy.keeping.ticket


def conversation_end(conversation: Conversation, policy: Policy) -> int:
    """The last instant at which a conversation is known, in microseconds. A repeat does not extend it."""
    times = [message.time for message in new_messages(conversation.messages, policy)]
    if conversation.last is not None:
        times.append(conversation.last)
    return max(times) + policy.keeping.conversation


def is_conversation_recent(conversation: Conversation, time: int, policy: Policy) -> bool:
    """True if its last message alone keeps the conversation known beyond that time.

    What that repeats is less than the time of repeats before it.
    """
    messages = conversation.messages
    if not messages:
        return False
    return time <= messages[-1].time - policy.conversations.repeat + policy.keeping.conversation
