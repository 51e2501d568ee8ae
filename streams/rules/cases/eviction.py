"""Eviction: ended state moves into the past, and is dropped once the watermarks have passed its end.

Events arrive in any order, so whether an event still finds something is certain only once everything up to its end is
settled. Until then the event may have to be deferred. Two claims keep that short:

- An event at or before the currently known end belongs to that life, whatever arrives: only a missing fact could bring
  the end forward, and that fact's time is not settled, so the end would still lie at least the shortest retention after
  `settled`. Events further ahead than that are deferred too.
- An event after the end starts a new life once everything up to the end is settled, and not before.

This costs nothing while nothing ends.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from schemas.times import AFTER_ALL, HOUR
from streams.policy.model import Policy
from streams.rules.cases.apply import Entry, put_fact, ship, unpacked
from streams.rules.cases.case import KINDS, TICKET_TIMEOUT, Case
from streams.rules.cases.escalation_spans import standing
from streams.rules.cases.expiry import named, things
from streams.rules.cases.lifetimes import (
    is_ticket_closed,
    life_at,
    parts,
    place_of,
    timed_out_while_known,
)
from streams.rules.conversations.interventions import counted
from streams.rules.orders.aftersales_window import REVIEW, TICKET
from streams.rules.orders.ship_by import Shipped
from streams.rules.orders.tickets import Ticket
from streams.rules.reconcile import Emitted
from streams.rules.windows import LONGEST

_TIMEOUT = KINDS[TICKET_TIMEOUT]
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Case).decode


class Wait(NamedTuple):
    """The event must wait until events at `time` (microseconds) are settled."""

    time: int


def admit(case: Case, entry: Entry, settled: int, policy: Policy) -> Case | Wait:
    """The order life (or case) to apply the event to, or what it has to wait for.

    Events before `settled` (microseconds) are known. Moves ended state into the past, so that the event does not find
    it.
    """
    time = entry.fact.time
    if time > settled + policy.keeping.least:
        return Wait(time - policy.keeping.least)
    if entry.of_order:
        for one in case.past:
            if one.start is not None and one.end is not None and time <= one.end:
                return one
    over = [thing for thing in named(case, entry, policy) if time > thing.end]
    for thing in over:
        if thing.end >= settled:
            return Wait(thing.end)
    for thing in over:
        thing.close()
    return case


def close_over(case: Case, settled: int, policy: Policy) -> int | None:
    """Moves ended state into the past. Returns the earliest end of the rest, in microseconds."""
    least: int | None = None
    for thing in list(things(case, policy)):
        if thing.end < settled:
            thing.close()
        elif least is None or thing.end < least:
            least = thing.end
    return least


def next_end(case: Case, policy: Policy) -> int | None:
    """The earliest end of what is in the case, in microseconds."""
    return min((thing.end for thing in things(case, policy)), default=None)


def foreseen(case: Case, policy: Policy) -> Case:
    """A copy with all deferred events applied, as if no more events came."""
    copy = _decode(_encode(case))
    for deferred in copy.deferred:
        entry = unpacked(deferred)
        life = admit(copy, entry, AFTER_ALL, policy)
        if isinstance(life, Wait):
            continue
        if isinstance(entry.fact, Shipped):
            ship(life, entry.fact, AFTER_ALL)
        else:
            put_fact(copy, life, entry, AFTER_ALL, AFTER_ALL, policy)
    return copy


def rest(past: Case, policy: Policy) -> int:
    """Until when a past part must be kept: its end, or the repeat interval of its interventions if that is later."""
    end = past.end if past.end is not None else 0
    near = round(policy.interventions.repeat_hours * HOUR)
    asked = (*past.requests.values(), *past.messages.values())
    return max([end, *(one.time + near for one in asked if one.conversation_id is not None)])


def drop(case: Case, past: Case, policy: Policy) -> None:
    """Evicts a past part. Counts derived from it stand."""
    if policy.help_rate.distinct_orders:
        _keep_standing(case, past, policy)
    names = [name for name, _ in past.escalations] + [f"{_TIMEOUT}/{identity}" for identity in past.tickets]
    for name in names:
        begun, end = place_of(past, name, policy), past.end
        if begun is not None and end is not None and name in case.voidings:
            # These matched it, so they wait for no other escalation.
            case.voidings[name] = [one for one in case.voidings[name] if not (begun < one and one.time <= end)]
    if past.start is not None:
        for part in parts(case):
            for identity, ticket in part.tickets.items():
                opened, timed_out = ticket.opened, timed_out_while_known(ticket, policy)
                if opened is not None and life_at(case, opened.time, policy) is past:
                    ticket.closed = is_ticket_closed(case, ticket, policy)
                sent = part.sent.get(f"{_TIMEOUT}/{identity}")
                if sent is not None and timed_out is not None and life_at(case, timed_out, policy) is past:
                    sent.final = True
    for identity, ticket in past.tickets.items():
        # The review alert it raised is kept with the order, which may live longer.
        for part in parts(case):
            part.emitted = [sent for sent in part.emitted if not _is_review_of(sent, identity, ticket)]
    _keep_near(case, past, policy)
    case.past = [one for one in case.past if one is not past]


def _keep_standing(case: Case, past: Case, policy: Policy) -> None:
    """Keeps its standing escalations, and the item of tickets that timed out in this life of the order."""
    case.standing.update(standing(past, case, policy))
    if past.start is None:
        return
    for part in parts(case):
        for identity, ticket in part.tickets.items():
            time = timed_out_while_known(ticket, policy)
            if time is not None and life_at(case, time, policy) is past:
                name = f"{_TIMEOUT}/{identity}@{time}"
                case.standing.update((key, one) for key, one in standing(part, case, policy) if key == name)


def _is_review_of(sent: Emitted, ticket_id: str, ticket: Ticket) -> bool:
    return (
        sent.type == REVIEW
        and sent.anchor == f"{TICKET}/{ticket_id}"
        and ticket.opened is not None
        and sent.raised == ticket.opened.time
    )


def _keep_near(case: Case, past: Case, policy: Policy) -> None:
    """Marks interventions not counted because of an evicted one, so that they never count."""
    gone = {id(one) for one in (*past.requests.values(), *past.messages.values())}
    if not gone:
        return
    asked = [one for part in parts(case) for one in (*part.requests.values(), *part.messages.values())]
    counts = counted(asked, policy.interventions)
    known = {id(one) for one in counts}
    near = round(policy.interventions.repeat_hours * HOUR)
    for one in asked:
        if id(one) not in known | gone and any(
            before.conversation_id == one.conversation_id and 0 <= one.time - before.time < near
            for before in counts
            if id(before) in gone
        ):
            one.near = True


def prune(case: Case, settled: int, policy: Policy) -> int | None:
    """Drops obsolete voidings and stalls. Returns when the next become obsolete, in microseconds, or None.

    `settled`: up to where everything is counted.
    """
    later: list[int] = []
    known = {name for part in parts(case) for name, _ in part.escalations}
    known |= {f"{_TIMEOUT}/{identity}" for part in parts(case) for identity in part.tickets}
    for name, voidings in list(case.voidings.items()):
        if name not in known:
            kept = [one for one in voidings if one.time + policy.keeping.voiding >= settled]
            if kept:
                case.voidings[name] = kept
                later.append(kept[0].time + policy.keeping.voiding)
            else:
                del case.voidings[name]
    if case.stalls and not known and not case.knows_order:
        ends = {episode: ended for episode, (_, ended) in case.stalls.items()}
        for episode, ended in ends.items():
            if ended is not None and ended < settled:
                del case.stalls[episode]
            elif ended is not None:
                later.append(ended)
    for name, conversation in list(case.conversations.items()):
        if conversation.is_empty:
            del case.conversations[name]
    if case.standing:
        # An escalation older than every window has no effect.
        case.standing = {name: one for name, one in case.standing.items() if one.hour + LONGEST >= settled}
        later += (one.hour + LONGEST for one in case.standing.values())
    return min(later, default=None)


def is_empty(case: Case) -> bool:
    """True if nothing is left that a later event could find."""
    return not (
        case.past
        or case.deferred
        or case.tickets
        or case.voidings
        or case.stalls
        or case.conversations
        or case.standing
        or case.knows_order
        or any(True for _ in case.escalations)
    )
