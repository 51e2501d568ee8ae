"""Tickets: due soon at three quarters of the time, timed out at its end; the clock of a paused one stands still."""

from __future__ import annotations

import pytest

from tests.unit.rules.timeline import SECOND, TRIPLE, Said, Timeline, days, hours


@pytest.mark.parametrize(("kind", "allowed"), [("urge_shipping", 24), ("after_sales", 48), ("other", 48)])
def test_the_kind_gives_the_time_to_answer(kind: str, allowed: int) -> None:
    assert Timeline().opened(0, kind).said("ticket", until=hours(allowed) + 1) == [
        Said("due_soon", hours(allowed) * 3 // 4),
        Said("timed_out", hours(allowed)),
    ]


def test_the_merchant_is_told_of_ticket_shop_and_order() -> None:
    heard = Timeline().opened(0, order_id="A", shop_id="S2").heard(days(2))
    assert {(a.audiences, a.subject, a.shop_id, a.order_id) for a in heard.alerts} == {(("merchant",), "K", "S2", "A")}
    assert Timeline().opened(0).heard(days(2)).only("ticket.timed_out").order_id is None


@pytest.mark.parametrize("beside", TRIPLE)
@pytest.mark.parametrize(("kind", "deadline"), [("due_soon", 18), ("timed_out", 24)])
def test_an_answer_up_to_the_deadline_is_in_time_and_resolves_behind_it(kind: str, deadline: int, beside: int) -> None:
    at = hours(deadline) + beside
    said = Timeline().opened(0).responded(at).said(f"ticket.{kind}", until=days(3))
    assert said == ([Said(kind, hours(deadline)), Said(kind, at, "responded")] if beside > 0 else [])


@pytest.mark.parametrize(
    ("allowed", "soon"), [(1, 0), (2, 1), (3, 2), (4, 3), (5, 3), (7, 5), (10 * SECOND + 1, 7_500_000)]
)
def test_three_quarters_are_rounded_down_to_the_microsecond(allowed: int, soon: int) -> None:
    said = Timeline().opened(hours(1), respond_by=hours(1) + allowed).said("ticket", until=hours(2))
    assert said == [Said("due_soon", hours(1) + soon), Said("timed_out", hours(1) + allowed)]


@pytest.mark.parametrize("before", [0, 1, hours(6)])
def test_an_answer_agreed_for_before_the_opening_is_due_at_the_opening(before: int) -> None:
    timeline = Timeline().opened(hours(9), respond_by=hours(9) - before).responded(hours(10))
    assert timeline.said("ticket") == [
        Said("due_soon", hours(9)),
        Said("timed_out", hours(9)),
        Said("due_soon", hours(10), "responded"),
        Said("timed_out", hours(10), "responded"),
    ]


@pytest.mark.parametrize("before", [0, 1, hours(1)])
def test_a_ticket_answered_before_or_when_it_is_opened_is_never_due(before: int) -> None:
    timeline = Timeline().responded(hours(1) - before).opened(hours(1), respond_by=hours(1))
    assert timeline.said("ticket", until=days(9)) == []


def test_a_ticket_that_was_never_opened_is_never_due() -> None:
    timeline = Timeline().paused(0).resumed(1).responded(hours(50))
    assert timeline.said("ticket", until=days(9)) == []


@pytest.mark.parametrize("length", [1, 999_999, hours(3) + 7])
def test_a_pause_shifts_what_is_due_by_its_length(length: int) -> None:
    timeline = Timeline().opened(0).paused(hours(1) + 13).resumed(hours(1) + 13 + length)
    assert timeline.said("ticket", until=days(3)) == [
        Said("due_soon", hours(18) + length),
        Said("timed_out", hours(24) + length),
    ]


def test_a_pause_between_the_two_deadlines_shifts_the_second_alone() -> None:
    timeline = Timeline().opened(0).paused(hours(20)).resumed(hours(30))
    assert timeline.said("ticket", until=days(3)) == [Said("due_soon", hours(18)), Said("timed_out", hours(34))]


@pytest.mark.parametrize("beside", TRIPLE)
@pytest.mark.parametrize(("kind", "deadline"), [("due_soon", 18), ("timed_out", 24)])
def test_a_pause_at_the_very_deadline_holds_it_until_the_resume(kind: str, deadline: int, beside: int) -> None:
    timeline = Timeline().opened(0).paused(hours(deadline) + beside).resumed(hours(40))
    due = hours(deadline) if beside > 0 else hours(40) - beside
    assert timeline.said(f"ticket.{kind}", until=days(3)) == [Said(kind, due)]


def test_a_pause_without_a_resume_holds_for_good() -> None:
    assert Timeline().opened(0).paused(hours(20)).said("ticket", until=days(90)) == [Said("due_soon", hours(18))]


def test_an_answer_during_the_pause_is_in_time() -> None:
    timeline = Timeline().opened(0).paused(hours(20)).responded(hours(60)).resumed(hours(61))
    assert timeline.said("ticket.timed_out", until=days(9)) == []


def test_an_answer_during_a_later_pause_resolves_what_was_raised() -> None:
    timeline = Timeline().opened(0).paused(hours(25)).responded(hours(60)).resumed(hours(61))
    assert timeline.said("ticket.timed_out", until=days(9)) == [
        Said("timed_out", hours(24)),
        Said("timed_out", hours(60), "responded"),
    ]


def test_a_pause_while_paused_and_a_resume_while_running_change_nothing() -> None:
    timeline = Timeline().opened(0).resumed(hours(1)).paused(hours(2)).paused(hours(3)).resumed(hours(5))
    timeline.resumed(hours(8))
    assert timeline.said("ticket.timed_out", until=days(9)) == [Said("timed_out", hours(27))]


def test_a_pause_and_a_resume_at_one_instant_go_by_event_id() -> None:
    timeline = Timeline().opened(0).paused(hours(2), event_id="a").resumed(hours(2), event_id="b")
    assert timeline.said("ticket.timed_out", until=days(9)) == [Said("timed_out", hours(24))]
    timeline = Timeline().opened(0).paused(hours(2), event_id="b").resumed(hours(2), event_id="a")
    assert timeline.said("ticket.timed_out", until=days(9)) == []


def test_pauses_before_the_opening_count_from_the_opening() -> None:
    timeline = Timeline().paused(0).opened(hours(1)).resumed(hours(4))
    assert timeline.said("ticket.timed_out", until=days(9)) == [Said("timed_out", hours(28))]
    timeline = Timeline().paused(0).resumed(hours(1)).opened(hours(2))
    assert timeline.said("ticket.timed_out", until=days(9)) == [Said("timed_out", hours(26))]


def test_a_ticket_overdue_at_its_opening_and_paused_then_is_due_at_the_resume() -> None:
    timeline = Timeline().opened(hours(9), respond_by=0).paused(hours(9)).resumed(hours(12))
    assert timeline.said("ticket", until=days(9)) == [Said("due_soon", hours(12)), Said("timed_out", hours(12))]


def test_several_pauses_add_up() -> None:
    timeline = Timeline().opened(0)
    for number in range(5):
        timeline.paused(hours(2 * number + 1)).resumed(hours(2 * number + 1) + 3)
    assert timeline.said("ticket.timed_out", until=days(3)) == [Said("timed_out", hours(24) + 15)]


def test_the_first_opening_and_the_first_answer_hold() -> None:
    timeline = Timeline().opened(0).opened(hours(5), "other", shop_id="S9")
    timeline.responded(hours(30)).responded(hours(31))
    heard = timeline.heard(days(3))
    assert heard.said("ticket.timed_out") == [
        Said("timed_out", hours(24)),
        Said("timed_out", hours(30), "responded"),
    ]
    assert (heard.repeated, heard.only("ticket.timed_out").shop_id) == (2, "S1")


def test_under_another_key_it_is_another_ticket() -> None:
    timeline = Timeline().opened(0, order_id="A").opened(hours(1), order_id="B").opened(hours(2))
    timeline.responded(hours(3), order_id="B")
    assert timeline.said("ticket.timed_out", until=days(3)) == [
        Said("timed_out", hours(24)),
        Said("timed_out", hours(26)),
    ]
    assert len({alert.episode for alert in timeline.heard(days(3)).every("ticket.timed_out")}) == 2


def test_the_evidence_tells_the_due_time_with_the_pauses_known_by_then() -> None:
    timeline = Timeline().opened(0).paused(hours(2)).resumed(hours(3)).paused(hours(20)).resumed(hours(22))
    heard = timeline.heard(days(3))
    assert heard.only("ticket.due_soon").evidence["due_at"] == "2025-03-04T01:00:00Z"
    assert heard.only("ticket.timed_out").evidence["due_at"] == "2025-03-04T03:00:00Z"
    assert heard.only("ticket.timed_out").evidence["kind"] == "urge_shipping"
