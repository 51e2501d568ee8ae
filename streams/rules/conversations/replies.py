"""Conversations: which messages are new, which topics they count for, and which waits of buyers were too long.

A message says the same under its conversation and event id for a while (`repeat_hours` of the policy): what comes
again less than that after a message that is new is a repeat of it, and has no effect; exactly that much later it is
new again. So the messages are kept in order, and what is new is found from all of them: whatever order they came in.
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

#: Whose message it is. Bots and platform staff answer nothing.
Side = Literal["buyer", "merchant", "other"]


class Message(Fact, array_like=True, kw_only=True, gc=False):
    """A message without its text: `topic` and `asks` (for platform staff) are of a buyer's alone.

    `counted`: its topic has been sent to the shops.
    """

    side: Side
    order_id: str | None = None
    topic: str | None = None
    asks: bool = False
    counted: bool = False


class Change(NamedTuple):
    """A topic that counts from now on (`sign` 1) or no longer (-1), in the hour of `time`."""

    shop_id: str
    time: int
    topic: str
    sign: int


class Conversation(msgspec.Struct, array_like=True, dict=True):
    """What is known of one conversation under one record key; `messages` in order.

    `answered`: the place of the last answer of which nothing else is known any more. `last`: the time of the last
    new message that was dropped.
    """

    messages: list[Message] = msgspec.field(default_factory=list)
    answered: tuple[int, str, bytes] | None = None
    last: int | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing that can still come would find anything."""
        return not self.messages and self.answered is None

    def add(self, message: Message, settled: int) -> bool:
        """Adds a message; messages before `settled` (microseconds) are settled. False: nothing changes."""
        index = bisect_left(self.messages, message.place, key=lambda known: known.place)
        if index < len(self.messages) and self.messages[index].place == message.place:
            return False
        same = self.of_event(message.event_id)
        # Once a message is settled, only an earlier one takes its place.
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
        """The changes of topics among the messages before `settled`, each once, and when there is more, if ever.

        Times are microseconds. `counted` is brought up to date.
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
        """Drops what is needed for no message that is at most `repeat_hours` late; when there is more, if ever.

        `settled`: up to where the changes have been asked for and the alerts judged. Both in microseconds.

        What was dropped counts on. Of older messages those stay that tell a wait that is open; what comes later than
        that and lies before the last answer dropped is counted, but no answer to it is waited for.
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
        """When the first message that is not older than that will be."""
        young = next((message.time for message in self.messages if message.time >= before), None)
        return None if young is None else young + 2 * policy.conversations.repeat

    def _open_wait(self, old: list[Message], policy: Policy) -> list[Message]:
        """Of new messages, in order: those after the last answer that say since when a buyer waits, and for what."""
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
        # The first, and the first in the hours: the first one is both, or the second is the latter.
        return waiting[:1] if waiting and rule.contains(waiting[0].time) else waiting[:2]


def asked(
    conversation_id: str, event_id: str, known: Intervention | None, messages: Iterable[Message], policy: Policy
) -> Intervention | None:
    """The intervention that the messages of one event id are, if any: the first new one that asks for staff.

    `messages`: of that id, in order. `known`: what was told before; its message may be forgotten.
    """
    same = list(messages)
    if known is not None and all(message.place != known.place for message in same):
        if not same or known.place < same[0].place:
            return known
        # Late, and before it: that one was asked first, and of that it may be a repeat.
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
    """The messages that are no repeats. `messages` in order."""
    return [message for message, first in _with_firsts(messages, policy.conversations.repeat) if message is first]


def late_reply_alerts(
    record_key: str, conversation_id: str, messages: Iterable[Message], policy: Policy
) -> list[Expected]:
    """All alerts that a conversation gives, past and to come. `messages`: the new ones, in order."""
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

    `question`: the first message in the wait that wants an answer in time.
    """

    first: Message
    question: Message
    answered: int | None


def _waits(messages: Iterable[Message], policy: Policy) -> Iterable[_Wait]:
    """Those waits in which a buyer wrote in the hours of the rule."""
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
    """Each message with the new one that it repeats, which may be itself."""
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
