"""Which buyers' messages ask for platform staff, and which interventions count."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from schemas.times import HOUR
from streams.policy.model import Interventions
from streams.rules.conversations.pleas import Detector
from streams.rules.facts import Fact


class Intervention(Fact, array_like=True, kw_only=True, gc=False):
    """A request for platform staff. `by_message`: found in a chat message instead of an event of its own.

    `near`: does not count, as it follows too soon after a counted one that has since expired.
    """

    intervention_id: str
    conversation_id: str | None
    order_id: str | None
    item_id: str | None = None
    by_message: bool = False
    near: bool = False


def asks_for_staff(text: str, rules: Interventions) -> bool:
    """Whether a buyer's message asks platform staff to step in. Takes linear time."""
    return _prepared(rules).asks(text)


@lru_cache(maxsize=16)
def _prepared(rules: Interventions) -> Detector:
    return Detector(rules)


def message_id(conversation_id: str, event_id: str) -> str:
    """The intervention id of a message."""
    return f"{conversation_id}:{event_id}"


def counted(known: Iterable[Intervention], rules: Interventions) -> list[Intervention]:
    """The interventions that count: in a conversation, only those at least `repeat_hours` after the last one counted.

    A request without a conversation always counts.
    """
    repeat = round(rules.repeat_hours * HOUR)
    last: dict[str, int] = {}
    result = []
    for intervention in sorted(known, key=lambda one: one.place):
        if intervention.near:
            continue
        conversation = intervention.conversation_id
        if conversation is not None:
            before = last.get(conversation)
            if before is not None and intervention.time - before < repeat:
                continue
            last[conversation] = intervention.time
        result.append(intervention)
    return result
