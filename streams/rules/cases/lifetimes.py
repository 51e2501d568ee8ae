"""Lifetimes of the things in a case, and which lifetime an event falls into.

An order's life runs from the first event that names it to the last instant at which it is known; a later event begins
another life. Tickets, escalations without an order and conversations have lives of their own.
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.times import AFTER_ALL
from streams.policy.model import Policy
from streams.rules.cases.case import DISPUTE, KINDS, TICKET_TIMEOUT, Case, Shipping
from streams.rules.cases.ttl import order_end, ticket_end
from streams.rules.facts import Fact
from streams.rules.orders import tickets
from streams.rules.orders.aftersales_window import asks, is_closed
from streams.rules.orders.escalations import Voiding
from streams.rules.orders.ship_by import Order
from streams.rules.orders.tickets import Ticket

#: Time, topic rank, event id, digest: the sort order of events.
Position = tuple[int, int, str, bytes]

_TIMEOUT = f"{KINDS[TICKET_TIMEOUT]}/"
_DISPUTE = f"{KINDS[DISPUTE]}/"
_LAST = 2
_NEVER: Position = (AFTER_ALL, _LAST, "", b"")


def parts(whole: Case) -> Iterator[Case]:
    """The ended parts of a case in order of their end, then the current one."""
    yield from whole.past
    yield whole


def end_of_order(case: Case, policy: Policy) -> int:
    """The last instant at which the order is known, in microseconds. Requires a known order."""
    if case.end is not None:
        return case.end
    order = case.order
    latest = case.last
    if order.completed is None and order.cancelled is None:
        facts: list[Fact | None] = [order.placed, order.paid, *order.shipped]
        for refund in case.refunds.values():
            facts += (refund.requested, refund.rejected, refund.settled)
        times = [fact.time for fact in facts if fact is not None]
        times += [one.time for _, one in case.escalations if one.order_id is not None]
        latest = max(times if latest is None else (*times, latest))
    return order_end(order, latest or 0, policy)


def life_at(whole: Case, time: int, policy: Policy) -> Case | None:
    """The order's life at an instant (microseconds), or None if it is not known then."""
    for one in whole.past:
        if one.start is not None and one.end is not None and time <= one.end:
            return one
    if whole.knows_order and not _surely_known(whole, time, whole.last, policy) and time > end_of_order(whole, policy):
        return None
    return whole


def _surely_known(case: Case, time: int, event: int | None, policy: Policy) -> bool:
    """Whether the order is known by one of its events alone, without a look at all that its end depends on."""
    return case.end is None and event is not None and time <= order_end(case.order, event, policy)


def end_of_escalation(whole: Case, case: Case, name: str, policy: Policy) -> int:
    """The last instant at which an escalation without an order is known by its `KIND/ID`: by its first voiding.

    Microseconds.
    """
    keep = policy.keeping.escalation
    begun = place_of(case, name, policy) or _NEVER
    end = begun[0] + keep
    for voiding in whole.voidings.get(name, ()):
        if voiding > begun:
            return voiding.time + keep if voiding.time <= end else end
        if _waits(whole, case, name, voiding, begun, policy):
            break
    return end


def shippings(whole: Case) -> list[Shipping]:
    """The parcels of all lives of the order."""
    found = []
    for life in parts(whole):
        of_order = of_its_order(life.order)
        found += [Shipping(fact, whole.key, *of_order) for fact in life.order.shipped]
    return found


def of_its_order(order: Order) -> tuple[int | None, str | None, int | None]:
    """What the shipments know of a parcel's order: when it was placed, its destination, when it was paid."""
    placed, paid = order.placed, order.paid
    return (
        placed.time if placed is not None else None,
        placed.ship_to_region if placed is not None else None,
        paid.time if paid is not None else None,
    )


def voided_at(whole: Case, case: Case, name: str, begun: Position, policy: Policy) -> int | None:
    """When the escalation of that `KIND/ID` is voided, in microseconds, or None; `begun`: its position.

    Either by a voiding that arrived first and waited for it, or by the first one while it is known.
    """
    known = whole.voidings.get(name)
    if not known:
        return None
    for voiding in known:
        if voiding > begun:
            return voiding.time if _is_known(whole, case, name, voiding.time, begun[0], policy) else None
        if _waits(whole, case, name, voiding, begun, policy):
            return voiding.time
    return None


def _is_known(whole: Case, case: Case, name: str, time: int, begun: int, policy: Policy) -> bool:
    """Whether the escalation of that `KIND/ID`, which the case holds since `begun`, is known at an instant."""
    found = case.escalations_of(name)
    if found and found[0].order_id is not None and _surely_known(case, time, begun, policy):
        return True
    return time <= known_until(whole, case, name, policy)


def known_until(whole: Case, case: Case, name: str, policy: Policy) -> int:
    """The last instant at which the escalation of that `KIND/ID`, which the case holds, is known; in microseconds."""
    if case.end is not None:
        return case.end
    if name.startswith(_TIMEOUT):
        return ticket_end(case.tickets[name.removeprefix(_TIMEOUT)], policy)
    if any(one.order_id is not None for one in case.escalations_of(name)):
        return end_of_order(case, policy)
    return end_of_escalation(whole, case, name, policy)


def _waits(whole: Case, case: Case, name: str, voiding: Voiding, begun: Position, policy: Policy) -> bool:
    """True if a voiding before an escalation waits for it, having matched no earlier one of that name."""
    if begun[0] - voiding.time > policy.keeping.voiding:
        return False
    for one in whole.past:
        if one is case:
            break
        before = place_of(one, name, policy)
        if before is not None and one.end is not None and before < voiding and voiding.time <= one.end:
            return False
    return True


def place_of(case: Case, name: str, policy: Policy) -> Position | None:
    """The event position of the escalation `KIND/ID`, or None if the case does not hold it."""
    if name.startswith(_TIMEOUT):
        ticket = case.tickets.get(name.removeprefix(_TIMEOUT))
        due = None if ticket is None else timed_out_while_known(ticket, policy)
        # Deadlines are judged after the events at their instant.
        return None if due is None else (due, _LAST, "", b"")
    rank = 0 if name.startswith(_DISPUTE) else 1
    return next(((one.time, rank, one.event_id, one.digest) for one in case.escalations_of(name)), None)


def timed_out_while_known(ticket: Ticket, policy: Policy) -> int | None:
    """When the ticket times out, in microseconds; None if it is no longer known by then, or never does."""
    due = tickets.timed_out_at(ticket, policy)
    return due if due is not None and due <= ticket_end(ticket, policy) else None


def is_ticket_closed(whole: Case, ticket: Ticket, policy: Policy) -> bool:
    """True if the ticket was opened after its order's after-sales window had closed."""
    if ticket.closed is not None:
        return ticket.closed
    opened = ticket.opened
    if opened is None or not asks(opened):
        return False
    life = life_at(whole, opened.time, policy)
    return life is not None and is_closed(life.order, opened.time, None, policy.aftersales)
