"""Standing escalations of an order, for policies under which each order counts once.

These are all under its id, in any of its lives, including those whose other state has been evicted: a counted
escalation is kept as long as a window can hold it.
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.times import HOUR
from streams.policy.model import Policy
from streams.rules.cases.case import COMPLAINT, DISPUTE, INTERVENTION, KINDS, TICKET_TIMEOUT, Case, Standing
from streams.rules.cases.distinct_orders import Span
from streams.rules.cases.lifetimes import life_at, parts, place_of, timed_out_while_known, voided_at
from streams.rules.conversations.interventions import Intervention, counted

#: By shop and item (None: the order as a whole), the escalations of the order.
Spans = dict[tuple[str, str | None], list[Span]]


def hour_of(time: int) -> int:
    """The start of the hour that `time` is in, in microseconds."""
    return time - time % HOUR


def spans(whole: Case, policy: Policy) -> Spans:
    """All current and voided escalations of the order, as spans of hours."""
    found = dict(whole.standing)
    for part in parts(whole):
        found.update(standing(part, whole, policy))
    result: Spans = {}
    for one in found.values():
        for item in (None,) if one.item_id is None else (None, one.item_id):
            result.setdefault((one.shop_id, item), []).append(Span(one.hour, one.ended))
    return result


def standing(part: Case, whole: Case, policy: Policy) -> Iterator[tuple[str, Standing]]:
    """The rated escalations of one part of the case, by `KIND/ID@TIME`, since ids may be reused."""
    rated = policy.help_rate.counted

    def one(name: str, time: int, shop_id: str, item: str | None) -> tuple[str, Standing]:
        voided = voided_of(whole, part, name, policy)
        ended = None if voided is None else hour_of(voided) + HOUR
        return f"{name}@{time}", Standing(shop_id, item, hour_of(time), ended)

    for kind, escalations in ((DISPUTE, part.disputes), (COMPLAINT, part.complaints)):
        for identity, known in escalations.items():
            if known.order_id is not None and KINDS[kind] in rated:
                item = known.item_id or single_item(part, known.time)
                yield one(f"{KINDS[kind]}/{identity}", known.time, known.shop_id, item)
    if KINDS[INTERVENTION] in rated and (part.requests or part.messages):
        for asked in interventions(part, whole, policy):
            if asked.order_id is not None:
                item = asked.item_id or single_item(part, asked.time)
                yield one(f"{KINDS[INTERVENTION]}/{asked.intervention_id}", asked.time, asked.shop_id, item)
    if KINDS[TICKET_TIMEOUT] in rated:
        for identity, ticket in part.tickets.items():
            time, opened = timed_out_while_known(ticket, policy), ticket.opened
            if time is not None and opened is not None and opened.order_id is not None:
                name = f"{KINDS[TICKET_TIMEOUT]}/{identity}"
                # Keeps the item known before the order's life was evicted.
                kept = whole.standing.get(f"{name}@{time}")
                item = kept.item_id if kept is not None else single_item(life_at(whole, time, policy), time)
                yield one(name, time, opened.shop_id, item)


def interventions(part: Case, whole: Case, policy: Policy) -> Iterator[Intervention]:
    """The counted interventions of the part; one too close to another in its conversation, in any life, is not."""
    asked = [one for each in parts(whole) for one in (*each.requests.values(), *each.messages.values())]
    if not whole.past:
        yield from counted(asked, policy.interventions)
        return
    mine = {id(one) for one in (*part.requests.values(), *part.messages.values())}
    yield from (one for one in counted(asked, policy.interventions) if id(one) in mine)


def voided_of(whole: Case, part: Case, name: str, policy: Policy) -> int | None:
    """When the escalation of that `KIND/ID` is voided, in microseconds, or None."""
    if name not in whole.voidings:
        return None
    begun = place_of(part, name, policy)
    return None if begun is None else voided_at(whole, part, name, begun, policy)


def single_item(life: Case | None, time: int) -> str | None:
    """The order's item if it was placed by `time` with only one, else None."""
    if life is None or life.order.placed is None or life.order.placed.time > time:
        return None
    return life.order.single_item
