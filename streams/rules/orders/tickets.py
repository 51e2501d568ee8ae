"""Tickets that are due soon or timed out. A ticket's clock stops while it is paused."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from typing import Any

import msgspec

from schemas.times import HOUR, render
from streams.policy.model import Policy
from streams.rules.alert import MERCHANT, RAISED
from streams.rules.facts import Fact
from streams.rules.reconcile import Expected

DUE_SOON = "ticket.due_soon"
TIMED_OUT = "ticket.timed_out"


class Opened(Fact, array_like=True, kw_only=True, gc=False):
    """`respond_by` in microseconds, if agreed."""

    kind: str
    respond_by: int | None = None
    order_id: str | None = None


class Switch(msgspec.Struct, array_like=True, gc=False):
    """A pause or a resume."""

    time: int
    event_id: str
    digest: bytes
    paused: bool

    @property
    def place(self) -> tuple[int, str, bytes]:
        return self.time, self.event_id, self.digest


class Ticket(msgspec.Struct, array_like=True):
    """What is known of one ticket; `switches` in order.

    `closed`: whether it was opened after the after-sales window of an order that has since expired.
    """

    opened: Opened | None = None
    responded: Fact | None = None
    switches: list[Switch] = msgspec.field(default_factory=list)
    closed: bool | None = None

    def add_switch(self, switch: Switch) -> bool:
        """Adds a pause or resume. False: known already."""
        place = bisect_left(self.switches, switch.place, key=lambda known: known.place)
        if place < len(self.switches) and self.switches[place].place == switch.place:
            return False
        self.switches.insert(place, switch)
        return True


def ticket_alerts(record_key: str, ticket_id: str, ticket: Ticket, policy: Policy) -> list[Expected]:
    """All alerts for the ticket, past and future."""
    opened = ticket.opened
    if opened is None:
        return []
    allowed = _allowed(opened, policy)
    alerts = []
    for kind, running in ((DUE_SOON, allowed * policy.tickets.due_soon_percent // 100), (TIMED_OUT, allowed)):
        deadline = _after(opened.time, running, ticket.switches)
        if deadline is None:
            continue
        resolved = ticket.responded.time if ticket.responded is not None else None
        if resolved is not None and resolved <= deadline:
            continue
        alerts.append(
            Expected(
                type=kind,
                subject=ticket_id,
                anchor=f"{record_key}/{ticket_id}",
                episode=_episode(record_key, ticket_id, deadline),
                raised=deadline,
                resolved=resolved,
                resolution="responded" if resolved is not None else None,
                resolved_by_deadline=False,
                audiences=(MERCHANT,),
                shop_id=opened.shop_id,
                order_id=opened.order_id,
                carrier=None,
                evidence=_evidence(ticket, opened, allowed, deadline),
            )
        )
    return alerts


def _episode(record_key: str, ticket_id: str, deadline: int) -> Callable[[], str]:
    """The deadline distinguishes it from a later ticket with the same id, once this one has expired."""
    return lambda: f"{record_key}/{ticket_id}/{render(deadline)}"


def due_at(ticket: Ticket, policy: Policy) -> int | None:
    """When the ticket is due; None if it was never opened or its last pause has no end."""
    if ticket.opened is None:
        return None
    return _after(ticket.opened.time, _allowed(ticket.opened, policy), ticket.switches)


def timed_out_at(ticket: Ticket, policy: Policy) -> int | None:
    """When, in microseconds, the ticket times out; None if it is answered by then or never due."""
    due = due_at(ticket, policy)
    if due is None or (ticket.responded is not None and ticket.responded.time <= due):
        return None
    return due


def _allowed(opened: Opened, policy: Policy) -> int:
    """The time allowed for an answer; zero if it ends before the ticket opens."""
    if opened.respond_by is not None:
        return max(0, opened.respond_by - opened.time)
    hours = {
        "urge_shipping": policy.tickets.urge_shipping_hours,
        "after_sales": policy.tickets.after_sales_hours,
        "other": policy.tickets.other_hours,
    }[opened.kind]
    return round(hours * HOUR)


def _after(start: int, running: int, switches: list[Switch]) -> int | None:
    """When the clock has run for `running` microseconds since `start`; None if it stops for good before that.

    A pause at the very instant of the deadline holds it: nothing falls due while the ticket is paused.
    """
    deadline = start + running
    paused_since: int | None = None
    for switch in switches:
        if switch.paused:
            if paused_since is None:
                if max(switch.time, start) > deadline:
                    return deadline
                paused_since = max(switch.time, start)
        elif paused_since is not None:
            deadline += max(0, switch.time - paused_since)
            paused_since = None
    return deadline if paused_since is None else None


def _evidence(ticket: Ticket, opened: Opened, allowed: int, deadline: int) -> Callable[[str], dict[str, Any]]:
    def evidence(status: str) -> dict[str, Any]:
        # As of the alert's time: later events must not show, or the text would depend on when it was written.
        known = [switch for switch in ticket.switches if switch.time <= deadline]
        due = _after(opened.time, allowed, known)
        facts = {
            "opened_at": render(opened.time),
            "due_at": render(due if due is not None else deadline),
            "kind": opened.kind,
            "order_id": opened.order_id,
        }
        return facts if status == RAISED else {**facts, "raised_at": render(deadline)}

    return evidence
