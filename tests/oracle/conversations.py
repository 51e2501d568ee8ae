"""Conversations, message by message: which are new, what they are about, and how long buyers wait."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.oracle.policy import DAY, HOUR, OraclePolicy
from tests.oracle.timeline import Event, OracleAlert, episode


@dataclass
class _Talk:
    """What is known of a conversation under one record key until it is forgotten."""

    last: int
    # When a message of an id was last new.
    known: dict[str, int] = field(default_factory=dict)
    # The first message of a wait, and the first in the hours that answers are expected in.
    waits: Event | None = None
    asks: Event | None = None


class Conversations:
    """All conversations of one history, with the alerts before `until`."""

    def __init__(self, events: list[Event], policy: OraclePolicy, until: int, topic_of: Callable[[str], str]) -> None:
        self.policy = policy
        self.until = until
        self.topic_of = topic_of
        self.alerts: list[OracleAlert] = []
        #: (shop, time, topic) of each buyer's message that is new.
        self.said: list[tuple[str, int, str]] = []
        #: How often a conversation was begun anew after it was forgotten.
        self.forgotten = 0
        talks: dict[tuple[str, str], _Talk] = {}
        for event in events:
            if event.type == "chat.message":
                name = event.key, str(event.value["conversation_id"])
                talk = talks.get(name)
                if talk is None or event.time > talk.last + policy.keep_conversation:
                    if talk is not None:
                        self.forgotten += 1
                        self._end(talk, None)
                    talk = talks[name] = _Talk(event.time)
                self._read(talk, event)
        for talk in talks.values():
            self._end(talk, None)

    def _read(self, talk: _Talk, event: Event) -> None:
        before = talk.known.get(event.value["event_id"])
        if before is not None and event.time - before < self.policy.message_memory:
            return  # a repeat does not keep it longer
        talk.known[event.value["event_id"]] = event.time
        talk.last = event.time
        sender = event.value["sender"]
        if sender == "buyer":
            self.said.append((event.shop, event.time, self.topic_of(event.value["text"])))
            talk.waits = talk.waits or event
            opens, closes = self.policy.answering_hours
            if talk.asks is None and opens * HOUR <= (event.time + 8 * HOUR) % DAY < closes * HOUR:
                talk.asks = event
        elif sender == "merchant":
            self._end(talk, event)

    def _end(self, talk: _Talk, answer: Event | None) -> None:
        """The wait is over: with the answer, or with the history."""
        first, asks = talk.waits, talk.asks
        talk.waits = talk.asks = None
        if first is None or asks is None:
            return
        due = asks.time + self.policy.answer_within
        if due < self.until and (answer is None or answer.time > due):
            self.alerts += episode(
                topics=("merchant",),
                type_="chat.reply_late",
                subject=str(asks.value["conversation_id"]),
                raised_at=due,
                resolved=None if answer is None else (answer.time, "answered"),
                shop=first.shop,
                order=asks.order,
            )

    def topics(self, shop: str, window: str, boundary: int) -> dict[str, int]:
        """How often each topic stands in a window of a shop as of a boundary."""
        first = boundary - self.policy.windows[window]
        return dict(Counter(topic for of, time, topic in self.said if of == shop and first <= time < boundary))
