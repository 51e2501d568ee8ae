"""What is said, when, and what is not: one fixed time, channels that take everything."""

from __future__ import annotations

import pytest

from schemas.times import DAY, HOUR, MINUTE, SECOND, parse
from streams.notify.alert import Alert
from streams.notify.queue import TOGETHER
from streams.notify.settings import Channel, QuietHours, Route
from streams.rules.orders.ship_by import OUT_OF_STOCK, SHIP_LATE
from tests.unit.notify.scenes import T0, WAIT, Clerk, alert, resolved, settings

SLOW = alert()
STALLED = alert(type="shipment.stalled", episode="e2", severity="critical")
NIGHT = QuietHours(begin=22 * 60, end=8 * 60, passing=frozenset({"critical"}))
#: 22:00 and 08:00 in Shanghai.
EVENING, MORNING = parse("2026-11-03T14:00:00Z"), parse("2026-11-04T00:00:00Z")


def test_an_alert_is_told_once_its_wait_is_over() -> None:
    clerk = Clerk()
    clerk.take(SLOW)
    assert clerk.tick(T0 + WAIT - 1) == []
    assert clerk.tick(T0 + WAIT) == [SLOW.id]
    assert clerk.tick(T0 + WAIT + 1) == []


def test_a_repeat_changes_nothing() -> None:
    clerk = Clerk()
    for now in (T0, T0 + 1, T0 + HOUR):
        clerk.take(SLOW, now)
        clerk.tick(now + WAIT)
    end = resolved(SLOW)
    for now in (T0 + 2 * HOUR, T0 + 3 * HOUR):
        clerk.take(end, now)
        clerk.tick(now + WAIT)
    assert [id_ for _, id_ in clerk.said] == [SLOW.id, end.id]
    assert clerk.book.counts["repeats"] == 3


def test_nothing_is_said_of_what_is_over_before_anybody_was_told() -> None:
    clerk = Clerk()
    clerk.take(SLOW)
    clerk.take(resolved(SLOW), T0 + WAIT - 1)
    assert clerk.through(T0, T0 + DAY) == []
    assert clerk.book.counts["unsaid"] == 1


def test_the_end_is_told_to_who_was_told_of_the_beginning() -> None:
    routes = (Route(name="a", channels=("chat",), severities=frozenset({"warning"})),
              Route(name="b", channels=("mail",), resolved=False))  # fmt: skip
    clerk = Clerk(settings(*routes))
    info = alert(subject="P2", severity="info")
    clerk.take(SLOW)
    clerk.take(info)
    clerk.tick(T0 + WAIT)
    clerk.take(resolved(SLOW), T0 + HOUR)
    clerk.take(resolved(info), T0 + HOUR)
    clerk.tick(T0 + HOUR + WAIT)
    assert clerk.said == [("chat", SLOW.id), ("mail", info.id), ("chat", resolved(SLOW).id)]


def test_the_first_route_takes_an_alert_and_one_that_continues_leaves_it_to_others() -> None:
    first = Route(name="a", channels=("chat",), goes_on=True)
    clerk = Clerk(settings(first, Route(name="b", channels=("mail", "chat")), Route(name="c", channels=("mail",))))
    clerk.take(SLOW)
    clerk.tick(T0 + WAIT)
    assert sorted(clerk.said) == [("chat", SLOW.id), ("mail", SLOW.id)]


# -- folding


def test_what_is_overtaken_before_it_was_told_is_not_told() -> None:
    clerk = Clerk()
    clerk.take(SLOW)
    clerk.take(STALLED)
    assert [id_ for _, id_ in clerk.through(T0, T0 + DAY)] == [STALLED.id]
    clerk.take(resolved(STALLED), T0 + DAY)
    clerk.take(resolved(SLOW), T0 + DAY)
    assert [id_ for _, id_ in clerk.through(T0 + DAY, T0 + 2 * DAY)] == [resolved(STALLED).id]


