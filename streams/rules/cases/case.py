"""The state under one record key, and the output already emitted from it.

An order and its chats share a key; a conversation, ticket or complaint without an order has its own.
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
#: Not in the help rate: a tally only.
TALLIED = -1
#: Name prefix of an order's deltas when each order counts once.
ONCE = "once/"
#: Counts only for its item, or only for the main category.
ASIDE = -2


class Delta(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A change of one shop's hour, as of the boundary `effective` (both microseconds, on the hour).

    `items`: an order's distinct items, or the one item, if known, that an escalation is about, or an order escalated
    for. `categories`: an order's lines by category. `linked`: the escalation's order had a late shipment or a stalled
    parcel. `closed`: its after-sales window was closed. `tally`: see `streams.rules.help_rate.tally_names`.
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
    """The deltas emitted for one order or escalation. `final`: its source state has been evicted."""

    delta: Delta
    voided: bool = False
    final: bool = False


class Standing(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """An escalation of an order, where each order counts once. `ended`: the boundary as of which it is voided.

    `item_id`: its item, if any. Microseconds, on the hour.
    """

    shop_id: str
    item_id: str | None
    hour: int
    ended: int | None


class Deferred(msgspec.Struct, array_like=True, gc=False):
    """An event that cannot be applied yet; see `streams.rules.cases.eviction`. `fact`: in MessagePack."""

    time: int
    event_id: str
    digest: bytes
    slot: str
    identity: str
    of_order: bool
    fact: bytes


class Shipping(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A parcel of an order, as the shipments know it. `placed`, `paid`: when the order was, in microseconds."""

    fact: Shipped
    order_id: str
    placed: int | None
    ship_to_region: str | None
    paid: int | None = None

    @property
    def name(self) -> tuple[str, str, str, int, str, bytes]:
        """The parcel, the order, and the place of the event."""
        return self.fact.carrier, self.fact.tracking_no, self.order_id, *self.fact.place


#: Most events under one record key of orders and chats: what a worker can keep and re-read for one key. A real order
#: has a few dozen. Events beyond that become dead letters (`key_too_large`).
MOST_OF_A_KEY = 64_000


class Case(msgspec.Struct, array_like=True, dict=True):
    """All facts under one record key: an order and its chats, or a conversation, ticket, complaint of its own.

    `start`, `last`: the first event that named the order, and the last one that is not a fact with its own id.
    `past`: ended parts that wait for the watermarks to pass their end; each order life, ticket, escalation or
    conversation there is a case of its own, with the `end` up to which it was known. All times are microseconds.
    """

    key: str
    order: Order = msgspec.field(default_factory=Order)
    tickets: dict[str, Ticket] = msgspec.field(default_factory=dict)
    disputes: dict[str, Escalation] = msgspec.field(default_factory=dict)
    complaints: dict[str, Escalation] = msgspec.field(default_factory=dict)
    requests: dict[str, Intervention] = msgspec.field(default_factory=dict)
    messages: dict[str, Intervention] = msgspec.field(default_factory=dict)
    #: By `KIND/ID` of an escalation, its voidings in order.
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
    #: Deferred shippings as the shipments know them.
    ahead: list[Shipping] = msgspec.field(default_factory=list)
    #: Where each order counts once: escalations of the order whose other state, or item, has been evicted; see
    #: `streams.rules.cases.escalation_spans`.
    standing: dict[str, Standing] = msgspec.field(default_factory=dict)
    #: Events taken under the key since its state began, not counting repeats.
    taken: int = 0

    @cached_property
    def shippings_deferred(self) -> int:
        """Number of deferred shippings; derived, not stored."""
        return sum(one.slot == "order.shipped" for one in self.deferred)

    @property
    def escalations(self) -> Iterator[tuple[str, Escalation | Intervention]]:
        """All escalations that have an event of their own, by `KIND/ID`."""
        for kind, known in (
            (DISPUTE, self.disputes),
            (COMPLAINT, self.complaints),
            (INTERVENTION, self.requests),
            (INTERVENTION, self.messages),
        ):
            for identity, one in known.items():
                yield f"{KINDS[kind]}/{identity}", one

    def escalations_of(self, name: str) -> list[Escalation | Intervention]:
        """Those of one `KIND/ID`, in the order of `escalations`, without a look at the others."""
        kind, _, identity = name.partition("/")
        match kind:
            case "dispute":
                found: list[Escalation | Intervention | None] = [self.disputes.get(identity)]
            case "complaint":
                found = [self.complaints.get(identity)]
            case "intervention":
                found = [self.requests.get(identity), self.messages.get(identity)]
            case _:
                found = []
        return [one for one in found if one is not None]

    @property
    def knows_order(self) -> bool:
        """True if the case holds order state that can be evicted."""
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
