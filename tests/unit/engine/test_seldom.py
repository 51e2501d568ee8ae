"""What is said seldom is counted while it is not."""

from __future__ import annotations

from streams.engine.seldom import PAUSE, Seldom


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_each_thing_is_said_once_in_a_pause_and_none_is_lost_from_the_count() -> None:
    clock = Clock()
    seldom = Seldom[str](clock)
    said = []
    for number in range(1_000):
        clock.now = 1_000.0 + number * 0.1
        said += [(what, others) for what in "ab" if (others := seldom.due(what)) is not None]
    assert [what for what, _ in said] == ["a", "b"] * 4
    clock.now += PAUSE
    left = list(seldom.overdue())
    assert {what for what, _ in left} == {"a", "b"}
    for what in "ab":
        told = sum(1 + others for one, others in said if one == what)
        assert told + sum(count for one, count in left if one == what) == 1_000


def test_what_has_just_been_said_or_was_not_left_out_is_not_overdue() -> None:
    clock = Clock()
    seldom = Seldom[str](clock)
    assert seldom.due("a") == 0
    clock.now += PAUSE * 2
    assert list(seldom.overdue()) == []
    assert seldom.due("a") == 0
    assert seldom.due("a") is None
    assert list(seldom.overdue()) == []
    clock.now += PAUSE
    assert list(seldom.overdue()) == [("a", 1)]
    assert seldom.due("a") is None


def test_a_clock_that_goes_back_silences_nothing() -> None:
    clock = Clock()
    seldom = Seldom[str](clock)
    assert seldom.due("a") == 0
    clock.now -= 500
    assert seldom.due("a") == 0
