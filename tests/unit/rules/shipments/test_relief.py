"""Spans of relief that overlap, hold everywhere or for one end, and meet other thresholds and silent feeds."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.rules.shipments.outage import MOVED, NEXT, TOLD, lowered, resuming
from tests.unit.rules.shipments.parcels import SLOW, relieved
from tests.unit.rules.timeline import T0, TRIPLE, Said, Timeline, days, hours, render, tmall

STALLED, NOT_COLLECTED = "shipment.stalled", "shipment.not_collected"


def told(timeline: Timeline, kind: str = SLOW) -> tuple[int, str | None]:
    """When it is raised, and which relief it names."""
    alert = timeline.heard(days(30)).only(kind)
    return alert.time - T0, alert.evidence.get("relief")


def under_way(*spans: dict[str, Any], at: int = hours(12), **fields: Any) -> Timeline:
    return Timeline(relieved(*spans)).shipped(0, **{"from_region": "河南", **fields}).scan("arrived", at)


@pytest.mark.parametrize(
    ("longer", "holds"), [((24, 25), "second"), ((25, 24), "first"), ((24, 24), "first"), ((24.5, 24.25), "first")]
)
def test_of_several_spans_the_longest_holds_and_of_equal_ones_the_first(
    longer: tuple[float, float], holds: str
) -> None:
    spans = [{"name": name, "hours": more} for name, more in zip(("first", "second"), longer, strict=True)]
    assert told(under_way(*spans)) == (hours(12) + hours(72 + max(longer)), holds)


def test_a_longer_span_of_other_regions_or_times_holds_nothing() -> None:
    elsewhere = {"name": "elsewhere", "hours": 99, "regions": ["河北"]}
    later = {"name": "later", "hours": 99, "from": render(T0 + hours(12) + 1)}
    assert told(under_way(elsewhere, later, {})) == (hours(12) + hours(96), "flood")


@pytest.mark.parametrize(
    ("regions", "held"),
    [
        ({"from_region": "河南省", "to_region": "浙江"}, True),
        ({"from_region": "浙江", "to_region": "河南省"}, True),
        ({"from_region": "浙江", "to_region": "河北"}, False),
        ({"from_region": "郑州", "to_region": None}, False),
        ({"from_region": None, "to_region": None}, False),
    ],
)
def test_either_end_of_the_way_is_enough(regions: dict[str, str | None], held: bool) -> None:
    assert told(under_way(**regions))[1] == ("flood" if held else None)


@pytest.mark.parametrize("beside", TRIPLE)
def test_where_the_order_goes_counts_from_when_it_is_placed(beside: int) -> None:
    timeline = under_way(from_region=None).placed(hours(12) + beside, ship_to_region="河南")
    assert told(timeline)[1] == ("flood" if beside <= 0 else None)


def test_where_a_later_order_goes_does_not_count() -> None:
    assert told(under_way(from_region=None).shipped(1, "B", to_region="河南"))[1] is None


def test_a_parcel_without_an_order_has_no_way_and_a_span_of_regions_does_not_hold() -> None:
    timeline = Timeline(relieved()).scan("arrived", hours(12)).shipped(hours(13), from_region="河南", number="X2")
    timeline.scan("delivered", hours(14), number="X2")
    assert timeline.said(STALLED, until=days(9)) == [Said("stalled", hours(12) + days(7))]


@pytest.mark.parametrize("beside", TRIPLE)
def test_not_collected_runs_from_the_shipping(beside: int) -> None:
    at = hours(20) + beside
    timeline = Timeline(relieved(regions=None)).scan("info_received", hours(12)).shipped(at)
    found = told(timeline, NOT_COLLECTED)
    assert found == (at + hours(48 if beside < 0 else 24), "flood" if beside < 0 else None)


@pytest.mark.parametrize("beside", TRIPLE)
def test_a_threshold_that_is_not_strict_stays_so(beside: int) -> None:
    due = hours(12) + hours(120 + 24)
    timeline = Timeline(relieved(policy=tmall())).shipped(0, from_region="河南").scan("departed", hours(12))
    said = timeline.scan("arrived", due + beside).said(STALLED, until=due + hours(1))
    assert said == ([Said("stalled", due), Said("stalled", due + beside, "resumed")] if beside >= 0 else [])


@pytest.mark.parametrize("beside", TRIPLE)
def test_relief_comes_first_and_a_silent_feed_may_move_what_is_then_due(beside: int) -> None:
    always = {"regions": None, "from": render(T0), "to": render(T0 + days(30))}
    due = TOLD + beside
    timeline = resuming(policy=relieved(always, policy=lowered())).shipped(due - hours(24 + 24))
    assert told(timeline, NOT_COLLECTED) == (MOVED if beside >= 0 else due, "flood")


@pytest.mark.parametrize("beside", TRIPLE)
def test_relief_may_put_a_deadline_behind_a_silence(beside: int) -> None:
    always = {"regions": None, "from": render(T0), "to": render(T0 + days(30))}
    due = NEXT + beside
    timeline = resuming(policy=relieved(always, policy=lowered())).shipped(due - hours(24 + 24))
    assert told(timeline, NOT_COLLECTED) == (due if beside >= 0 else MOVED, "flood")


def test_a_promise_has_no_relief() -> None:
    timeline = Timeline(relieved(regions=None)).shipped(hours(12), deliver_by=render(T0 + hours(15)))
    alert = timeline.heard(days(1)).only("shipment.delivery_late")
    assert (alert.time - T0, "relief" in alert.evidence) == (hours(15), False)
