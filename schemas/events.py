"""Every event that upstream systems put on Kafka, as structs that decode and validate in one pass.

A struct's name is the event's; its tag is the event's `type`. Unknown fields are ignored, null means absent.
Times stay text here: `schemas.decode` turns `occurred_at` into microseconds.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=128, description="non-empty, at most 128 characters")]
#: For readers of the schemas, which need not check `format`. It lets through the 29th of February of any year, and the
#: first and last hours of the calendar in any zone.
_TIME = (
    r"^(?!0000)[0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|[12][0-9]))"
    r"[Tt]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$"
)
Time = Annotated[
    str,
    msgspec.Meta(description="RFC 3339 with an offset", extra_json_schema={"format": "date-time", "pattern": _TIME}),
]
Days = Annotated[int, msgspec.Meta(ge=0)]

Status = Literal[
    "info_received", "picked_up", "departed", "arrived", "in_transit", "out_for_delivery", "delivery_failed",
    "held", "exception", "customs", "returning", "delivered", "returned", "destroyed",
]  # fmt: skip
Escalation = Literal["dispute", "complaint", "intervention", "ticket_timeout"]
RefundKind = Literal["refund_only", "return_refund", "exchange", "reship"]
TicketKind = Literal["urge_shipping", "after_sales", "other"]
Sender = Literal["buyer", "merchant", "merchant_bot", "platform"]


class Event(msgspec.Struct, tag_field="type", kw_only=True, gc=False):
    """What every event has. `platform`: absent means the policy's."""

    event_id: Id
    occurred_at: Time
    platform: str | None = None


class Scan(Event, tag="scan", kw_only=True):
    """One update of a parcel by its carrier."""

    tracking_no: Id
    carrier: Id
    status: Status
    facility: str | None = None
    region: str | None = None
    note: str | None = None


class OrderEvent(Event, kw_only=True):
    """What every event of the topic `orders` has."""

    order_id: Id
    shop_id: Id


class Item(msgspec.Struct, kw_only=True, gc=False):
    """One line of an order; `category_id` is the first-level category."""

    item_id: Id
    category_id: Id
    quantity: Annotated[int, msgspec.Meta(ge=1)]
    amount: float | None = None


class OrderPlaced(OrderEvent, tag="order.placed", kw_only=True):
    """`commitment_days`: the merchant's own after-sales promise."""

    buyer_id: Id
    items: Annotated[list[Item], msgspec.Meta(min_length=1)]
    ship_to_region: str | None = None
    commitment_days: Days | None = None


class OrderPaid(OrderEvent, tag="order.paid", kw_only=True):
    """`ship_by`: the agreed ship time; absent means 48 hours after the payment."""

    ship_by: Time | None = None


class OrderShipped(OrderEvent, tag="order.shipped", kw_only=True):
    """One parcel of the order was announced; an order may have several.

    `deliver_by`: when it was promised, or is expected, to be delivered.
    """

    tracking_no: Id
    carrier: Id
    from_region: str | None = None
    to_region: str | None = None
    deliver_by: Time | None = None


class OrderCompleted(OrderEvent, tag="order.completed", kw_only=True):
    """The transaction succeeded."""


class OrderCancelled(OrderEvent, tag="order.cancelled", kw_only=True):
    """The order will not be fulfilled."""


class RefundRequested(OrderEvent, tag="refund.requested", kw_only=True):
    """The buyer asks for money back, or for another one."""

    refund_id: Id
    kind: RefundKind
    reason: str
    item_id: Id | None = None


class RefundRejected(OrderEvent, tag="refund.rejected", kw_only=True):
    """The merchant refused the request."""

    refund_id: Id


class RefundSettled(OrderEvent, tag="refund.settled", kw_only=True):
    """The request was granted and carried out."""

    refund_id: Id


class DisputeOpened(OrderEvent, tag="dispute.opened", kw_only=True):
    """The buyer disputes; an escalation."""

    dispute_id: Id
    item_id: Id | None = None


