"""Converts events into stored facts, without buyer ids and texts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from schemas import events
from schemas.times import parse
from streams.policy.model import Policy
from streams.rules.cases import apply
from streams.rules.cases.apply import Entry
from streams.rules.conversations.interventions import Intervention, asks_for_staff
from streams.rules.conversations.replies import Message
from streams.rules.conversations.topics import topic_of
from streams.rules.facts import Fact
from streams.rules.orders.escalations import Escalation, Voided
from streams.rules.orders.refunds import Requested, reason_code
from streams.rules.orders.ship_by import Paid, Placed, Shipped
from streams.rules.orders.tickets import Opened, Switch
from streams.stages.buyer_hash import BuyerHash

#: An event's time, event id, SHA-256 and shop.
Origin = tuple[int, str, bytes, str]


def entry_of(event: events.AnyEvent, place: Origin, policy: Policy, buyer_hash: BuyerHash | None = None) -> Entry:
    """The stored form of an event of `orders` or `chats`; a buyer is kept as a keyed hash, or not at all."""
    entry = _MAKERS[type(event)](event, place, policy)
    if buyer_hash is not None and isinstance(event, events.OrderPlaced) and isinstance(entry.fact, Placed):
        entry.fact.buyer = buyer_hash(event.buyer_id)
    return entry


def _placed(event: events.OrderPlaced, place: Origin, _: Policy) -> Entry:
    items = tuple((item.item_id, item.category_id) for item in event.items)
    fact = Placed(**_at(place), items=items, ship_to_region=event.ship_to_region, commitment_days=event.commitment_days)
    return Entry(apply.PLACED, "", True, fact)


def _paid(event: events.OrderPaid, place: Origin, _: Policy) -> Entry:
    ship_by = parse(event.ship_by) if event.ship_by is not None else None
    return Entry(apply.PAID, "", True, Paid(**_at(place), ship_by=ship_by))


def _shipped(event: events.OrderShipped, place: Origin, _: Policy) -> Entry:
    fact = Shipped(
        **_at(place),
        carrier=event.carrier,
        tracking_no=event.tracking_no,
        from_region=event.from_region,
        to_region=event.to_region,
        deliver_by=parse(event.deliver_by) if event.deliver_by is not None else None,
    )
    return Entry(apply.SHIPPED, "", True, fact)


def _completed(_: events.OrderCompleted, place: Origin, __: Policy) -> Entry:
    return Entry(apply.COMPLETED, "", True, Fact(**_at(place)))


def _cancelled(_: events.OrderCancelled, place: Origin, __: Policy) -> Entry:
    return Entry(apply.CANCELLED, "", True, Fact(**_at(place)))


def _requested(event: events.RefundRequested, place: Origin, _: Policy) -> Entry:
    fact = Requested(**_at(place), kind=event.kind, reason=reason_code(event.reason), item_id=event.item_id)
    return Entry(apply.REQUESTED, event.refund_id, True, fact)


def _rejected(event: events.RefundRejected, place: Origin, _: Policy) -> Entry:
    return Entry(apply.REJECTED, event.refund_id, True, Fact(**_at(place)))


def _settled(event: events.RefundSettled, place: Origin, _: Policy) -> Entry:
    return Entry(apply.SETTLED, event.refund_id, True, Fact(**_at(place)))


def _disputed(event: events.DisputeOpened, place: Origin, _: Policy) -> Entry:
    fact = Escalation(**_at(place), order_id=event.order_id, item_id=event.item_id)
    return Entry(apply.DISPUTED, event.dispute_id, True, fact)


def _complained(event: events.ComplaintFiled, place: Origin, _: Policy) -> Entry:
    fact = Escalation(**_at(place), order_id=event.order_id, item_id=event.item_id)
    return Entry(apply.COMPLAINED, event.complaint_id, event.order_id is not None, fact)


def _intervened(event: events.InterventionRequested, place: Origin, _: Policy) -> Entry:
    fact = Intervention(
        **_at(place),
        intervention_id=event.intervention_id,
        conversation_id=event.conversation_id,
        order_id=event.order_id,
        item_id=event.item_id,
    )
    return Entry(apply.INTERVENED, event.intervention_id, event.order_id is not None, fact)


def _said(event: events.ChatMessage, place: Origin, policy: Policy) -> Entry:
    buyers = event.sender == "buyer"
    message = Message(
        **_at(place),
        side="buyer" if buyers else "merchant" if event.sender == "merchant" else "other",
        order_id=event.order_id,
        topic=topic_of(event.text, policy.conversations.topics) if buyers else None,
        asks=buyers and asks_for_staff(event.text, policy.interventions),
    )
    return Entry(apply.SAID, event.conversation_id, event.order_id is not None, message)


def _opened(event: events.TicketOpened, place: Origin, _: Policy) -> Entry:
    respond_by = parse(event.respond_by) if event.respond_by is not None else None
    fact = Opened(**_at(place), kind=event.kind, respond_by=respond_by, order_id=event.order_id)
    return Entry(apply.OPENED, event.ticket_id, event.order_id is not None, fact)


def _responded(event: events.TicketResponded, place: Origin, _: Policy) -> Entry:
    return Entry(apply.RESPONDED, event.ticket_id, event.order_id is not None, Fact(**_at(place)))


def _switched(event: events.TicketPaused | events.TicketResumed, place: Origin, _: Policy) -> Entry:
    switch = Switch(place[0], place[1], place[2], type(event) is events.TicketPaused)
    return Entry(apply.SWITCHED, event.ticket_id, event.order_id is not None, switch)


def _voided(event: events.OrderEscalationVoided | events.ChatEscalationVoided, place: Origin, _: Policy) -> Entry:
    name = f"{event.escalation}/{event.escalation_id}"
    rank = 0 if type(event) is events.OrderEscalationVoided else 1
    return Entry(apply.VOIDED, name, event.order_id is not None, Voided(**_at(place), rank=rank))


def _at(place: Origin) -> dict[str, Any]:
    return {"time": place[0], "event_id": place[1], "digest": place[2], "shop_id": place[3]}


_MAKERS: dict[type, Callable[[Any, Origin, Policy], Entry]] = {
    events.OrderPlaced: _placed,
    events.OrderPaid: _paid,
    events.OrderShipped: _shipped,
    events.OrderCompleted: _completed,
    events.OrderCancelled: _cancelled,
    events.RefundRequested: _requested,
    events.RefundRejected: _rejected,
    events.RefundSettled: _settled,
    events.DisputeOpened: _disputed,
    events.ComplaintFiled: _complained,
    events.InterventionRequested: _intervened,
    events.ChatMessage: _said,
    events.TicketOpened: _opened,
    events.TicketResponded: _responded,
    events.TicketPaused: _switched,
    events.TicketResumed: _switched,
    events.OrderEscalationVoided: _voided,
    events.ChatEscalationVoided: _voided,
}
