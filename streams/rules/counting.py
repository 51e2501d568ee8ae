"""What one record key adds to its shop's hours: its order, its escalations, and what takes them back.

An escalation counts in the hour of its own time, as of the next boundary; a voiding takes it away as of the boundary
after the voiding. What was sent is kept, so that a late fact sends the difference.
"""

from __future__ import annotations

import msgspec

from schemas.times import HOUR
from streams.policy.model import Policy
from streams.rules import aftersales, orders, tallies, tickets
from streams.rules.aftersales import is_closed
from streams.rules.conversations import Conversation
from streams.rules.distinct import Span, moves
from streams.rules.escalations import Escalation
from streams.rules.interventions import Intervention, counted
from streams.rules.orders import Order
from streams.rules.reconcile import Emitted, Expected
from streams.rules.refunds import Refund
from streams.rules.tickets import Ticket

ORDER, DISPUTE, COMPLAINT, INTERVENTION, TICKET_TIMEOUT, DISTINCT_ORDER = range(6)
KINDS = ("order", "dispute", "complaint", "intervention", "ticket_timeout")
#: Counts nowhere in the help rate: there is a tally alone.
TALLIED = -1
#: Counts for its item, or for the main category, alone.
ASIDE = -2


class Delta(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A change of one shop's hour, as of the boundary `effective` (both microseconds, on the hour).

    `items`: an order's distinct items, or the one item, if known, for whose rate an escalation counts, or an order that
    escalated. `categories`: an order's lines by category. `linked`: the escalation's order had a late shipment or a
    stalled parcel. `closed`: its after-sales window was closed. `tally`: what a tally counts (`streams.rules.tallies`).
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
    """What was sent of one order or escalation."""

    delta: Delta
    voided: bool = False


class Case(msgspec.Struct, array_like=True):
    """All facts under one record key: an order and its chats, or a conversation, ticket, complaint of its own."""

    key: str
    order: Order = msgspec.field(default_factory=Order)
    tickets: dict[str, Ticket] = msgspec.field(default_factory=dict)
    disputes: dict[str, Escalation] = msgspec.field(default_factory=dict)
    complaints: dict[str, Escalation] = msgspec.field(default_factory=dict)
    requests: dict[str, Intervention] = msgspec.field(default_factory=dict)
    messages: dict[str, Intervention] = msgspec.field(default_factory=dict)
    #: `KIND/ID` of an escalation: the first voiding of it.
    voidings: dict[str, int] = msgspec.field(default_factory=dict)
    #: Stalls of the order's shipments by episode: open from, and up to (not including), or None.
    stalls: dict[str, tuple[int, int | None]] = msgspec.field(default_factory=dict)
    emitted: list[Emitted] = msgspec.field(default_factory=list)
    sent: dict[str, Counted] = msgspec.field(default_factory=dict)
    refunds: dict[str, Refund] = msgspec.field(default_factory=dict)
    conversations: dict[str, Conversation] = msgspec.field(default_factory=dict)


def hour_of(time: int) -> int:
    """The start of the hour that `time` is in, in microseconds."""
    return time - time % HOUR


def expected(case: Case, policy: Policy) -> dict[str, tuple[int, Delta, int | None]]:
    """By identity: (time, what it adds, time of its voiding or None), for all that counts, past and to come."""
    result: dict[str, tuple[int, Delta, int | None]] = {}
    placed = case.order.placed
    rate = policy.help_rate
    _expect_order(result, case.order, over_paid=rate.over == "paid")
    #: By shop and item (None: the order as a whole), the escalations of the order, where it counts once.
    spans: dict[tuple[str, str | None], list[Span]] = {}
    late: list[Expected] = []
    if case.disputes or case.complaints or case.requests or case.messages or case.tickets:
        late = [one for one in orders.expected(case.key, case.order, policy) if one.type == orders.SHIP_LATE]

    def add(
        kind: int,
        identity: str,
        time: int,
        shop_id: str,
        order_id: str | None,
        item: str | None,
        *,
        closed: bool = False,
    ) -> None:
        if item is None and order_id is not None and placed is not None and placed.time <= time:
            item = case.order.single_item
        linked = order_id is not None and (
            any(opened <= time and (ended is None or time < ended) for opened, ended in case.stalls.values())
            or any(one.raised <= time and (one.resolved is None or time < one.resolved) for one in late)
        )
        hour = hour_of(time)
        voided = case.voidings.get(f"{KINDS[kind]}/{identity}")
        rated = KINDS[kind] in rate.counted
        if rate.distinct_orders:
            if rated and order_id is not None:
                span = Span(hour, hour_of(voided) + HOUR if voided is not None else None)
                for of_item in (None,) if item is None else (None, item):
                    spans.setdefault((shop_id, of_item), []).append(span)
            rated = False
        items = (item,) if rated and item is not None else ()
        delta = Delta(shop_id, hour + HOUR, hour, kind, 1, items, (), linked, closed)
        result[f"{KINDS[kind]}/{identity}"] = (time, delta, voided)

    for kind, escalations in ((DISPUTE, case.disputes), (COMPLAINT, case.complaints)):
        for identity, one in escalations.items():
            closed = one.order_id is not None and is_closed(case.order, one.time, one.item_id, policy.aftersales)
            add(kind, identity, one.time, one.shop_id, one.order_id, one.item_id, closed=closed)
    if case.requests or case.messages:
        for asked in counted((*case.requests.values(), *case.messages.values()), policy.interventions):
            add(INTERVENTION, asked.intervention_id, asked.time, asked.shop_id, asked.order_id, asked.item_id)
    for identity, ticket in case.tickets.items():
        timed_out = tickets.timed_out_at(ticket, policy)
        if timed_out is not None and ticket.opened is not None:
            opened = ticket.opened
            closed = aftersales.asks(opened) and is_closed(case.order, opened.time, None, policy.aftersales)
            add(TICKET_TIMEOUT, identity, timed_out, opened.shop_id, opened.order_id, None, closed=closed)
    for identity, refund in case.refunds.items():
        requested = refund.requested
        if requested is not None:
            tally = tallies.tally(tallies.REFUND_REASONS, requested.kind, requested.reason)
            result[f"refund/{identity}"] = (requested.time, tallied(requested.shop_id, requested.time, tally), None)
    for (shop_id, item), known in spans.items():
        kind, items = (DISTINCT_ORDER, ()) if item is None else (ASIDE, (item,))
        for boundary, hour, sign in moves(known):
            # All that it takes is known once the events before the boundary are.
            delta = Delta(shop_id, boundary, hour, kind, sign, items)
            result[str(("distinct", shop_id, item, boundary, hour, sign))] = (boundary - 1, delta, None)
    return result


def _expect_order(result: dict[str, tuple[int, Delta, int | None]], order: Order, *, over_paid: bool) -> None:
    """The order itself, where it was placed, or where it was paid; its lines count where it was placed."""
    placed = order.placed
    categories: tuple[tuple[str, int], ...] = ()
    if placed is not None:
        lines: dict[str, int] = {}
        for _, category in placed.items:
            lines[category] = lines.get(category, 0) + 1
        categories = tuple(sorted(lines.items()))
        if over_paid:
            hour = hour_of(placed.time)
            result["lines"] = (placed.time, Delta(placed.shop_id, hour + HOUR, hour, ASIDE, 1, (), categories), None)
            categories = ()
    counted_at = order.paid if over_paid else placed
    if counted_at is not None:
        hour = hour_of(counted_at.time)
        known = placed is not None and placed.time <= counted_at.time
        items = tuple(dict.fromkeys(item for item, _ in placed.items)) if placed is not None and known else ()
        delta = Delta(counted_at.shop_id, hour + HOUR, hour, ORDER, 1, items, categories)
        result["order"] = (counted_at.time, delta, None)


def tallied(shop_id: str, time: int, tally: str, sign: int = 1) -> Delta:
    """What something at `time` (microseconds) adds to a tally alone, or takes from it."""
    hour = hour_of(time)
    return Delta(shop_id, hour + HOUR, hour, TALLIED, sign, tally=tally)


def topics(case: Case, settled: int, policy: Policy) -> tuple[list[Delta], int | None]:
    """What the buyers' messages add to the tallies now, and the least time at which there is more."""
    now: list[Delta] = []
    least: int | None = None
    for conversation in case.conversations.values():
        changes, later = conversation.changes(settled, policy)
        for change in changes:
            tally = tallies.tally(tallies.CONVERSATION_TOPICS, change.topic)
            now.append(tallied(change.shop_id, change.time, tally, change.sign))
        if later is not None and (least is None or later < least):
            least = later
    return now, least


def difference(case: Case, watermark: int, settled: int, policy: Policy) -> tuple[list[Delta], int | None]:
    """What to send to the shops now, and the least time at which there is more; `case.sent` is brought up to date."""
    now: list[Delta] = []
    later: list[int] = []
    wanted = expected(case, policy)
    for identity, known in list(case.sent.items()):
        one = wanted.get(identity)
        if one is None or one[1] != known.delta or not _is_past(one[0], one[1], watermark, settled):
            # A late fact changed it, or moved it into what is not settled yet.
            if not known.voided:
                now.append(_reversed(known.delta, known.delta.effective))
            del case.sent[identity]
    for identity, (time, delta, voided_at) in wanted.items():
        if not _is_past(time, delta, watermark, settled):
            later.append(time)
            continue
        void = None
        if voided_at is not None:
            if voided_at < settled:
                void = hour_of(voided_at) + HOUR
            else:
                later.append(voided_at)
        sent = case.sent.get(identity)
        if sent is None:
            sent = case.sent[identity] = Counted(delta)
            if void is not None and void <= delta.effective:
                sent.voided = True
            else:
                now.append(delta)
        if void is not None and not sent.voided:
            sent.voided = True
            now.append(_reversed(delta, void))
    return now, min(later, default=None)


def _is_past(time: int, delta: Delta, watermark: int, settled: int) -> bool:
    """A ticket's timeout is a deadline, the others are events."""
    return time < (watermark if delta.kind == TICKET_TIMEOUT else settled)


def _reversed(delta: Delta, effective: int) -> Delta:
    return msgspec.structs.replace(delta, effective=effective, sign=-delta.sign)
