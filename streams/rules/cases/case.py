"""What is known under one record key, and what was told of it.

An order and its chats bear one key, a conversation, ticket or complaint without an order one of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import msgspec

from streams.rules.conversations.interventions import Intervention
from streams.rules.conversations.replies import Conversation
from streams.rules.orders.escalations import Escalation, Voiding
from streams.rules.orders.refunds import Refund
from streams.rules.orders.ship_by import Order, Shipped
from streams.rules.orders.tickets import Ticket
from streams.rules.reconcile import Emitted

ORDER, DISPUTE, COMPLAINT, INTERVENTION, TICKET_TIMEOUT, DISTINCT_ORDER = range(6)
KINDS = ("order", "dispute", "complaint", "intervention", "ticket_timeout")
#: Counts nowhere in the help rate: there is a tally alone.
TALLIED = -1
#: How the names begin of what an order adds that counts once.
ONCE = "once/"
#: Counts for its item, or for the main category, alone.
ASIDE = -2


class Delta(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A change of one shop's hour, as of the boundary `effective` (both microseconds, on the hour).

    `items`: an order's distinct items, or the one item, if known, that an escalation is about, or an order escalated
    for. `categories`: an order's lines by category. `linked`: the escalation's order had a late shipment or a stalled
    parcel. `closed`: its after-sales window was closed. `tally`: what a tally counts (`streams.rules.tallies`).
    """

    shop_id: str
    effective: int
    hour: int
    kind: int
    sign: int
    items: tuple[str, ...] = ()
    categories: tuple[tuple[str, int], ...] = ()
    linked: bool = False
    closed: bool = False
    tally: str | None = None


class Counted(msgspec.Struct, array_like=True, gc=False):
    """What was sent of one order or escalation. `final`: what it was worked out from is forgotten."""

    delta: Delta
    voided: bool = False
    final: bool = False


class Standing(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """An escalation of an order, where each order counts once. `ended`: the boundary as of which it is taken back.

    `item_id`: its item, where it has one. Microseconds, on the hour.
    """

    shop_id: str
    item_id: str | None
    hour: int
    ended: int | None


class Deferred(msgspec.Struct, array_like=True, gc=False):
    """An event that cannot be put where it belongs yet; see `streams.rules.forgetting`. `fact`: in MessagePack."""

    time: int
    event_id: str
    digest: bytes
    slot: str
    identity: str
    of_order: bool
    fact: bytes


class Shipping(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A parcel of an order as the shipments know it."""

    fact: Shipped
    order_id: str
    placed: int | None
    ship_to_region: str | None

    @property
    def name(self) -> tuple[str, str, str, int, str, bytes]:
        """The parcel, the order, and the place of the event."""
        return self.fact.carrier, self.fact.tracking_no, self.order_id, *self.fact.place


#: Events that one record key of orders and chats may have: what a worker can keep, and read again, for one key. An
#: order of a person has a few dozen. What is beyond is a dead letter (`key_too_large`).
MOST_OF_A_KEY = 64_000


class Case(msgspec.Struct, array_like=True, dict=True):
    """All facts under one record key: an order and its chats, or a conversation, ticket, complaint of its own.

    `start`, `last`: the first event that named the order, and the last one of those that are no facts by their id.
    `past`: what is over, and waits for the watermarks to pass its end; there each order's life, ticket, escalation or
    conversation is a case of its own, with the `end` up to which it was known. All times are microseconds.
    """

    key: str
    order: Order = msgspec.field(default_factory=Order)
    tickets: dict[str, Ticket] = msgspec.field(default_factory=dict)
    disputes: dict[str, Escalation] = msgspec.field(default_factory=dict)
    complaints: dict[str, Escalation] = msgspec.field(default_factory=dict)
    requests: dict[str, Intervention] = msgspec.field(default_factory=dict)
    messages: dict[str, Intervention] = msgspec.field(default_factory=dict)
    #: `KIND/ID` of an escalation: its voidings, in order.
    voidings: dict[str, list[Voiding]] = msgspec.field(default_factory=dict)
    #: Stalls of the order's shipments by episode: open from, and up to (not including), or None.
    stalls: dict[str, tuple[int, int | None]] = msgspec.field(default_factory=dict)
    emitted: list[Emitted] = msgspec.field(default_factory=list)
    sent: dict[str, Counted] = msgspec.field(default_factory=dict)
    refunds: dict[str, Refund] = msgspec.field(default_factory=dict)
    conversations: dict[str, Conversation] = msgspec.field(default_factory=dict)
    start: int | None = None
    last: int | None = None
    end: int | None = None
    past: list[Case] = msgspec.field(default_factory=list)
    deferred: list[Deferred] = msgspec.field(default_factory=list)
    #: The shippings among what is deferred, by their place, as the shipments know them: when their order was placed,
    #: and where it goes.
    ahead: list[Shipping] = msgspec.field(default_factory=list)
    #: Where each order counts once: escalations of the order of which nothing else is known, or not of what; see
    #: `streams.rules.standing`.
    standing: dict[str, Standing] = msgspec.field(default_factory=dict)
    #: Events that were taken under the key, repeats apart, since something of it is known.
    taken: int = 0

    @cached_property
    def shippings_deferred(self) -> int:
        """How many of what is deferred tell of a parcel; it is no part of what is kept."""
        return sum(one.slot == "order.shipped" for one in self.deferred)

    @property
    def escalations(self) -> Iterator[tuple[str, Escalation | Intervention]]:
        """All that escalates by an event of its own, by `KIND/ID`."""
        for kind, known in (
            (DISPUTE, self.disputes),
            (COMPLAINT, self.complaints),
            (INTERVENTION, self.requests),
            (INTERVENTION, self.messages),
        ):
            for identity, one in known.items():
                yield f"{KINDS[kind]}/{identity}", one

    @property
    def knows_order(self) -> bool:
        """Whether anything is known of an order that may be forgotten."""
        order = self.order
        return (
            order.placed is not None
            or order.paid is not None
            or bool(order.shipped)
            or order.completed is not None
            or order.cancelled is not None
            or bool(self.refunds)
            or any(one.order_id is not None for _, one in self.escalations)
        )