def test_the_end_of_the_greater_alert_tells_that_of_the_lesser() -> None:
    clerk = Clerk()
    clerk.take(SLOW)
    clerk.tick(T0 + WAIT)
    clerk.take(STALLED, T0 + HOUR)
    clerk.tick(T0 + HOUR + WAIT)
    clerk.take(resolved(SLOW), T0 + DAY)
    clerk.take(resolved(STALLED), T0 + DAY)
    assert [id_ for _, id_ in clerk.through(T0 + DAY, T0 + 2 * DAY)] == [resolved(STALLED).id]


def test_the_end_of_the_lesser_is_told_if_nobody_hears_of_the_greater() -> None:
    # Nobody is told of the second within the cooldown, as it is not more severe.
    late = alert(type=SHIP_LATE, subject="o1", severity="warning")
    stock = alert(type=OUT_OF_STOCK, subject="o1", severity="warning", episode="e2", time=T0 + MINUTE)
    clerk = Clerk(settings(Route(name="a", channels=("chat",), cooldown=DAY)))
    clerk.take(late)
    clerk.tick(T0 + WAIT)
    clerk.take(stock, T0 + MINUTE)
    clerk.take(resolved(late), T0 + HOUR)
    assert clerk.through(T0 + HOUR, T0 + 2 * HOUR) == []
    clerk.take(resolved(stock), T0 + 3 * HOUR)
    assert [id_ for _, id_ in clerk.through(T0 + 3 * HOUR, T0 + 4 * HOUR)] == [resolved(late).id]


def test_the_lesser_is_told_where_the_greater_turns_out_wrong() -> None:
    clerk = Clerk()
    clerk.take(SLOW)
    clerk.take(STALLED)
    clerk.take(resolved(STALLED, resolution="late_event"), T0 + SECOND)
    assert [id_ for _, id_ in clerk.through(T0, T0 + DAY)] == [SLOW.id]


def test_alerts_of_other_subjects_and_audiences_fold_nothing() -> None:
    clerk = Clerk()
    others = [alert(type="shipment.stalled", severity="critical", subject="P2"),
              alert(type="shipment.stalled", severity="critical", audience="platform")]  # fmt: skip
    for one in (SLOW, *others):
        clerk.take(one)
    assert sorted(clerk.tick(T0 + WAIT)) == sorted(one.id for one in (SLOW, *others))


def test_a_level_that_gives_way_to_a_higher_one_is_not_told_as_over() -> None:
    low = alert(type="help_rate.elevated", subject="tea", severity="info")
    high = alert(type="help_rate.campaign_blocked", subject="tea", severity="warning", episode="e2", time=T0 + DAY)
    clerk = Clerk()
    clerk.take(low)
    clerk.tick(T0 + WAIT)
    clerk.take(resolved(low, T0 + DAY, "escalated"), T0 + DAY)
    clerk.take(high, T0 + DAY)
    assert [id_ for _, id_ in clerk.through(T0 + DAY, T0 + 2 * DAY)] == [high.id]


# -- quiet hours


@pytest.mark.parametrize(
    ("arrives", "told"),
    [
        (EVENING - WAIT - 1, EVENING - 1),
        (EVENING - WAIT, MORNING),
        (EVENING - WAIT + 1, MORNING),
        (MORNING - WAIT - 1, MORNING),
        (MORNING - WAIT, MORNING),
        (MORNING - WAIT + 1, MORNING + 1),
    ],
)
def test_what_falls_into_quiet_hours_waits_for_their_end(arrives: int, told: int) -> None:
    clerk = Clerk(settings(quiet=NIGHT))
    clerk.take(SLOW, arrives)
    assert clerk.through(arrives, arrives + DAY) == [(told, SLOW.id)]


def test_critical_alerts_pass_quiet_hours_and_their_ends_do_not() -> None:
    clerk = Clerk(settings(quiet=NIGHT))
    clerk.take(STALLED, EVENING)
    clerk.take(resolved(STALLED), EVENING + HOUR)
    assert clerk.tick(EVENING + WAIT) == []  # it is over already
    other = alert(type="shipment.stalled", severity="critical", subject="P2")
    clerk.take(other, EVENING + HOUR)
    assert clerk.tick(EVENING + HOUR + WAIT) == [other.id]
    clerk.take(resolved(other), EVENING + 2 * HOUR)
    assert clerk.through(EVENING + 2 * HOUR, EVENING + DAY) == [(MORNING, resolved(other).id)]