class OrderEscalationVoided(OrderEvent, tag="escalation.voided", kw_only=True):
    """An escalation of the order is taken back: an appeal upheld, spam removed."""

    escalation: Escalation
    escalation_id: Id
    reason: str


class ChatEvent(Event, kw_only=True):
    """What every event of the topic `chats` has."""

    shop_id: Id
    order_id: Id | None = None


class ChatMessage(ChatEvent, tag="chat.message", kw_only=True):
    """One message of a conversation."""

    conversation_id: Id
    sender: Sender
    text: str


class InterventionRequested(ChatEvent, tag="intervention.requested", kw_only=True):
    """The buyer asked platform staff to step in; an escalation."""

    intervention_id: Id
    conversation_id: Id | None = None
    item_id: Id | None = None


class ComplaintFiled(ChatEvent, tag="complaint.filed", kw_only=True):
    """The buyer complained to the platform; an escalation."""

    complaint_id: Id
    item_id: Id | None = None


class TicketOpened(ChatEvent, tag="ticket.opened", kw_only=True):
    """A service ticket that the merchant has to answer; `respond_by` absent means by its kind."""

    ticket_id: Id
    kind: TicketKind
    respond_by: Time | None = None


class TicketResponded(ChatEvent, tag="ticket.responded", kw_only=True):
    """The merchant answered."""

    ticket_id: Id


class TicketPaused(ChatEvent, tag="ticket.paused", kw_only=True):
    """The clock stands still while the ticket waits for the buyer."""

    ticket_id: Id


class TicketResumed(ChatEvent, tag="ticket.resumed", kw_only=True):
    """The clock runs again."""

    ticket_id: Id


class ChatEscalationVoided(ChatEvent, tag="escalation.voided", kw_only=True):
    """As on `orders`; `conversation_id` is that of the intervention voided."""

    escalation: Escalation
    escalation_id: Id
    reason: str
    conversation_id: Id | None = None


ORDERS = "orders"
SCANS = "logistics-scans"
CHATS = "chats"

OrdersEvent = (
    OrderPlaced | OrderPaid | OrderShipped | OrderCompleted | OrderCancelled | RefundRequested | RefundRejected
    | RefundSettled | DisputeOpened | OrderEscalationVoided
)  # fmt: skip
ChatsEvent = (
    ChatMessage | InterventionRequested | ComplaintFiled | TicketOpened | TicketResponded | TicketPaused
    | TicketResumed | ChatEscalationVoided
)  # fmt: skip
AnyEvent = OrdersEvent | ChatsEvent | Scan

#: The events of each topic.
EVENTS: dict[str, tuple[type[Event], ...]] = {
    ORDERS: (
        OrderPlaced, OrderPaid, OrderShipped, OrderCompleted, OrderCancelled, RefundRequested, RefundRejected,
        RefundSettled, DisputeOpened, OrderEscalationVoided,
    ),
    SCANS: (Scan,),
    CHATS: (
        ChatMessage, InterventionRequested, ComplaintFiled, TicketOpened, TicketResponded, TicketPaused,
        TicketResumed, ChatEscalationVoided,
    ),
}  # fmt: skip


def record_key(event: AnyEvent) -> str:
    """The key that the record of `event` must have on its topic."""
    # On the path of every event: the class itself is compared, which is quicker than to ask for an instance.
    if type(event) is Scan:
        return event.tracking_no
    order_id: str | None = event.order_id  # type: ignore[union-attr]
    if order_id is not None:
        return order_id
    conversation = getattr(event, "conversation_id", None)
    if conversation is not None:
        return str(conversation)
    for field in ("ticket_id", "complaint_id", "intervention_id", "escalation_id"):
        own = getattr(event, field, None)
        if own is not None:
            return str(own)
    raise AssertionError(f"an event without an id of its own: {type(event).__name__}")
