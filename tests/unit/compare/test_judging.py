"""What a comparison says about a history, from the events on."""

from __future__ import annotations

import pytest

from streams.compare.findings import Findings, TypeRow
from streams.compare.judging import is_over_soon, judge
from streams.compare.levels import Change, at_level, hours_apart
from streams.policy import load
from tests.unit.compare import T0, Input, episode, help_rates, hours, stalls_after

A_DAY = 24


def row(found: Findings, type_: str) -> TypeRow:
    (one,) = [row for row in found.types if row.type == type_]
    return one


def silent_parcel(*, until_scan: float) -> Input:
    """A parcel without a shop whose second scan comes after so many hours."""
    history = Input()
    history.scan(0)
    history.scan(until_scan, status="delivered")
    return history


def test_a_shorter_threshold_raises_the_same_silence_earlier() -> None:
    found = judge(silent_parcel(until_scan=400).run(stalls_after(168), stalls_after(96)))
    stalled = row(found, "shipment.stalled")
    assert (stalled.a.raised, stalled.b.raised) == (1, 1)
    assert {change: count for change, count in stalled.changes.items() if count} == {"earlier": 1}
    assert stalled.shift_hours is not None
    assert stalled.shift_hours.median == -72
    assert stalled.days == {"2025-03-07": (0, 1), "2025-03-10": (1, 0)}
    (difference,) = found.differences
    assert (difference.raised_a, difference.raised_b) == ("2025-03-10T00:00:00Z", "2025-03-07T00:00:00Z")


def test_a_silence_that_ends_between_the_thresholds_is_raised_by_the_shorter_alone() -> None:
    found = judge(silent_parcel(until_scan=100).run(stalls_after(168), stalls_after(96), until=400))
    stalled = row(found, "shipment.stalled")
    assert stalled.changes["only_b"] == 1
    assert stalled.b.share == 1
    assert stalled.a.share is None


@pytest.mark.parametrize(("after", "over"), [(-1, True), (0, True), (1, False)])
def test_an_alert_is_over_soon_up_to_24_hours_after_the_raise(after: int, over: bool) -> None:
    one = episode(raised=T0, resolved=hours(A_DAY) + after, resolution="resumed")
    assert is_over_soon(one) is over


PROOFS = [
    ("shipment.stalled", "returned"),
    ("shipment.slow", "destroyed"),
    ("shipment.not_collected", "given_up"),
    ("order.ship_late", "cancelled"),
    ("help_rate.elevated", "escalated"),
    ("help_rate.delisting_risk", "insufficient"),
    ("aftersales.rights_refused", "disputed"),
]


@pytest.mark.parametrize(("type_", "resolution"), PROOFS)
def test_an_end_that_proves_the_alert_right_or_says_nothing_is_not_over_by_itself(type_: str, resolution: str) -> None:
    assert not is_over_soon(episode(type_, raised=T0, resolved=hours(1), resolution=resolution))


@pytest.mark.parametrize(("until", "watched"), [(191.99, 0), (192, 1), (192.01, 1)])
def test_an_alert_counts_where_the_24_hours_after_it_were_seen(until: float, watched: int) -> None:
    history = Input()
    history.scan(0)
    found = judge(history.run(stalls_after(168), stalls_after(168), until=until))
    assert row(found, "shipment.stalled").a.watched == watched


def test_what_a_late_event_disproves_is_counted_as_withdrawn() -> None:
    history = Input()
    history.scan(0)
    history.scan(200, parcel="P2")
    history.scan(100)
    found = judge(history.run(stalls_after(168), stalls_after(240), until=210))
    stalled = row(found, "shipment.stalled")
    assert (stalled.a.raised, stalled.a.withdrawn) == (1, 1)
    assert (found.a.late, found.b.late) == (1, 1)


def test_one_policy_twice_differs_in_nothing_and_is_told_apart_by_letters() -> None:
    found = judge(silent_parcel(until_scan=400).run(load.default(), load.default()))
    assert found.differences == []
    assert found.total("same") == found.a.alerts == found.b.alerts == 1
    assert (found.a.name, found.b.name) == ("default (A)", "default (B)")


def test_nothing_read_is_nothing_found() -> None:
    found = judge(Input().run(load.default(), load.default()))
    assert (found.first, found.until, found.events) == (None, None, 0)
    assert (found.types, found.levels, found.differences) == ([], [], [])


def test_events_after_the_end_are_left_out_and_dead_letters_counted() -> None:
    history = Input()
    history.scan(0)
    history.scan(10)
    history.scan(5, status="lost in space")
    found = judge(history.run(load.default(), load.default(), until=9))
    assert (found.events, found.left_out, found.dead) == (1, 1, 1)


def shops() -> Input:
    """Two shops with three orders each; one has two disputes."""
    history = Input()
    for shop in ("S1", "S2"):
        for number in range(3):
            items = [{"item_id": f"{shop}-{number}", "category_id": "tea", "quantity": 1}]
            history.order(number / 10, "placed", f"{shop}-O{number}", shop, buyer_id="b", items=items)
    for number in range(2):
        history.order(5.5 + number, "placed", f"S1-late{number}", "S1", buyer_id="b",
                      items=[{"item_id": f"late{number}", "category_id": "tea", "quantity": 1}])  # fmt: skip
        history.order(5.6 + number, "cancelled", f"S1-late{number}", "S1")
        history.dispute(5.7 + number, f"D{number}", order="S1-O0", shop="S1")
    return history


def test_a_shop_at_another_level_is_listed_with_how_long_and_how_often() -> None:
    # S1 has 2 of 5, S2 0 of 3: 0.4 beside a mean of 0.2.
    found = judge(shops().run(help_rates(), help_rates(elevated=2.1, campaign_blocked=2.5), until=12))
    assert found.shops.known == 2
    assert found.shops.differ_at_end == 1
    (shop,) = found.shops.rows
    assert (shop.shop_id, shop.level_a, shop.level_b) == ("S1", "campaign_blocked", "ok")
    assert shop.rate_a == shop.rate_b == 0.4
    # From the boundary at 6 h on, at which the first dispute counts.
    assert shop.hours_apart == 6
    assert (shop.changes_a, shop.changes_b) == (2, 1)


def test_hours_apart_are_those_between_changes_up_to_the_end() -> None:
    a = [Change(hours(1), "ok"), Change(hours(10), "elevated")]
    b = [Change(hours(1), "ok"), Change(hours(4), "elevated"), Change(hours(6), "ok")]
    assert hours_apart(a, b, hours(12)) == 2 + 2
    assert hours_apart(a, a, hours(12)) == 0
    assert hours_apart(a, [], hours(12)) == 11


def test_shops_are_counted_at_the_level_that_holds_at_that_very_instant() -> None:
    changes = [[Change(hours(1), "ok"), Change(hours(2), "elevated")], [Change(hours(2), "ok")]]
    moments = [hours(0), hours(1), hours(2) - 1, hours(2)]
    assert at_level(changes, moments) == [{}, {"ok": 1}, {"ok": 1}, {"elevated": 1, "ok": 1}]