def test_what_is_over_by_the_morning_is_not_told() -> None:
    clerk = Clerk(settings(quiet=NIGHT))
    clerk.take(SLOW, EVENING)
    clerk.take(resolved(SLOW), MORNING - 1)
    assert clerk.through(EVENING, EVENING + DAY) == []


def test_a_former_end_is_not_told_behind_a_new_beginning() -> None:
    clerk = Clerk(settings(quiet=NIGHT))
    again = alert(type="shipment.stalled", severity="critical", episode="e3", time=EVENING + HOUR)
    clerk.take(STALLED, EVENING)
    clerk.tick(EVENING + WAIT)
    clerk.take(resolved(STALLED), EVENING + HOUR)
    clerk.take(again, EVENING + 2 * HOUR)
    assert [id_ for _, id_ in clerk.through(EVENING + HOUR, MORNING + DAY)] == [again.id]


# -- cooldown


@pytest.mark.parametrize(
    ("arrives", "told"),
    [
        (T0 + WAIT + HOUR - WAIT - 1, T0 + WAIT + HOUR),
        (T0 + WAIT + HOUR - WAIT, T0 + WAIT + HOUR),
        (T0 + WAIT + HOUR - WAIT + 1, T0 + WAIT + HOUR + 1),
    ],
)
def test_a_subject_is_told_of_again_once_its_cooldown_is_over(arrives: int, told: int) -> None:
    clerk = Clerk(settings(Route(name="a", channels=("chat",), cooldown=HOUR)))
    other = alert(type="shipment.delivery_late")
    clerk.take(SLOW)
    clerk.tick(T0 + WAIT)
    clerk.take(other, arrives)
    assert clerk.through(arrives, arrives + DAY) == [(told, other.id)]


def test_what_is_more_severe_passes_the_cooldown_and_another_subject_has_its_own() -> None:
    clerk = Clerk(settings(Route(name="a", channels=("chat",), cooldown=DAY)))
    clerk.take(SLOW)
    clerk.tick(T0 + WAIT)
    elsewhere = alert(subject="P2")
    clerk.take(STALLED, T0 + HOUR)
    clerk.take(elsewhere, T0 + HOUR)
    assert sorted(clerk.tick(T0 + HOUR + WAIT)) == sorted([STALLED.id, elsewhere.id])


# -- digests


def digest_clerk() -> Clerk:
    return Clerk(settings(Route(name="d", channels=("chat",), digest=(9 * 60, 18 * 60))))


@pytest.mark.parametrize(("early", "due"), [(1, "10:00"), (0, "01:00+1"), (-1, "01:00+1")])
def test_a_digest_holds_what_has_come_before_it_is_due(early: int, due: str) -> None:
    evening = parse("2026-11-03T10:00:00Z")
    clerk = digest_clerk()
    clerk.take(SLOW, evening - WAIT - early)
    expected = evening if due == "10:00" else parse("2026-11-04T01:00:00Z")
    assert [at for at, _ in clerk.through(T0, T0 + 2 * DAY)] == [expected]


def test_a_digest_is_of_one_shop_and_begins_with_the_most_severe() -> None:
    clerk = digest_clerk()
    critical = alert(type="shipment.destroyed", severity="critical", subject="P3")
    for one in (SLOW, alert(subject="P2", shop="silk"), critical):
        clerk.take(one)
    clerk.through(T0, T0 + DAY)
    by_shop = {message.title: [one.key.subject for one in message.alerts] for message in clerk.messages}
    assert by_shop == {"tea: 2 alerts": ["P3", "P1"], "silk: 1 alert": ["P2"]}


def test_a_digest_leaves_out_what_is_over_and_folds() -> None:
    clerk = digest_clerk()
    gone = alert(subject="P9")
    for one in (SLOW, STALLED, gone):
        clerk.take(one)
    clerk.take(resolved(gone), T0 + HOUR)
    clerk.through(T0, T0 + DAY)
    assert [one.id for message in clerk.messages for one in message.alerts] == [STALLED.id]


