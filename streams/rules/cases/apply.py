"""Applies facts to a case, and packs those that must be deferred."""

from __future__ import annotations

from bisect import insort
from typing import Any, NamedTuple

import msgspec

from streams.policy.model import Policy
from streams.rules.cases.case import Case, Deferred
from streams.rules.cases.lifetimes import known_until, place_of, voided_at
from streams.rules.conversations import replies
from streams.rules.conversations.interventions import Intervention, message_id
from streams.rules.conversations.replies import Conversation, Message
from streams.rules.facts import Fact, first, takes_its_place
from streams.rules.orders.escalations import Escalation, Voided, Voiding
from streams.rules.orders.refunds import Refund, Requested
from streams.rules.orders.ship_by import Paid, Placed, Shipped
from streams.rules.orders.tickets import Opened, Switch, Ticket

PLACED, PAID, SHIPPED = "order.placed", "order.paid", "order.shipped"
COMPLETED, CANCELLED = "order.completed", "order.cancelled"
REQUESTED, REJECTED, SETTLED = "refund.requested", "refund.rejected", "refund.settled"
DISPUTED, COMPLAINED, INTERVENED = "dispute.opened", "complaint.filed", "intervention.requested"
SAID, VOIDED = "chat.message", "escalation.voided"
OPENED, RESPONDED, SWITCHED = "ticket.opened", "ticket.responded", "ticket.switched"

_TYPES: dict[str, type[Fact | Switch]] = {
    PLACED: Placed,
    PAID: Paid,
    SHIPPED: Shipped,
    COMPLETED: Fact,
    CANCELLED: Fact,
    REQUESTED: Requested,
    REJECTED: Fact,
    SETTLED: Fact,
    DISPUTED: Escalation,
    COMPLAINED: Escalation,
    INTERVENED: Intervention,
    SAID: Message,
    VOIDED: Voided,
    OPENED: Opened,
    RESPONDED: Fact,
    SWITCHED: Switch,
}
_decoders = {slot: msgspec.msgpack.Decoder(kind).decode for slot, kind in _TYPES.items()}
_encode = msgspec.msgpack.Encoder().encode
#: Facts that an order recognises by id; others are never repeats for it.
_OF_ORDERS = frozenset((PLACED, PAID, SHIPPED, COMPLETED, CANCELLED, REQUESTED, REJECTED, SETTLED, DISPUTED))
_BY_ID = _OF_ORDERS | {COMPLAINED, INTERVENED}
#: The field of an order, refund or ticket that a fact is stored in.
_FIELDS = {
    PLACED: "placed",
    PAID: "paid",
    COMPLETED: "completed",
    CANCELLED: "cancelled",
    REQUESTED: "requested",
    REJECTED: "rejected",
    SETTLED: "settled",
    OPENED: "opened",
    RESPONDED: "responded",
}


class Entry(NamedTuple):
    """One event, without buyer ids and texts. `of_order`: it names an order.

    `identity`: the id of the refund, ticket or escalation; for a message the conversation's, for a voiding `KIND/ID`.
    """

    slot: str
    identity: str
    of_order: bool
    fact: Fact | Switch

    @property
    def time(self) -> int:
        """In microseconds."""
        return self.fact.time


def packed(entry: Entry) -> Deferred:
    """Encodes an entry for deferral."""
    fact = entry.fact
    return Deferred(*fact.place, entry.slot, entry.identity, entry.of_order, _encode(fact))


def unpacked(deferred: Deferred) -> Entry:
    """Decodes a deferred entry."""
    return Entry(deferred.slot, deferred.identity, deferred.of_order, _decoders[deferred.slot](deferred.fact))


def put_fact(whole: Case, life: Case, entry: Entry, settled: int, counted: int, policy: Policy) -> bool:
    """Applies a fact to a case, and to `life` if it belongs to the order. False: a repeat.

    Facts before `settled` and messages before `counted` are settled (microseconds). `order.shipped` goes to `ship`.
    """
    slot, identity, fact = entry.slot, entry.identity, entry.fact
    if entry.of_order:
        _live(life, fact.time)
        if slot not in _BY_ID:
            life.last = fact.time if life.last is None else max(life.last, fact.time)
    field = _FIELDS.get(slot)
    if field is not None:
        return _hold(_holder(whole, life, slot, identity), field, fact, settled)
    match fact:
        case Message():
            return _say(whole, life, identity, fact, counted, policy)
        case Intervention():
            return _keep_under(life.requests, identity, fact, settled)
        case Escalation():
            return _keep_under(life.disputes if slot == DISPUTED else life.complaints, identity, fact, settled)
        case Switch():
            return _ticket(whole, identity).add_switch(fact)
        case Voided():
            return _void(whole, life, identity, fact, policy)
    raise AssertionError(f"nothing holds {slot}")


