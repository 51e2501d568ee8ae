"""Messages that come again: what counts, once each, whatever the order of arrival."""

from __future__ import annotations

from collections import Counter
from itertools import permutations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.times import DAY, HOUR
from streams.policy.load import default
from streams.rules.conversations.interventions import Intervention
from streams.rules.conversations.replies import Conversation, Message, asked, new_messages
from tests.unit.rules.chatting import T0, buyer, merchant, watching

POLICY = default()
END = T0 + 99 * DAY


def counted(*messages: Message) -> list[int]:
    """The times after T0 of what counts at the end."""
    conversation = Conversation()
    for message in messages:
        conversation.add(message, T0 - DAY)
    changes, later = conversation.changes(END, POLICY)
    assert later is None
    return [change.time - T0 for change in changes]


@pytest.mark.parametrize(("apart", "new"), [(24 * HOUR - 1, False), (24 * HOUR, True), (24 * HOUR + 1, True)])
def test_a_message_is_known_for_a_day(apart: int, new: bool) -> None:
    assert counted(buyer(0, "m"), buyer(apart, "m")) == ([0, apart] if new else [0])


def test_the_day_is_that_of_the_known_message_in_any_order_of_arrival() -> None:
    messages = [buyer(at * HOUR, "m") for at in (0, 20, 30, 53, 54)]
    for order in permutations(messages):
        assert counted(*msgspec.msgpack.decode(msgspec.msgpack.encode(order), type=tuple[Message, ...])) == [
            0, 30 * HOUR, 54 * HOUR,
        ]  # fmt: skip


def test_the_same_event_again_changes_nothing() -> None:
    conversation = Conversation()
    assert conversation.add(buyer(0, "m"), T0)
    assert not conversation.add(buyer(0, "m"), T0)
    assert not conversation.add(buyer(0, "m", digest=b"other"), T0 + 1)
    assert conversation.add(buyer(0, "m", digest=b"\0"), T0)


def test_other_ids_are_other_messages() -> None:
    assert counted(buyer(0, "m"), buyer(0, "n")) == [0, 0]


def test_a_buyers_message_under_the_id_of_a_merchants_is_a_repeat() -> None:
    assert counted(merchant(0, "m"), buyer(1, "m")) == []


@pytest.mark.parametrize(("after", "counts"), [(-1, False), (0, False), (1, True)])
def test_a_message_counts_when_it_is_settled(after: int, counts: bool) -> None:
    conversation = Conversation()
    conversation.add(buyer(0), T0)
    changes, later = conversation.changes(T0 + after, POLICY)
    assert [change.sign for change in changes] == ([1] if counts else [])
    assert later == (None if counts else T0)
    assert conversation.changes(T0 + 1, POLICY)[0] == ([] if counts else [("S", T0, "other", 1)])


def test_a_late_message_takes_the_place_of_the_known_one() -> None:
    conversation = Conversation()
    conversation.add(buyer(HOUR, "m", topic="logistics", shop_id="A"), T0)
    conversation.changes(END, POLICY)
    conversation.add(buyer(0, "m", topic="product", shop_id="B"), END)
    assert conversation.changes(END, POLICY)[0] == [
        ("B", T0, "product", 1),
        ("A", T0 + HOUR, "logistics", -1),
    ]


def test_what_is_forgotten_counts_on_and_its_repeats_go_with_it() -> None:
    conversation = Conversation()
    for at in (0, 20, 30, 31):
        conversation.add(buyer(at * HOUR, "m"), T0)
    assert [change.sign for change in conversation.changes(END, POLICY)[0]] == [1, 1]
    conversation.forget(T0 + 48 * HOUR, POLICY)
    assert len(conversation.messages) == 4
    conversation.forget(T0 + 48 * HOUR + 1, POLICY)
    assert [message.time - T0 for message in conversation.messages] == [30 * HOUR, 31 * HOUR]
    assert conversation.changes(END, POLICY)[0] == []
    conversation.forget(END, POLICY)
    assert conversation.messages == []


def test_where_replies_are_watched_the_open_wait_is_kept_and_counts_once() -> None:
    conversation = Conversation()
    for at in (0, 1, 2):
        conversation.add(buyer(at), T0)
    assert len(conversation.changes(END, watching())[0]) == 3
    conversation.forget(END, watching())
    assert [message.time - T0 for message in conversation.messages] == [0]
    assert conversation.changes(END, watching())[0] == []


HEARD = st.lists(st.tuples(st.integers(0, 90), st.integers(0, 2), st.booleans()), max_size=12)


@given(HEARD, st.integers(0, 24), st.randoms(use_true_random=False))
def test_every_order_of_arrival_counts_the_same_in_the_end(
    heard: list[tuple[int, int, bool]], lateness: int, rng: object
) -> None:
    """Messages up to a day late, with forgetting after each; the sum of changes is what is new."""

    def messages() -> list[Message]:
        return [
            buyer(at * HOUR, f"m{name}", digest=bytes([index]), topic="product" if flag else "other")
            for index, (at, name, flag) in enumerate(heard)
        ]

    whole = Conversation()
    for message in messages():
        whole.add(message, T0)
    expected = Counter((one.time, one.topic) for one in new_messages(whole.messages, POLICY))

    conversation = Conversation()
    total: Counter[tuple[int, str | None]] = Counter()
    watermark = T0
    arrivals = sorted(messages(), key=lambda message: message.time + rng.randrange(lateness + 1) * HOUR)  # type: ignore[attr-defined]
    for message in arrivals:
        # Without settling: of equals in time the first place holds, on time or not.
        conversation.add(message, T0)
        watermark = max(watermark, message.time)
        for change in conversation.changes(watermark, POLICY)[0]:
            total[change.time, change.topic] += change.sign
        conversation.forget(watermark, POLICY)
    for change in conversation.changes(END, POLICY)[0]:
        total[change.time, change.topic] += change.sign
    assert +total == expected
    assert all(count >= 0 for count in total.values())


def asking(at: int, **fields: object) -> Message:
    return buyer(at, "m", asks=True, **fields)


def told(known: Intervention | None, *messages: Message) -> int | None:
    found = asked("C", "m", known, sorted(messages, key=lambda message: message.place), POLICY)
    return None if found is None else found.time - T0


def known_at(at: int) -> Intervention:
    found = asked("C", "m", None, [asking(at)], POLICY)
    assert found is not None
    assert (found.intervention_id, found.conversation_id, found.by_message) == ("C:m", "C", True)
    return found


def test_an_intervention_is_the_first_new_message_that_asks() -> None:
    assert told(None, buyer(0, "m"), asking(DAY), asking(2 * DAY)) == DAY
    assert told(None, buyer(0, "m"), asking(DAY - 1)) is None
    assert told(None) is None


def test_an_earlier_message_that_came_late_takes_it_back_or_moves_it() -> None:
    assert told(known_at(HOUR), buyer(0, "m"), asking(HOUR)) is None
    assert told(known_at(HOUR), asking(0), asking(HOUR)) == 0


def test_an_intervention_whose_message_is_forgotten_holds() -> None:
    assert told(known_at(0)) == 0
    assert told(known_at(0), asking(9 * DAY)) == 0