def test_a_digest_that_tells_what_is_wrong_again_says_nothing_of_what_was_wrong_before() -> None:
    clerk = digest_clerk()
    again = alert(episode="e2", time=T0 + 13 * HOUR)
    clerk.take(SLOW)
    clerk.through(T0, T0 + 10 * HOUR)
    clerk.take(resolved(SLOW, T0 + 12 * HOUR), T0 + 12 * HOUR)
    clerk.take(again, T0 + 13 * HOUR)
    clerk.through(T0 + 13 * HOUR, T0 + 2 * DAY)
    assert [[one.id for one in message.alerts] for message in clerk.messages] == [[SLOW.id], [again.id]]
    assert clerk.book.counts["folded"] == 1


def test_a_digest_of_very_many_alerts_is_several_messages() -> None:
    clerk = digest_clerk()
    for number in range(TOGETHER + 5):
        clerk.take(alert(subject=f"P{number}"))
    clerk.through(T0, T0 + DAY)
    assert sorted(len(message.alerts) for message in clerk.messages) == [4, TOGETHER + 1]


# -- channels that fail


def failing(**changes: object) -> Clerk:
    made = {"chat": Channel(name="chat", kind="webhook", url="http://127.0.0.1:1", patience=HOUR, **changes),  # type: ignore[arg-type]
            "mail": Channel(name="mail", kind="webhook", url="http://127.0.0.1:1")}  # fmt: skip
    return Clerk(settings(made=made))


def begin(clerk: Clerk, now: int, given: Alert = SLOW) -> str:
    """One message is under way to `chat`; its id."""
    clerk.take(given, now - WAIT)
    (message,) = clerk.book.begin(now, ["chat"])
    clerk.write()
    return message.id


def test_what_a_channel_refuses_is_tried_again_after_a_while_and_nothing_else_meanwhile() -> None:
    clerk = failing()
    begin(clerk, T0)
    clerk.take(alert(subject="P2"), T0)
    clerk.book.refused("chat", T0, MINUTE)
    assert clerk.tick(T0 + MINUTE - 1) == []
    assert clerk.tick(T0 + MINUTE) == [SLOW.id, alert(subject="P2").id]


def test_what_is_over_while_a_channel_refuses_is_never_told() -> None:
    clerk = failing()
    begin(clerk, T0)
    clerk.take(resolved(SLOW), T0)
    clerk.book.refused("chat", T0, MINUTE)
    assert clerk.through(T0, T0 + DAY) == []


def test_what_may_have_arrived_is_sent_again_as_it_was_and_its_end_follows() -> None:
    clerk = failing()
    begin(clerk, T0)
    clerk.book.refused("chat", T0, MINUTE, uncertain=True)
    clerk.take(resolved(SLOW), T0)
    clerk.write()
    assert [id_ for _, id_ in clerk.through(T0 + MINUTE, T0 + DAY)] == [SLOW.id, resolved(SLOW).id]
    assert clerk.messages[0].uncertain


def test_what_was_under_way_at_a_crash_is_sent_again_marked() -> None:
    clerk = failing()
    begin(clerk, T0)
    clerk.restart()
    assert clerk.tick(T0 + 1) == [SLOW.id]
    assert clerk.messages[0].uncertain


@pytest.mark.parametrize(("failed", "dead"), [(HOUR - 1, False), (HOUR, True), (HOUR + 1, True)])
def test_a_channel_is_dead_when_its_patience_is_over(failed: int, dead: bool) -> None:
    clerk = failing(fallback="mail")
    begin(clerk, T0)
    clerk.book.refused("chat", T0, MINUTE)
    (again,) = clerk.book.begin(T0 + failed, ["chat"])
    assert again.id == SLOW.id
    clerk.book.refused("chat", T0 + failed, MINUTE)
    assert clerk.book.dead == (frozenset({"chat"}) if dead else frozenset())
    assert [(one.channel, one.alert.id, one.reason) for one in clerk.book.given_up] == (
        [("chat", SLOW.id, "dead_channel")] if dead else []
    )
    if dead:
        clerk.tick(T0 + failed)
        assert clerk.said == [("mail", SLOW.id)]


