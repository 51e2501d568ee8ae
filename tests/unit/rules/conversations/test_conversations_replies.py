"""Replies that come too late: one alert for each wait, in the hours of the rule alone."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.times import DAY, HOUR, MINUTE, parse, render
from streams.policy.contradictions import contradictions
from streams.policy.load import default
from streams.policy.model import Policy
from streams.rules.alert import RAISED, RESOLVED, Alert
from streams.rules.conversations.replies import Conversation, Message, late_reply_alerts, new_messages
from streams.rules.reconcile import LATE_EVENT, Emitted, Expected, reconcile
from tests.unit.rules.chatting import T0, buyer, merchant, said, watching

POLICY = watching()
OPENS = parse("2026-11-03T00:00:00Z") - T0
CLOSES = parse("2026-11-03T15:00:00Z") - T0


def alerts(*messages: Message, policy: Policy = POLICY) -> list[tuple[int, int | None]]:
    """When each is raised and resolved, after T0."""
    return [
        (one.raised - T0, None if one.resolved is None else one.resolved - T0)
        for one in all_of(*messages, policy=policy)
    ]


def all_of(*messages: Message, policy: Policy = POLICY) -> list[Expected]:
    conversation = Conversation()
    for message in messages:
        conversation.add(message, T0 - DAY)
    return late_reply_alerts("K", "C", new_messages(conversation.messages, policy), policy)


@pytest.mark.parametrize(("after", "late"), [(-1, False), (0, False), (1, True)])
def test_an_answer_at_three_minutes_is_in_time(after: int, late: bool) -> None:
    answer = 3 * MINUTE + after
    assert alerts(buyer(0), merchant(answer)) == ([(3 * MINUTE, answer)] if late else [])


@pytest.mark.parametrize(("after", "asked"), [(-1, False), (0, True), (1, True)])
def test_the_hours_begin_at_eight_in_shanghai(after: int, asked: bool) -> None:
    assert alerts(buyer(OPENS + after)) == ([(OPENS + after + 3 * MINUTE, None)] if asked else [])


@pytest.mark.parametrize(("after", "asked"), [(-1, True), (0, False), (1, False)])
def test_the_hours_end_before_eleven_at_night(after: int, asked: bool) -> None:
    assert alerts(buyer(CLOSES + after)) == ([(CLOSES + after + 3 * MINUTE, None)] if asked else [])


def test_nothing_is_expected_where_the_rule_is_off() -> None:
    assert alerts(buyer(0), policy=default()) == []


def test_one_wait_gives_one_alert_from_its_first_message_on() -> None:
    assert alerts(buyer(0), buyer(MINUTE), buyer(HOUR), merchant(2 * HOUR)) == [(3 * MINUTE, 2 * HOUR)]


def test_the_next_message_after_an_answer_begins_another_wait() -> None:
    messages = (buyer(0), merchant(HOUR), merchant(HOUR + 1), buyer(2 * HOUR), buyer(3 * HOUR))
    assert alerts(*messages) == [(3 * MINUTE, HOUR), (2 * HOUR + 3 * MINUTE, None)]
    first, second = all_of(*messages)
    assert first.anchor != second.anchor
    assert first.episode != second.episode
    assert [one.evidence(RAISED)["waiting_since"] for one in (first, second)] == [render(T0), render(T0 + 2 * HOUR)]


def test_a_wait_from_before_the_hours_is_late_by_its_first_message_within_them() -> None:
    night = buyer(OPENS - HOUR, shop_id="night")
    (alert,) = all_of(night, buyer(OPENS + HOUR, shop_id="day"), buyer(OPENS + 2 * HOUR))
    assert alert.raised == T0 + OPENS + HOUR + 3 * MINUTE
    assert alert.shop_id == "night"
    assert alert.evidence(RAISED) == {
        "asked_at": render(T0 + OPENS + HOUR),
        "waiting_since": render(T0 + OPENS - HOUR),
        "due_at": render(alert.raised),
    }


def test_a_question_at_night_that_is_answered_by_day_is_no_late_reply() -> None:
    assert alerts(buyer(OPENS - HOUR), merchant(OPENS + 5 * HOUR)) == []


def test_bots_and_platform_staff_answer_nothing() -> None:
    assert alerts(buyer(0), said("other", 1), merchant(HOUR)) == [(3 * MINUTE, HOUR)]


def test_a_merchant_who_writes_first_answers_nothing_later() -> None:
    assert alerts(merchant(-1), buyer(0)) == [(3 * MINUTE, None)]


@pytest.mark.parametrize(("ids", "late"), [(("a", "b"), False), (("b", "a"), True)])
def test_of_messages_at_one_instant_the_event_id_says_which_comes_first(ids: tuple[str, str], late: bool) -> None:
    assert alerts(buyer(0, ids[0]), merchant(0, ids[1])) == ([(3 * MINUTE, None)] if late else [])


def test_of_messages_at_one_instant_with_one_id_the_first_digest_is_the_message() -> None:
    question, answer = buyer(0, "m", digest=b"1"), merchant(0, "m", digest=b"2")
    assert alerts(answer, question) == [(3 * MINUTE, None)]
    assert alerts(buyer(0, "m", digest=b"2"), merchant(0, "m", digest=b"1")) == []


def test_an_answer_that_repeats_an_earlier_message_is_none() -> None:
    assert alerts(merchant(-HOUR, "m"), buyer(0), merchant(MINUTE, "m")) == [(3 * MINUTE, None)]


def test_an_alert_names_conversation_shop_order_and_goes_to_the_merchant() -> None:
    (alert,) = all_of(buyer(0, order_id="O"), merchant(HOUR))
    assert (alert.type, alert.subject, alert.audiences) == ("chat.reply_late", "C", ("merchant",))
    assert (alert.shop_id, alert.order_id, alert.carrier) == ("S", "O", None)
    assert (alert.resolution, alert.resolved_by_deadline, alert.by_event) == ("answered", False, False)
    assert alert.evidence(RESOLVED)["raised_at"] == render(alert.raised)


def test_hours_may_run_over_midnight_and_to_the_end_of_the_day() -> None:
    night = watching(opens="22:00", closes="02:00", utc_offset_hours=0).conversations.reply_late
    day = parse("2026-11-03T00:00:00Z")
    assert [night.contains(day + at * HOUR) for at in (1, 2, 21, 22)] == [True, False, False, True]
    late = watching(opens="23:00", closes="24:00", utc_offset_hours=0).conversations.reply_late
    assert [late.contains(day + at) for at in (23 * HOUR - 1, 23 * HOUR, DAY - 1, DAY)] == [False, True, True, False]


def test_hours_without_length_are_refused() -> None:
    found = contradictions(watching(opens="08:00", closes="08:00"))
    assert found == ["conversations.reply_late: from and to must differ"]


class Stage:
    """Takes messages as they come, and says what is due, as stage 1 does."""

    def __init__(self) -> None:
        self.conversation = Conversation()
        self.emitted: list[Emitted] = []
        self.watermark = T0 - DAY

    def hear(self, *messages: Message) -> list[Alert]:
        for message in messages:
            self.conversation.add(message, self.watermark)
        return self.pass_to(self.watermark)

    def pass_to(self, watermark: int, forgetting: bool = False) -> list[Alert]:
        self.watermark = max(watermark, self.watermark)
        messages = new_messages(self.conversation.messages, POLICY)
        found = reconcile(late_reply_alerts("K", "C", messages, POLICY), self.emitted, self.watermark, self.watermark)
        if forgetting:
            self.conversation.changes(self.watermark, POLICY)
            self.conversation.forget(self.watermark, POLICY)
        return found


def told(found: list[Alert]) -> list[tuple[str, int, str | None]]:
    return [(alert.status, alert.time - T0, alert.resolution) for alert in found]


@pytest.mark.parametrize(("after", "raised"), [(-1, False), (0, False), (1, True)])
def test_a_deadline_is_passed_when_the_watermark_is_greater(after: int, raised: bool) -> None:
    stage = Stage()
    stage.hear(buyer(0))
    assert told(stage.pass_to(T0 + 3 * MINUTE + after)) == ([(RAISED, 3 * MINUTE, None)] if raised else [])


def test_a_late_answer_takes_the_alert_back() -> None:
    stage = Stage()
    stage.hear(buyer(0))
    stage.pass_to(T0 + HOUR)
    assert told(stage.hear(merchant(MINUTE))) == [(RESOLVED, 3 * MINUTE, LATE_EVENT)]


def test_a_late_message_from_before_the_hours_leaves_the_alert_as_it_was_sent() -> None:
    stage = Stage()
    stage.hear(buyer(0))
    stage.pass_to(T0 + HOUR)
    assert stage.hear(buyer(OPENS - 1)) == []


def test_a_late_question_that_was_answered_too_late_is_raised_with_its_own_time() -> None:
    stage = Stage()
    stage.hear(merchant(HOUR))
    stage.pass_to(T0 + 2 * HOUR)
    assert told(stage.hear(buyer(0))) == [(RAISED, 3 * MINUTE, None), (RESOLVED, HOUR, "answered")]


def test_an_open_wait_outlives_forgetting() -> None:
    stage = Stage()
    stage.hear(buyer(OPENS - HOUR), *(buyer(at * HOUR) for at in range(5)))
    assert len(stage.pass_to(T0 + 9 * DAY, forgetting=True)) == 1
    assert [message.time - T0 for message in stage.conversation.messages] == [OPENS - HOUR, 0]
    assert told(stage.hear(merchant(8 * DAY))) == [(RESOLVED, 8 * DAY, "answered")]


def test_a_question_from_before_a_forgotten_answer_waits_for_none() -> None:
    stage = Stage()
    stage.hear(buyer(0), merchant(MINUTE))
    stage.pass_to(T0 + 9 * DAY, forgetting=True)
    assert stage.conversation.messages == []
    assert stage.hear(buyer(30)) == []


SCRIPTS = st.lists(
    st.tuples(st.sampled_from(["buyer", "merchant", "other"]), st.integers(0, 40 * 60), st.integers(0, 12)), max_size=14
)


@given(SCRIPTS, st.randoms(use_true_random=False), st.booleans())
def test_the_alerts_do_not_depend_on_the_order_of_arrival_or_on_forgetting(
    script: list[tuple[str, int, int]], rng: Random, forgetting: bool
) -> None:
    """On time: no message is older than the watermark when it comes."""
    messages = [
        said(side, minute * MINUTE * 3, f"m{name}", digest=bytes([index]))  # type: ignore[arg-type]
        for index, (side, minute, name) in enumerate(script)
    ]
    whole = Stage()
    whole.hear(*messages)
    once = told(whole.pass_to(T0 + 99 * DAY))

    stage = Stage()
    found: list[Alert] = []
    lateness = HOUR
    arrivals = sorted(messages, key=lambda message: message.time + rng.randrange(lateness + 1))
    for message in arrivals:
        copy = said(message.side, message.time - T0, message.event_id, digest=message.digest)
        found += stage.hear(copy)
        found += stage.pass_to(message.time - lateness, forgetting)
    found += stage.pass_to(T0 + 99 * DAY, forgetting)
    assert sorted(told(found), key=str) == sorted(once, key=str)
