"""Which alert under one policy is which under the other."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.compare.episodes import Episode
from streams.compare.judging import change_of
from streams.compare.matching import Pair, match
from tests.unit.compare import episode, hours


def changes(a: list[Episode], b: list[Episode]) -> list[str]:
    return [change_of(pair) for pair in match(a, b)]


def level(raised: float, resolved: float | None, **more: Any) -> Episode:
    end = hours(resolved) if resolved is not None else None
    return episode("help_rate.elevated", "S", about=None, raised=hours(raised), resolved=end, **more)


@pytest.mark.parametrize(("moved", "change"), [(-1, "earlier"), (0, "same"), (1, "later")])
def test_the_same_thing_at_another_time_is_earlier_or_later_by_a_microsecond(moved: int, change: str) -> None:
    assert changes([episode(raised=hours(5))], [episode(raised=hours(5) + moved)]) == [change]


def test_what_one_policy_alone_raises_is_only_its_own() -> None:
    assert changes([episode(raised=hours(1))], []) == ["only_a"]
    assert changes([], [episode(raised=hours(1))]) == ["only_b"]


@pytest.mark.parametrize("other", [{"subject": "P2"}, {"type_": "shipment.slow"}, {"about": ("y",)}])
def test_alerts_of_another_subject_type_or_silence_are_not_the_same(other: dict[str, Any]) -> None:
    assert sorted(changes([episode(raised=hours(1))], [episode(raised=hours(1), **other)])) == ["only_a", "only_b"]


def test_two_silences_of_one_parcel_find_each_its_own() -> None:
    a = [episode(about=("1",), raised=hours(10)), episode(about=("2",), raised=hours(100))]
    b = [episode(about=("2",), raised=hours(90))]
    assert changes(a, b) == ["only_a", "earlier"]


def test_what_stands_is_paired_before_what_a_late_event_withdrew() -> None:
    withdrawn = episode(raised=hours(1), resolved=hours(1), resolution="late_event")
    stands = episode(raised=hours(3))
    assert match([withdrawn, stands], [episode(raised=hours(3))]) == [Pair(withdrawn, None), Pair(stands, stands)]


@pytest.mark.parametrize(("ends", "found"), [(9.9, 2), (10, 2), (10.1, 1)])
def test_levels_are_the_same_where_they_are_open_at_the_same_time(ends: float, found: int) -> None:
    assert len(match([level(0, ends)], [level(10, 20)])) == found


def test_a_level_that_is_open_at_the_end_overlaps_with_all_that_comes() -> None:
    assert changes([level(0, None)], [level(100, None)]) == ["later"]


def test_one_long_level_is_paired_with_the_first_of_two_short_ones() -> None:
    assert changes([level(0, 100)], [level(10, 20), level(30, 40)]) == ["later", "only_b"]


def test_levels_of_two_shops_that_sell_the_same_item_are_not_mixed() -> None:
    assert len(match([level(0, 10, shop_id="S1")], [level(0, 10, shop_id="S2")])) == 2


CASES = st.lists(
    st.builds(
        lambda subject, about, start, length: episode(
            subject=subject, about=about, raised=hours(start), resolved=hours(start + length) if length else None
        ),
        st.sampled_from("pq"),
        st.sampled_from([None, ("x",), ("y",)]),
        st.integers(0, 50),
        st.integers(0, 20),
    ),
    max_size=12,
)


@given(CASES, CASES)
def test_every_alert_is_in_one_pair_and_the_other_way_round_is_the_mirror(a: list[Episode], b: list[Episode]) -> None:
    pairs = match(a, b)
    for side, episodes in enumerate((a, b)):
        found = [id(pair[side]) for pair in pairs if pair[side] is not None]
        assert sorted(found) == sorted(map(id, episodes))
    mirrored = sorted((id(pair.b), id(pair.a)) for pair in match(b, a))
    assert mirrored == sorted((id(pair.a), id(pair.b)) for pair in pairs)