def test_a_dead_channel_gives_up_what_comes_and_lives_again_with_its_first_message() -> None:
    clerk = failing()
    begin(clerk, T0)
    clerk.book.refused("chat", T0, MINUTE)
    clerk.book.begin(T0 + HOUR, ["chat"])
    clerk.book.refused("chat", T0 + HOUR, MINUTE)
    late = alert(subject="P2")
    clerk.take(late, T0 + HOUR)
    assert clerk.tick(T0 + HOUR + WAIT) == []
    assert [one.alert.id for one in clerk.book.given_up] == [SLOW.id, late.id]
    later = alert(subject="P3")
    clerk.take(later, T0 + HOUR + MINUTE)
    assert clerk.tick(T0 + HOUR + MINUTE + WAIT) == [later.id]
    assert clerk.book.dead == frozenset()


def test_asking_for_patience_is_no_failure() -> None:
    clerk = failing()
    begin(clerk, T0)
    clerk.book.refused("chat", T0, DAY, limited=True)
    assert clerk.book.dead == frozenset()
    assert clerk.tick(T0 + DAY - 1) == []
    assert clerk.tick(T0 + DAY) == [SLOW.id]


def test_a_message_that_will_never_be_taken_stops_no_other() -> None:
    clerk = failing()
    begin(clerk, T0)
    other = alert(subject="P2")
    clerk.take(other, T0 - WAIT)
    clerk.book.rejected("chat", T0)
    assert [(one.alert.id, one.reason) for one in clerk.book.given_up] == [(SLOW.id, "rejected")]
    assert clerk.tick(T0) == [other.id]


def test_a_failing_channel_holds_up_no_other() -> None:
    clerk = Clerk(settings(Route(name="a", channels=("chat", "mail"))))
    clerk.take(SLOW)
    clerk.book.begin(T0 + WAIT, ["chat"])
    clerk.book.refused("chat", T0 + WAIT, HOUR)
    clerk.tick(T0 + WAIT)
    assert clerk.said == [("mail", SLOW.id)]


@pytest.mark.parametrize(("later", "third"), [(MINUTE - 1, []), (MINUTE, ["P3"]), (MINUTE + 1, ["P3"])])
def test_a_channel_is_sent_no_more_than_it_takes_in_a_minute(later: int, third: list[str]) -> None:
    made = {"chat": Channel(name="chat", kind="dingtalk", url="http://127.0.0.1:1", per_minute=2)}
    clerk = Clerk(settings(made=made))
    for subject in ("P1", "P2", "P3"):
        clerk.take(alert(subject=subject), T0 - WAIT)
    assert len(clerk.tick(T0)) == 2
    clerk.tick(T0 + later)
    assert [one.alerts[0].key.subject for one in clerk.messages[2:]] == third


def test_what_is_meant_for_a_channel_that_was_removed_is_given_up() -> None:
    clerk = Clerk(settings(Route(name="a", channels=("chat", "mail"))))
    clerk.take(SLOW)
    clerk.settings = settings(Route(name="a", channels=("mail",)), channels=("mail",))
    clerk.restart()
    clerk.book.drop_unknown_channels(T0)
    assert [(one.channel, one.reason) for one in clerk.book.given_up] == [("chat", "channel_removed")]
    assert clerk.tick(T0 + WAIT) == [SLOW.id]


def test_repeats_are_known_for_as_long_as_settings_say() -> None:
    clerk = Clerk(settings(remember=DAY))
    clerk.take(SLOW)
    clerk.tick(T0 + WAIT)
    clerk.take(resolved(SLOW), T0 + HOUR)
    end = T0 + HOUR + WAIT
    clerk.tick(end)
    clerk.state.forget(end + DAY - 1, 0)
    clerk.take(SLOW, end + DAY)
    assert clerk.book.counts["repeats"] == 1
    clerk.state.forget(end + DAY, 0)
    clerk.write()
    assert clerk.rows == {}
