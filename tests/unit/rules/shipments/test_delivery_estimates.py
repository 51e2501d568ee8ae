"""What alerts of parcels say of their delivery with a model: as of the raise, by what became of parcels like them."""

from __future__ import annotations

from typing import Any

import pytest

from streams.policy import load
from streams.policy.model import Policy
from streams.rules.alert import RESOLVED
from streams.rules.alert_types import types_about
from tests.unit.estimating import group, model, point, with_estimates
from tests.unit.rules.timeline import T0, Timeline, days, hours, render

SLOW, STALLED, LATE = "shipment.slow", "shipment.stalled", "shipment.delivery_late"
NOT_COLLECTED, FAILING = "shipment.not_collected", "shipment.delivery_failing"
#: What is told of each silence; of parcels picked up, and not scanned, something else.
POLICY = with_estimates(
    load.default(),
    model(
        group(point(0, 5, 6, 0.99), point(24, 10, 30, 0.9), point(72, 48, None, 0.6), point(168, None, None, 0.2)),
        group(point(24, 7, 8, 0.5), status="not_scanned"),
        group(point(0, 1, 2, 0.95), point(72, 3, 4, 0.8), status="picked_up", tier="after_pickup", carrier="SF"),
        group(point(72, 12, 13, 0.7), status="departed", tier="near", carrier="SF"),
    ),
)


def by(raised: int, p50: float | None, p90: float | None, share: float | None) -> dict[str, Any]:
    """The two fields of an alert, with hours from its raise on."""
    expected = {name: None if wait is None else render(T0 + raised + hours(wait)) for name, wait in
                (("p50", p50), ("p90", p90))}  # fmt: skip
    return {"expected_by": expected, "delivered_after_all": share}


def told(timeline: Timeline, kind: str, until: int, status: str = "raised") -> dict[str, Any]:
    evidence = timeline.heard(until).only(kind, status).evidence
    return {name: evidence[name] for name in ("expected_by", "delivered_after_all")}


def moving(policy: Policy = POLICY, status: str = "departed", **regions: str) -> Timeline:
    return Timeline(policy).shipped(0, **regions).scan("picked_up", hours(1)).scan(status, hours(2))


def test_each_silence_tells_of_parcels_that_have_been_silent_for_as_long() -> None:
    timeline = moving()

    assert told(timeline, SLOW, days(9)) == by(hours(74), 48, None, 0.6)
    assert told(timeline, STALLED, days(9)) == by(hours(170), None, None, 0.2)


def test_the_tier_and_the_last_status_are_those_as_of_the_raise() -> None:
    near = {"from_region": "浙江", "to_region": "江苏"}

    assert told(moving(**near), SLOW, days(5)) == by(hours(74), 12, 13, 0.7)
    assert told(moving(from_region="浙江", to_region="广东"), SLOW, days(5)) == by(hours(74), 48, None, 0.6)
    picked_up = Timeline(POLICY).shipped(0, **near).scan("picked_up", hours(1))
    assert told(picked_up, SLOW, days(5)) == by(hours(73), 3, 4, 0.8)


def test_a_parcel_without_a_scan_is_told_of_by_those_without_one() -> None:
    assert told(Timeline(POLICY).shipped(0), NOT_COLLECTED, days(2)) == by(hours(24), 7, 8, 0.5)


@pytest.mark.parametrize(("due", "wanted"), [
    (72 * 3_600_000_000 - 1, (10, 30, 0.9)), (72 * 3_600_000_000, (48, None, 0.6)),
])  # fmt: skip
def test_a_promise_is_told_of_by_how_long_the_parcel_was_silent_when_it_broke(
    due: int, wanted: tuple[float, float | None, float]
) -> None:
    due += hours(2)
    timeline = Timeline(POLICY).shipped(0, deliver_by=render(T0 + due)).scan("departed", hours(2))

    assert told(timeline, LATE, days(5)) == by(due, *wanted)


def test_a_scan_that_raises_an_alert_begins_a_silence() -> None:
    timeline = Timeline(POLICY).shipped(0).scan("delivery_failed", 1).scan("delivery_failed", hours(3))

    assert told(timeline, FAILING, hours(4)) == by(hours(3), 5, 6, 0.99)


def test_its_resolution_repeats_what_was_expected() -> None:
    timeline = moving().scan("delivered", hours(100))

    assert told(timeline, SLOW, days(5), RESOLVED) == told(timeline, SLOW, days(5)) == by(hours(74), 48, None, 0.6)


@pytest.mark.parametrize(("ended", "wanted"), [
    (-1, (None, None, None)), (0, (None, None, None)), (1, (5, 6, 0.99)),
])  # fmt: skip
def test_nothing_is_expected_of_a_parcel_that_has_ended(ended: int, wanted: tuple[Any, ...]) -> None:
    # Raised by the late registration, or by that which comes just before the end.
    paid, shipped = hours(2), hours(5)
    timeline = Timeline(POLICY).scan("in_transit", 0).paid(paid).scan("in_transit", shipped - 1)
    timeline.scan("destroyed", shipped + ended).shipped(shipped)

    assert told(timeline, "shipment.suspicious", days(2)) == by(shipped, *wanted)


def test_without_a_model_nothing_is_told_and_with_one_by_every_alert_of_a_parcel() -> None:
    def story(policy: Policy) -> Timeline:
        timeline = Timeline(policy).shipped(0).shipped(0, "B", number="X2", deliver_by=render(T0 + hours(9)))
        timeline.scan("picked_up", hours(-3), number="X3").shipped(hours(-2), "C", number="X3").paid(hours(-1), "C")
        timeline.scan("delivery_failed", hours(10), number="X3").scan("delivery_failed", hours(11), number="X3")
        timeline.scan("returning", hours(12), number="X3").scan("destroyed", hours(300), number="X3")
        return timeline

    plain, estimated = (story(policy).heard(days(20)).alerts for policy in (load.default(), POLICY))
    assert {one.type for one in estimated} == types_about("shipment")
    names = ("expected_by", "delivered_after_all")
    assert [one.evidence.keys() & set(names) for one in plain] == [set()] * len(plain)
    assert [one.evidence.keys() & set(names) for one in estimated] == [set(names)] * len(estimated)
    without = [{name: value for name, value in one.evidence.items() if name not in names} for one in estimated]
    assert without == [one.evidence for one in plain]
