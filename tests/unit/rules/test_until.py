"""The end of a history: an event at it has its full effect, deadlines and boundaries at it are not passed."""

from __future__ import annotations

import pytest

from tests.unit.rules.timeline import TRIPLE, Said, Timeline, hours


@pytest.mark.parametrize("beside", TRIPLE)
@pytest.mark.parametrize(
    ("timeline", "kind", "deadline"),
    [
        (Timeline().shipped(0), "not_collected", 24),
        (Timeline().shipped(0).scan("departed", 0), "slow", 72),
        (Timeline().scan("departed", 0), "stalled", 168),
        (Timeline().paid(0), "ship_due_soon", 36),
        (Timeline().paid(0), "ship_late", 48),
        (Timeline().paid(0), "out_of_stock_suspected", 120),
        (Timeline().opened(0), "due_soon", 18),
        (Timeline().opened(0), "timed_out", 24),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_deadline_is_passed_when_the_end_is_greater(
    timeline: Timeline, kind: str, deadline: int, beside: int
) -> None:
    said = [one.what for one in timeline.said("", until=hours(deadline) + beside)]
    assert (kind in said) == (beside > 0)


@pytest.mark.parametrize("beside", TRIPLE)
def test_a_boundary_is_judged_when_the_end_is_greater(beside: int) -> None:
    table = Timeline().placed(0).heard(hours(1) + beside).table("help-rates")
    assert ("S1" in table) == (beside > 0)


@pytest.mark.parametrize("beside", TRIPLE)
def test_a_shipment_is_given_up_when_the_end_is_greater(beside: int) -> None:
    said = Timeline().scan("departed", 0).said("shipment", until=hours(180 * 24) + beside)
    assert (Said("stalled", hours(180 * 24), "given_up") in said) == (beside > 0)


def test_an_event_at_the_end_has_its_full_effect() -> None:
    at = hours(50)
    timeline = Timeline().paid(0).opened(0).shipped(0, "B").shipped(at).responded(at).scan("picked_up", at)
    resolved = {(one.what, one.resolution) for one in timeline.said("", until=at) if one.at == at}
    assert resolved == {
        ("ship_due_soon", "shipped"),
        ("ship_late", "shipped"),
        ("due_soon", "responded"),
        ("timed_out", "responded"),
        ("not_collected", "collected"),
    }


def test_an_event_behind_the_end_is_left_out() -> None:
    timeline = Timeline().paid(0).shipped(hours(50) + 1)
    assert [one.resolution for one in timeline.said("order", until=hours(50))] == [None, None]


def test_without_an_end_the_greatest_time_is_the_end_of_every_topic() -> None:
    # The scan is in time at its own deadline, and what is due at that instant is not passed.
    timeline = Timeline().shipped(0).scan("picked_up", 0).paid(hours(24), "B").scan("departed", hours(72))
    assert timeline.said("") == [Said("ship_due_soon", hours(60))]
    timeline.scan("arrived", hours(72) + 1)
    assert Said("ship_late", hours(72)) in timeline.said("")


def test_a_deadline_at_its_own_event_at_the_end_is_not_passed() -> None:
    timeline = Timeline().opened(hours(5), respond_by=0)
    assert timeline.said("ticket", until=hours(5)) == []
    assert len(timeline.said("ticket", until=hours(5) + 1)) == 2


def test_an_end_before_everything_leaves_nothing() -> None:
    heard = Timeline().paid(hours(1)).shipped(hours(9)).heard(0)
    assert (heard.alerts, heard.records) == ([], [])
