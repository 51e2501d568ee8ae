"""Marks events that changed nothing with the event that they repeat."""

from __future__ import annotations

from collections.abc import Iterator

from streams.explain.facts import At
from streams.explain.rows import Mark, Row
from streams.explain.watch import Watch
from streams.policy.model import Policy
from streams.rules.cases.case import Case
from streams.rules.conversations import replies
from streams.rules.conversations.replies import Message
from streams.rules.orders.tickets import Ticket

_Place = tuple[int, str, bytes]


def mark_repeats(watch: Watch, rows: list[Row]) -> None:
    """Marks the rows that are repeats, or have no effect of their own."""
    lives = [life for known in watch.kept.cases.values() for life in known]
    repeated = {place: first for life in lives for place, first in _repeated(life, watch.policy)}
    idle = {place for life in lives for ticket in life.tickets.values() for place in _idle(ticket)}
    for row in rows:
        if row.left_out:
            continue
        # Messages of one id are known by it for some time only, so of two of them both may hold.
        holder = watch.holder(row) if row.type != "chat.message" or not row.fresh else None
        if holder is not None:
            row.marks.append(Mark("repeat", {"event": holder.event_id, "at": At(holder.time)}))
        elif row.place in repeated:
            row.marks.append(Mark("repeat", {"event": row.event_id, "at": At(repeated[row.place])}))
        elif not row.fresh or row.place in idle:
            row.marks.append(Mark("no_effect", {}))


def _repeated(life: Case, policy: Policy) -> Iterator[tuple[_Place, int]]:
    """The places of messages that repeat another, with that one's time."""
    for conversation in life.conversations.values():
        new = {message.place: message for message in replies.new_messages(conversation.messages, policy)}
        last: dict[str, Message] = {}
        for message in conversation.messages:
            if message.place in new:
                last[message.event_id] = message
            elif message.event_id in last:
                yield message.place, last[message.event_id].time


def _idle(ticket: Ticket) -> Iterator[_Place]:
    """Pauses of a paused ticket, and resumes of a running one."""
    paused = False
    for switch in ticket.switches:
        if switch.paused == paused:
            yield switch.place
        paused = switch.paused
