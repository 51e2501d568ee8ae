"""The windows of 7 and 30 days in hour buckets, main categories, baselines, and the records of both tables."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.rules.timeline import HOUR, TRIPLE, Heard, Timeline, days, hours, lowered

WINDOWS = [("7d", days(7)), ("30d", days(30))]


def record(heard: Heard, shop: str = "S1") -> dict[str, Any]:
    found = heard.table("help-rates")[shop]
    assert found is not None
    return found


def records(heard: Heard, table: str, key: str) -> list[dict[str, Any] | None]:
    """Every record of a key, in order."""
    return [one.value for one in heard.records if (one.table, one.key) == (table, key)]


def test_what_happens_in_an_hour_counts_as_of_its_end() -> None:
    for at, as_of in ((0, "01"), (HOUR - 1, "01"), (HOUR, "02")):
        heard = Timeline().placed(at).heard(hours(5))
        assert record(heard)["as_of"] == f"2025-03-03T{as_of}:00:00Z"


@pytest.mark.parametrize(("window", "length"), WINDOWS)
@pytest.mark.parametrize("in_hour", [0, 1, HOUR - 1])
def test_an_hour_is_in_the_window_at_the_boundary_at_which_it_begins_and_gone_at_the_next(
    window: str, length: int, in_hour: int
) -> None:
    # T - W <= time: the hour from 0 h on is in the window as of T = W, and not as of W + 1 h.
    timeline = Timeline().placed(in_hour).complained(in_hour).placed(hours(2), "B")
    assert timeline.heard(length + 1).window(window=window)["orders"] == 2
    assert timeline.heard(length + HOUR).window(window=window)["orders"] == 2
    later = timeline.heard(length + HOUR + 1).window(window=window)
    assert (later["orders"], later["escalations"], later["rate"]) == (1, 0, 0)


def test_without_orders_the_rate_is_null_and_it_can_exceed_one() -> None:
    assert Timeline().complained(0).heard(hours(2)).window()["rate"] is None
    timeline = Timeline().placed(0).complained(0, "K1").complained(0, "K2").complained(0, "K3")
    assert timeline.heard(hours(2)).window()["rate"] == 3


def test_rates_are_published_with_six_digits() -> None:
    timeline = Timeline().complained(0)
    for number in range(3):
        timeline.placed(0, f"A{number}")
    assert timeline.heard(hours(2)).window()["rate"] == 0.333333


def test_an_order_counts_once_at_its_first_placing_for_its_shop() -> None:
    timeline = Timeline().placed(0).placed(hours(3), shop_id="S9").placed(0)
    heard = timeline.heard(hours(5))
    assert (heard.window()["orders"], heard.repeated, "S9" in heard.table("help-rates")) == (1, 2, False)


def test_a_record_per_change_and_boundary_and_none_between() -> None:
    timeline = Timeline().placed(0, "A").placed(1, "B").placed(hours(3), "C")
    found = records(timeline.heard(days(6)), "help-rates", "S1")
    assert [(one["as_of"], one["30d"]["orders"]) for one in found if one] == [
        ("2025-03-03T01:00:00Z", 2),
        ("2025-03-03T04:00:00Z", 3),
    ]


def test_the_record_tells_every_figure_of_both_windows() -> None:
    value = record(Timeline().placed(0).disputed(1).heard(hours(2)))
    window = {
        "orders": 1, "disputes": 1, "complaints": 0, "interventions": 0, "ticket_timeouts": 0, "escalations": 1,
        "rate": 1.0, "logistics_linked": 0, "window_closed": 0,
    }  # fmt: skip
    assert value == {
        "shop_id": "S1", "as_of": "2025-03-03T01:00:00Z", "main_category": "c1", "state": "insufficient",
        "baseline": None, "7d": window, "30d": window,
    }  # fmt: skip


@pytest.mark.parametrize("beside", TRIPLE)
def test_a_tombstone_once_nothing_is_left_in_the_longest_window(beside: int) -> None:
    left = days(30) + HOUR
    heard = Timeline().placed(5).complained(7).heard(left + beside)
    value = heard.table("help-rates")["S1"]
    assert (value is None) == (beside > 0)
    baseline = heard.table("category-baselines")["c1"]
    assert (baseline is None) == (beside > 0)


def test_a_shop_that_comes_back_behind_its_tombstone_begins_anew() -> None:
    heard = Timeline().placed(0).placed(days(60), "B").heard(days(61))
    found = records(heard, "help-rates", "S1")
    assert [one and one["30d"]["orders"] for one in found] == [1, 1, None, 1]
    assert [one and one["7d"]["orders"] for one in found] == [1, 0, None, 1]


def test_the_main_category_is_that_of_the_most_lines_and_the_smallest_of_equals() -> None:
    for lines, main in (
        ((("i", "c2"), ("i", "c2"), ("j", "c1")), "c2"),
        ((("i", "c9"), ("j", "c10")), "c10"),
        ((("i", "c2"), ("j", "c1"), ("k", "c3")), "c1"),
    ):
        assert record(Timeline().placed(0, items=lines).heard(hours(2)))["main_category"] == main


def test_the_main_category_is_of_the_last_30_days() -> None:
    timeline = Timeline().placed(0, items=[("i", "c1"), ("j", "c1")]).placed(hours(1), "B", items=[("k", "c2")])
    assert record(timeline.heard(days(30) + HOUR))["main_category"] == "c1"
    assert record(timeline.heard(days(30) + HOUR + 1))["main_category"] == "c2"


def test_a_shop_without_orders_has_no_main_category() -> None:
    assert record(Timeline().complained(0).heard(hours(2)))["main_category"] is None


# -- baselines


def shops(timeline: Timeline, count: int, orders: int, complaints: int = 0, at: int = 0, prefix: str = "N") -> Timeline:
    """So many shops with so many orders and complaints each."""
    for shop in range(count):
        for number in range(orders):
            timeline.placed(at, f"{prefix}{shop}-{number}", shop_id=f"{prefix}{shop}")
        for number in range(complaints):
            timeline.complained(at, f"{prefix}{shop}-{number}", shop_id=f"{prefix}{shop}")
    return timeline


@pytest.mark.parametrize(("count", "rate"), [(4, None), (5, 0.1), (6, 0.1)])
def test_a_baseline_needs_five_shops(count: int, rate: float | None) -> None:
    heard = shops(Timeline(), count, 30, 3).heard(hours(2))
    assert heard.table("category-baselines")["c1"] == {
        "category_id": "c1", "as_of": "2025-03-03T01:00:00Z", "shops": count, "rate": rate,
    }  # fmt: skip
    assert record(heard, "N0")["baseline"] == rate
    assert record(heard, "N0")["state"] == ("insufficient" if rate is None else "ok")


@pytest.mark.parametrize(("orders", "shops_with_enough"), [(29, 4), (30, 5)])
def test_each_of_them_with_at_least_30_orders(orders: int, shops_with_enough: int) -> None:
    timeline = shops(shops(Timeline(), 4, 30, 3), 1, orders, 30, prefix="M")
    value = timeline.heard(hours(2)).table("category-baselines")["c1"]
    assert value is not None
    assert value["shops"] == shops_with_enough
    assert value["rate"] == (0.28 if orders == 30 else None)


def test_the_baseline_is_the_mean_of_the_rates_and_not_the_rate_of_the_sums() -> None:
    timeline = shops(shops(Timeline(lowered()), 1, 2, 2, prefix="M"), 1, 8, 0)
    value = timeline.heard(hours(2)).table("category-baselines")["c1"]
    assert value is not None
    assert value["rate"] == 0.5


def test_a_shop_counts_in_its_main_category_alone() -> None:
    timeline = shops(Timeline(lowered()), 2, 2, 1).placed(0, "X", shop_id="N0", items=[("i", "c2")])
    table = timeline.heard(hours(2)).table("category-baselines")
    assert "c2" not in table
    value = table["c1"]
    assert value is not None
    assert value["rate"] == round((1 / 3 + 1 / 2) / 2, 6)


def test_a_shop_whose_main_category_changes_moves_to_the_other_baseline() -> None:
    timeline = shops(Timeline(lowered()), 3, 2, 1)
    for number in range(3):
        timeline.placed(hours(4), f"X{number}", shop_id="N0", items=[("i", "c2")])
    heard = timeline.heard(hours(9))
    assert [one and (one["shops"], one["rate"]) for one in records(heard, "category-baselines", "c1")] == [
        (3, 0.5),
        (2, 0.5),
    ]
    assert [one and (one["shops"], one["rate"]) for one in records(heard, "category-baselines", "c2")] == [(1, None)]


def test_a_new_baseline_alone_is_no_record_of_a_shop_whose_state_stays() -> None:
    timeline = shops(shops(Timeline(lowered()), 2, 4, 1), 1, 4, 1, at=hours(3), prefix="M")
    timeline.complained(hours(3), "more", shop_id="M0")
    heard = timeline.heard(hours(9))
    assert [one and one["as_of"] for one in records(heard, "help-rates", "N0")] == ["2025-03-03T01:00:00Z"]
    assert record(heard, "N0")["baseline"] == 0.25
    assert record(heard, "M0")["baseline"] == round((0.25 + 0.25 + 0.5) / 3, 6)


def test_the_baselines_record_changes_with_shops_or_rate_alone() -> None:
    timeline = shops(Timeline(lowered()), 2, 2, 1)
    # Another order and another half complaint: the same rate.
    for number in range(2):
        timeline.placed(hours(2), f"Y{number}", shop_id="N0").placed(hours(3), f"Z{number}", shop_id="N1")
        timeline.placed(hours(2), f"V{number}", shop_id="N0")
    timeline.complained(hours(2), "y", shop_id="N0").complained(hours(2), "z", shop_id="N0")
    timeline.complained(hours(3), "w", shop_id="N1")
    found = records(timeline.heard(hours(9)), "category-baselines", "c1")
    assert [one and one["as_of"] for one in found] == ["2025-03-03T01:00:00Z"]
