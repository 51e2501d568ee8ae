"""Events as a timeline shows them: never a buyer's id, never what was written in a chat."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from schemas import events
from schemas.events import ORDERS, record_key
from schemas.times import parse
from streams.explain.facts import At, Coded, Facts, Name, at
from streams.explain.subject import CONVERSATION, ORDER, SHIPMENT, TICKET, ticket_of
from streams.policy.model import Policy
from streams.rules.conversations.interventions import asks_for_staff
from streams.rules.conversations.topics import topic_of
from streams.rules.orders.refunds import reason_code


class Mark(NamedTuple):
    """Something that has to be known about an event: that it repeats another, came late, was left out..."""

    code: str
    facts: Facts


class Row(msgspec.Struct):
    """One event. `number`: its place in the arrival order; `line`: that in its file, or the offset in its partition;
    `file`: where there are several inputs.

    `names`: what it is about, the nearest first.
    `identity`: equal for events that tell the same fact; `place`: its place in the order of all events.
    """

    number: int
    topic: str
    line: int
    time: int
    event_id: str
    type: str
    shop_id: str | None
    names: list[Name]
    facts: Facts
    identity: tuple[str, ...]
    place: tuple[int, str, bytes]
    partition: int | None = None
    file: str | None = None
    marks: list[Mark] = msgspec.field(default_factory=list)
    #: It changed something when it was read.
    fresh: bool = False
    left_out: bool = False

    @property
    def about(self) -> Name:
        """What it is told of."""
        return self.names[0]


def facts_of(event: events.AnyEvent, policy: Policy) -> Facts:
    """What a timeline may tell of an event."""
    if isinstance(event, events.Scan):
        return {"status": Coded("statuses", event.status), "facility": event.facility, "region": event.region}
    found: Facts = {}
    for field in _TOLD:
        value = getattr(event, field, None)
        if value is not None:
            found[field] = value
    match event:
        case events.OrderPlaced():
            found["items"] = list(dict.fromkeys(item.item_id for item in event.items))
            found["categories"] = list(dict.fromkeys(item.category_id for item in event.items))
        case events.OrderPaid():
            found["ship_by"] = at(parse(event.ship_by) if event.ship_by is not None else None)
        case events.OrderShipped():
            found["deliver_by"] = at(parse(event.deliver_by) if event.deliver_by is not None else None)
        case events.RefundRequested():
            found |= {"kind": Coded("refund_kinds", event.kind), "reason": reason_code(event.reason)}
        case events.TicketOpened():
            found["kind"] = Coded("kinds", event.kind)
            found["respond_by"] = At(parse(event.respond_by)) if event.respond_by is not None else None
        case events.OrderEscalationVoided() | events.ChatEscalationVoided():
            found |= {"escalation": Coded("escalations", event.escalation), "reason": reason_code(event.reason)}
        case events.ChatMessage():
            found["sender"] = Coded("senders", event.sender)
            if event.sender == "buyer":
                found["about"] = Coded("topics", topic_of(event.text, policy.conversations.topics))
                found["asks_for_staff"] = asks_for_staff(event.text, policy.interventions)
    return found


#: Fields that are told as they are. Texts and buyers are not among them.
_TOLD = (
    "carrier", "tracking_no", "from_region", "to_region", "ship_to_region", "commitment_days", "refund_id",
    "dispute_id", "complaint_id", "intervention_id", "ticket_id", "escalation_id", "conversation_id", "item_id",
)  # fmt: skip


def names_of(event: events.AnyEvent) -> list[Name]:
    """What an event is about, the nearest first."""
    if isinstance(event, events.Scan):
        return [Name(SHIPMENT, event.tracking_no, event.carrier)]
    found: list[Name] = []
    ticket, conversation = ticket_of(event), getattr(event, "conversation_id", None)
    if ticket is not None:
        found.append(Name(TICKET, ticket))
    if conversation is not None:
        found.append(Name(CONVERSATION, conversation))
    if event.order_id is not None:
        found.append(Name(ORDER, event.order_id))
    if isinstance(event, events.OrderShipped):
        found.append(Name(SHIPMENT, event.tracking_no, event.carrier))
    # A complaint without an order is about itself.
    return found or [Name("escalation", record_key(event))]


def identity_of(event: events.AnyEvent, time: int) -> tuple[str, ...]:
    """What the event is known by: of several events that tell the same fact, one holds."""
    kind = type_of(event)
    match event:
        case events.Scan():
            return kind, event.carrier, event.tracking_no, str(time), event.status
        case events.ChatMessage():
            return kind, record_key(event), event.conversation_id, event.event_id
        case events.OrderShipped():
            return kind, event.order_id, event.carrier, event.tracking_no
        case events.TicketPaused() | events.TicketResumed():
            return kind, record_key(event), event.ticket_id, event.event_id, str(time)
        case events.OrderEscalationVoided() | events.ChatEscalationVoided():
            return kind, record_key(event), event.escalation, event.escalation_id
    own = [getattr(event, field) for field in _NATURAL if getattr(event, field, None) is not None]
    return kind, record_key(event), *own


_NATURAL = ("refund_id", "dispute_id", "complaint_id", "intervention_id", "ticket_id")


def type_of(event: events.AnyEvent) -> str:
    """The `type` of the event as it was written."""
    return str(type(event).__struct_config__.tag)


def in_order(row: Row) -> tuple[int, int, str, bytes]:
    """Sorts rows as the rules read events: by time, topic, event id, and then the value's hash."""
    return row.time, _TOPIC_ORDER.get(row.topic, 1), row.event_id, row.place[2]


_TOPIC_ORDER = {ORDERS: 0, "logistics-scans": 1, "chats": 2}
