"""Conversations: which messages are new, which topics they count for, and which waits of buyers were too long.

A message with the same conversation and event id as a new one, less than `repeat_hours` (of the policy) after it, is a
repeat and has no effect; exactly that much later it is new again. Messages are kept in order, and the new ones are
determined from all of them, so arrival order does not matter.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any, Literal, NamedTuple

import msgspec

from schemas.times import render
from streams.policy.model import Policy
from streams.rules.alert import MERCHANT, RAISED
from streams.rules.conversations.interventions import Intervention, message_id
from streams.rules.facts import Fact
from streams.rules.reconcile import Expected

REPLY_LATE = "chat.reply_late"

#: Who wrote a message. Bots and platform staff do not count as answering.
Side = Literal["buyer", "merchant", "other"]


class Message(Fact, array_like=True, kw_only=True, gc=False):
    """A message without its text. `topic` and `asks` (for platform staff) apply to buyers' messages only.

    `counted`: its topic has been sent to the shops.
    """

    side: Side
    order_id: str | None = None
    topic: str | None = None
    asks: bool = False
    counted: bool = False


class Change(NamedTuple):
    """A topic to add (`sign` 1) or subtract (-1) in the hour of `time`."""

    shop_id: str
    time: int
    topic: str
    sign: int


class Conversation(msgspec.Struct, array_like=True, dict=True):
    """What is known of one conversation under one record key; `messages` in order.

    `answered`: the place of the last dropped answer. `last`: the time of the last new message that was dropped.
    """

    messages: list[Message] = msgspec.field(default_factory=list)
    answered: tuple[int, str, bytes] | None = None
    last: int | None = None

    @property
    def is_empty(self) -> bool:
        """True if no later event can match."""
        return not self.messages and self.answered is None

    def add(self, message: Message, settled: int) -> bool:
        """Adds a message; those before `settled` (microseconds) are settled. Returns False if nothing changes."""
        index = bisect_left(self.messages, message.place, key=lambda known: known.place)
        if index < len(self.messages) and self.messages[index].place == message.place:
            return False
        same = self.of_event(message.event_id)
        # A settled message is replaced only by an earlier one.
        if message.time < settled and any(known.time == message.time for known in same):
            return False
        if self.answered is not None and message.place < self.answered:
            message.side = "other"
        self.messages.insert(index, message)
        insort(self._by_event.setdefault(message.event_id, same), message, key=lambda known: known.place)
        return True

    def of_event(self, event_id: str) -> list[Message]:
        """The messages of an event id, in order."""
        return self._by_event.get(event_id, [])

    @cached_property
    def _by_event(self) -> dict[str, list[Message]]:
        """Worked out once, and again when messages were dropped: it is no part of what is kept."""
        found: dict[str, list[Message]] = {}
        for message in self.messages:
            found.setdefault(message.event_id, []).append(message)
        return found

    def changes(self, settled: int, policy: Policy) -> tuple[list[Change], int | None]:
        """The topic changes among messages before `settled`, each once, and the time of the next change, if any.

        Times are in microseconds. Updates `counted`.
        """
        found: list[Change] = []
        later: int | None = None
        for message, first in _with_firsts(self.messages, policy.conversations.repeat):
            if message.topic is None:
                continue
            wanted = message is first
            if wanted and message.time >= settled:
                later = message.time if later is None else later
            elif wanted != message.counted:
                message.counted = wanted
                found.append(Change(message.shop_id, message.time, message.topic, 1 if wanted else -1))
        return found, later

    def forget(self, settled: int, policy: Policy) -> int | None:
        """Drops messages not needed for one up to `repeat_hours` late. Returns when to call it next, if ever.

        `settled`: up to where changes were taken and alerts judged. Both in microseconds.

        Dropped messages stay counted. Older ones stay if they define an open wait. A message that arrives even later
        and precedes the last answer dropped is counted, but starts no wait.
        """
        before = settled - 2 * policy.conversations.repeat
        if not self.messages or self.messages[0].time >= before:
            return self._next_drop(before, policy)
        old: list[Message] = []
        kept: list[Message] = []
        for message, first in _with_firsts(self.messages, policy.conversations.repeat):
            if first.time >= before:
                kept.append(message)
            elif message is first:
                old.append(message)
        if old:
            self.last = old[-1].time if self.last is None else max(self.last, old[-1].time)
        self.messages = self._open_wait(old, policy) + kept
        self.__dict__.pop("_by_event", None)
        return self._next_drop(before, policy)

    def _next_drop(self, before: int, policy: Policy) -> int | None:
        """When the first message at or after `before` will be old enough to drop."""
        young = next((message.time for message in self.messages if message.time >= before), None)
        return None if young is None else young + 2 * policy.conversations.repeat

    def _open_wait(self, old: list[Message], policy: Policy) -> list[Message]:
        """The new messages after the last answer that define since when, and for what, a buyer has been waiting."""
        rule = policy.conversations.reply_late
        if not rule.enabled:
            return []
        waiting: list[Message] = []
        for message in old:
            if message.side == "merchant":
                self.answered = message.place
                waiting = []
            elif message.side == "buyer" and (not waiting or rule.contains(message.time)):
                waiting.append(message)
        # The first message, and the first in the rule's hours; they may be the same.
        return waiting[:1] if waiting and rule.contains(waiting[0].time) else waiting[:2]


def asked(
    conversation_id: str, event_id: str, known: Intervention | None, messages: Iterable[Message], policy: Policy
) -> Intervention | None:
    """The intervention made by the messages with one event id, if any: the first new one that asks for staff.

    `messages`: those with that id, in order. `known`: the one found before; its message may have been dropped.
    """
    same = list(messages)
    if known is not None and all(message.place != known.place for message in same):
        if not same or known.place < same[0].place:
            return known
        # A late message, dated before it, asked first; the known one may be its repeat.
        insort(same, _message_of(known), key=lambda message: message.place)
    for message in new_messages(same, policy):
        if message.asks:
            return Intervention(
                time=message.time,
                event_id=message.event_id,
                digest=message.digest,
                shop_id=message.shop_id,
                intervention_id=message_id(conversation_id, event_id),
                conversation_id=conversation_id,
                order_id=message.order_id,
                by_message=True,
            )
    return None


def _message_of(asked: Intervention) -> Message:
    return Message(
        time=asked.time,
        event_id=asked.event_id,
        digest=asked.digest,
        shop_id=asked.shop_id,
        side="buyer",
        order_id=asked.order_id,
        asks=True,
    )


def new_messages(messages: Iterable[Message], policy: Policy) -> list[Message]:
    """The messages that are not repeats. `messages` in order."""
    return [message for message, first in _with_firsts(messages, policy.conversations.repeat) if message is first]


def late_reply_alerts(
    record_key: str, conversation_id: str, messages: Iterable[Message], policy: Policy
) -> list[Expected]:
    """All alerts for a conversation, past and future. `messages`: the new ones, in order."""
    rule = policy.conversations.reply_late
    if not rule.enabled:
        return []
    alerts = []
    for wait in _waits(messages, policy):
        deadline = wait.question.time + rule.allowed
        if wait.answered is not None and wait.answered <= deadline:
            continue
        name = f"{record_key}/{conversation_id}/{render(wait.question.time)}"
        alerts.append(
            Expected(
                type=REPLY_LATE,
                subject=conversation_id,
                anchor=name,
                episode=name,
                raised=deadline,
                resolved=wait.answered,
                resolution="answered" if wait.answered is not None else None,
                resolved_by_deadline=False,
                audiences=(MERCHANT,),
                shop_id=wait.first.shop_id,
                order_id=wait.question.order_id,
                carrier=None,
                evidence=_evidence(wait, deadline),
            )
        )
    return alerts


class _Wait(NamedTuple):
    """From a buyer's first message to the merchant's next one: `answered`, in microseconds, or None.

    `question`: the first message of the wait within the rule's hours.
    """

    first: Message
    question: Message
    answered: int | None


def _waits(messages: Iterable[Message], policy: Policy) -> Iterable[_Wait]:
    """The waits in which a buyer wrote within the rule's hours."""
    rule = policy.conversations.reply_late
    first: Message | None = None
    question: Message | None = None
    for message in messages:
        if message.side == "buyer":
            first = message if first is None else first
            if question is None and rule.contains(message.time):
                question = message
        elif message.side == "merchant":
            if first is not None and question is not None:
                yield _Wait(first, question, message.time)
            first = question = None
    if first is not None and question is not None:
        yield _Wait(first, question, None)


def _with_firsts(messages: Iterable[Message], repeat: int) -> Iterable[tuple[Message, Message]]:
    """Each message, paired with the new one that it repeats (or itself)."""
    known: dict[str, Message] = {}
    for message in messages:
        first = known.get(message.event_id)
        if first is None or message.time - first.time >= repeat:
            first = known[message.event_id] = message
        yield message, first


def _evidence(wait: _Wait, deadline: int) -> Callable[[str], dict[str, Any]]:
    def evidence(status: str) -> dict[str, Any]:
        facts = {
            "asked_at": render(wait.question.time),
            "waiting_since": render(wait.first.time),
            "due_at": render(deadline),
        }
        return facts if status == RAISED else {**facts, "raised_at": render(deadline)}

    return evidence
