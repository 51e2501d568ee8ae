"""The expirable things of a case: when each expires, and how it is moved into the past."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from streams.policy.model import Policy
from streams.rules.alert_types import types_about
from streams.rules.cases.apply import COMPLAINED, INTERVENED, OPENED, RESPONDED, SAID, SWITCHED, Entry
from streams.rules.cases.case import COMPLAINT, INTERVENTION, KINDS, ONCE, TICKET_TIMEOUT, Case
from streams.rules.cases.lifetimes import end_of_escalation, end_of_order
from streams.rules.cases.ttl import conversation_end, is_conversation_recent, ticket_end
from streams.rules.conversations.interventions import message_id
from streams.rules.orders.ship_by import Order
from streams.rules.reconcile import Emitted

_TIMEOUT = KINDS[TICKET_TIMEOUT]
_OF_ORDERS = types_about("order")
_OF_TICKETS = types_about("ticket")
_OF_CONVERSATIONS = types_about("conversation")


class Thing(NamedTuple):
    """Something evicted as a whole. `end`: the last instant at which it is known, in microseconds."""

    end: int
    close: Callable[[], None]


def named(case: Case, entry: Entry, policy: Policy) -> Iterator[Thing]:
    """The things in the case that the event names and that may have ended by then."""
    if entry.of_order and case.knows_order and not _is_recent(case, entry.time, policy):
        yield _order(case, policy)
    if entry.slot in (OPENED, RESPONDED, SWITCHED):
        if entry.identity in case.tickets:
            yield _ticket(case, entry.identity, policy)
    elif entry.slot == SAID:
        known = case.conversations.get(entry.identity)
        if known is not None and not is_conversation_recent(known, entry.time, policy):
            yield _conversation(case, entry.identity, policy)
        message = message_id(entry.identity, getattr(entry.fact, "event_id", ""))
        if not entry.of_order and message in case.messages:
            yield _escalation(case, case.messages, message, policy)
    elif not entry.of_order and entry.slot in (COMPLAINED, INTERVENED):
        facts: dict[str, Any] = case.complaints if entry.slot == COMPLAINED else case.requests
        if entry.identity in facts:
            yield _escalation(case, facts, entry.identity, policy)


def _is_recent(case: Case, time: int, policy: Policy) -> bool:
    """True if the first event that named the order alone keeps it known beyond that time."""
    order = case.order
    if order.completed is not None or order.cancelled is not None or case.start is None:
        return False
    return time <= case.start + policy.keeping.order_idle


def things(case: Case, policy: Policy) -> Iterator[Thing]:
    """All evictable things of the case."""
    if case.knows_order:
        yield _order(case, policy)
    for identity in list(case.tickets):
        yield _ticket(case, identity, policy)
    lone: tuple[dict[str, Any], ...] = (case.complaints, case.requests, case.messages)
    for facts in lone:
        for identity, one in list(facts.items()):
            if one.order_id is None:
                yield _escalation(case, facts, identity, policy)
    for identity in list(case.conversations):
        yield _conversation(case, identity, policy)


def _order(case: Case, policy: Policy) -> Thing:
    end = end_of_order(case, policy)

    def close() -> None:
        past = _past(case, end)
        past.start, past.last, past.order, past.refunds = case.start, case.last, case.order, case.refunds
        case.start, case.last, case.order, case.refunds = None, None, Order(), {}
        past.disputes, case.disputes = case.disputes, {}
        past.complaints, case.complaints = _split(case.complaints)
        past.requests, case.requests = _split(case.requests)
        past.messages, case.messages = _split(case.messages)
        left = {name for name, _ in case.escalations}
        past.sent = {
            name: sent
            for name, sent in case.sent.items()
            if name not in left and not name.startswith((f"{_TIMEOUT}/", ONCE))
        }
        case.sent = {name: sent for name, sent in case.sent.items() if name not in past.sent}
        _move_emitted(case, past, lambda sent: sent.type in _OF_ORDERS)

    return Thing(end, close)


def _ticket(case: Case, identity: str, policy: Policy) -> Thing:
    end = ticket_end(case.tickets[identity], policy)

    def close() -> None:
        past = _past(case, end)
        past.tickets[identity] = case.tickets.pop(identity)
        _move_sent(case, past, f"{_TIMEOUT}/{identity}")
        _move_emitted(case, past, lambda sent: sent.type in _OF_TICKETS and sent.subject == identity)

    return Thing(end, close)


def _escalation(case: Case, facts: dict[str, Any], identity: str, policy: Policy) -> Thing:
    kind = COMPLAINT if facts is case.complaints else INTERVENTION
    name = f"{KINDS[kind]}/{identity}"
    end = end_of_escalation(case, case, name, policy)

    def close() -> None:
        past = _past(case, end)
        mine = past.complaints if facts is case.complaints else past.requests
        mine[identity] = facts.pop(identity)
        _move_sent(case, past, name)

    return Thing(end, close)


def _conversation(case: Case, identity: str, policy: Policy) -> Thing:
    end = conversation_end(case.conversations[identity], policy)

    def close() -> None:
        past = _past(case, end)
        past.conversations[identity] = case.conversations.pop(identity)
        _move_emitted(case, past, lambda sent: sent.type in _OF_CONVERSATIONS and sent.subject == identity)

    return Thing(end, close)


def _past(case: Case, end: int) -> Case:
    past = Case(case.key, end=end)
    case.past.append(past)
    return past


def _split(facts: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Splits them into those of an order and those of none."""
    of_order = {identity: one for identity, one in facts.items() if one.order_id is not None}
    return of_order, {identity: one for identity, one in facts.items() if identity not in of_order}


def _move_sent(case: Case, past: Case, name: str) -> None:
    sent = case.sent.pop(name, None)
    if sent is not None:
        past.sent[name] = sent


def _move_emitted(case: Case, past: Case, belongs: Callable[[Emitted], bool]) -> None:
    past.emitted = [sent for sent in case.emitted if belongs(sent)]
    case.emitted = [sent for sent in case.emitted if not belongs(sent)]