def is_told(whole: Case, life: Case, entry: Entry) -> bool:
    """True if an event has told the fact before. Messages are each of their own."""
    slot, identity, fact = entry.slot, entry.identity, entry.fact
    if isinstance(fact, Shipped):
        return life.order.parcel(fact.carrier, fact.tracking_no) is not None
    field = _FIELDS.get(slot)
    if field is not None:
        if slot in (OPENED, RESPONDED):
            return getattr(whole.tickets.get(identity), field, None) is not None
        of_refund = slot in (REQUESTED, REJECTED, SETTLED)
        return getattr(life.refunds.get(identity) if of_refund else life.order, field, None) is not None
    if isinstance(fact, Intervention):
        return identity in life.requests
    if isinstance(fact, Voided):
        return _voiding(fact) in whole.voidings.get(identity, ())
    return isinstance(fact, Escalation) and identity in (life.disputes if slot == DISPUTED else life.complaints)


def _holder(whole: Case, life: Case, slot: str, identity: str) -> Any:
    """The owner of the slot's field: the order, a refund or a ticket."""
    if slot in (OPENED, RESPONDED):
        return _ticket(whole, identity)
    if slot not in (REQUESTED, REJECTED, SETTLED):
        return life.order
    refund = life.refunds.get(identity)
    if refund is None:
        refund = life.refunds[identity] = Refund()
    return refund


def _hold(holder: Any, field: str, fact: Any, settled: int) -> bool:
    known = getattr(holder, field)
    holding = first(fact, known, settled)
    setattr(holder, field, holding)
    return holding is not known


def ship(life: Case, fact: Shipped, settled: int) -> bool:
    """Applies an `order.shipped` to a life. False: a repeat."""
    _live(life, fact.time)
    known = life.order.parcel(fact.carrier, fact.tracking_no)
    if not takes_its_place(fact, known, settled):
        return False
    life.order.put_parcel(fact)
    return True


def _live(life: Case, time: int) -> None:
    life.start = time if life.start is None else min(life.start, time)


def _ticket(case: Case, identity: str) -> Ticket:
    ticket = case.tickets.get(identity)
    if ticket is None:
        ticket = case.tickets[identity] = Ticket()
    return ticket


def _keep_under(facts: dict[str, Any], identity: str, fact: Fact, settled: int) -> bool:
    if not takes_its_place(fact, facts.get(identity), settled):
        return False
    facts[identity] = fact
    return True


def _say(whole: Case, life: Case, conversation_id: str, message: Message, settled: int, policy: Policy) -> bool:
    conversation = whole.conversations.get(conversation_id)
    if conversation is None:
        conversation = whole.conversations[conversation_id] = Conversation()
    if not conversation.add(message, settled):
        return False
    identity = message_id(conversation_id, message.event_id)
    known = life.messages.pop(identity, None)
    said = conversation.of_event(message.event_id)
    if message.order_id is not None and life.start is not None:
        # A message in another life of the order, or in an evicted one, was a different escalation.
        said = [one for one in said if life.start <= one.time and (life.end is None or one.time <= life.end)]
    elif whole.past:
        ends = [past.end for past in whole.past if past.end is not None and identity in past.requests]
        said = [one for one in said if all(one.time > end for end in ends)]
    asked = replies.asked(conversation_id, message.event_id, known, said, policy)
    if asked is not None:
        life.messages[identity] = asked
    return True


def _void(whole: Case, life: Case, name: str, fact: Voided, policy: Policy) -> bool:
    known = whole.voidings.setdefault(name, [])
    voiding = _voiding(fact)
    if voiding in known:
        return False
    begun = place_of(life, name, policy)
    before = None if begun is None else voided_at(whole, life, name, begun, policy)
    insort(known, voiding)
    # Kept in any case: unsettled facts may still change. A voiding that finds nothing is not a repeat.
    return before is None or before > fact.time or fact.time > known_until(whole, life, name, policy)


def _voiding(fact: Voided) -> Voiding:
    return Voiding(fact.time, fact.rank, fact.event_id, fact.digest)
