"""Which of a subject's escalations count towards its shop's help rate."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from schemas.times import render
from streams.explain.facts import At, Coded, Facts, Value
from streams.policy.model import Policy
from streams.rules.cases.case import Case, Delta
from streams.rules.conversations.interventions import Intervention, counted
from streams.rules.help_rate import contributions

COUNTS, VOIDED, REPEAT, UNDER_WAY = "counts", "voided", "repeat", "not_yet"
#: As the policy has it: not this kind; with the order's others, as one; not without an order.
NOT_RATED, WITH_ORDER, NO_ORDER = "not_rated", "with_its_order", "no_order"
#: What escalates, in the order of KINDS.
_KINDS = ("dispute", "complaint", "intervention", "ticket_timeout")


class Counting(msgspec.Struct, frozen=True):
    """One escalation, or what would be one. `time` in microseconds; `key`: the record key that it came under."""

    kind: str
    identity: str
    time: int
    shop_id: str
    key: str
    outcome: str
    facts: Facts

    def told(self) -> dict[str, Any]:
        """As JSON, but for its sentence."""
        return {
            "kind": self.kind,
            "id": self.identity,
            "time": render(self.time),
            "shop_id": self.shop_id,
            "record_key": self.key,
            "outcome": self.outcome,
        }

    def sentence(self) -> Facts:
        """The facts of its sentence."""
        return {**self.facts, "kind": Coded("escalations", self.kind), "id": self.identity, "shop_id": self.shop_id}


def countings(cases: Iterable[Case], policy: Policy, end: int) -> list[Counting]:
    """All escalations of the cases, by time. `end`: a ticket that times out then or later has not yet."""
    found: list[Counting] = []
    for case in cases:
        for name, (time, delta, voided) in contributions.expected_contributions(case, policy).items():
            kind, _, identity = name.partition("/")
            if kind not in _KINDS:
                continue
            facts = _properties(delta)
            outcome = _rated(case, kind, identity, policy)
            if kind == "ticket_timeout" and time >= end:
                outcome, facts = UNDER_WAY, {}
            elif voided is not None:
                outcome, facts["voided_at"] = VOIDED, At(voided)
            found.append(Counting(kind, identity, time, delta.shop_id, case.key, outcome, facts))
        found += _repeats(case, policy)
    return sorted(found, key=lambda one: (one.time, one.kind, one.identity))


def _rated(case: Case, kind: str, identity: str, policy: Policy) -> str:
    """How the policy counts an escalation that stands."""
    if kind not in policy.help_rate.counted:
        return NOT_RATED
    if not policy.help_rate.distinct_orders:
        return COUNTS
    return WITH_ORDER if _order_of(case, kind, identity) is not None else NO_ORDER


def _order_of(case: Case, kind: str, identity: str) -> str | None:
    if kind == "ticket_timeout":
        opened = case.tickets[identity].opened
        return opened.order_id if opened is not None else None
    if kind == "intervention":
        asked = case.requests.get(identity) or case.messages.get(identity)
        return asked.order_id if asked is not None else None
    return (case.disputes if kind == "dispute" else case.complaints)[identity].order_id


def _properties(delta: Delta) -> Facts:
    facts: dict[str, Value] = {"logistics_linked": True} if delta.linked else {}
    if delta.closed:
        facts["window_closed"] = True
    if delta.items:
        facts["item_id"] = delta.items[0]
    return facts


def _repeats(case: Case, policy: Policy) -> list[Counting]:
    """Interventions that follow a counted one of their conversation too soon."""
    asked = (*case.requests.values(), *case.messages.values())
    counts = counted(asked, policy.interventions)
    known = {one.place for one in counts}
    found = []
    for one in asked:
        if one.place not in known:
            before = _before(one, counts)
            facts: Facts = {"repeats": At(before.time), "hours": policy.interventions.repeat_hours} if before else {}
            found.append(
                Counting("intervention", one.intervention_id, one.time, one.shop_id, case.key, REPEAT, facts)
            )  # fmt: skip
    return found


def _before(one: Intervention, counts: Iterable[Intervention]) -> Intervention | None:
    earlier = [known for known in counts if known.conversation_id == one.conversation_id and known.place < one.place]
    return max(earlier, key=lambda known: known.place, default=None)
