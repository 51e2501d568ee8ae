"""The parcels that an alert of the help rate names: those open at its boundary, the least likely delivered first."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.policy.model import Policy
from streams.rules.alert import RAISED, Alert
from streams.rules.alert_types import ALERT_TYPES, types_about
from streams.rules.help_rate.parcels_at_risk import ENDING, MOST, OpenAlert, most_at_risk
from tests.oracle.streams import shuffle_on_time, streams
from tests.unit.estimating import group, model, point, with_estimates
from tests.unit.rules.against_oracle import policies, run
from tests.unit.rules.arrivals import QUICK, Events, ends, some
from tests.unit.rules.timeline import T0, TRIPLE, Timeline, days, hours, lowered

#: A parcel is the likelier lost the longer it is silent; one that fails to be delivered is told of by nothing.
POLICY = with_estimates(
    lowered(min_orders=5, min_shops=2),
    model(
        group(point(24, 1, 2, 0.9), point(72, 1, 2, 0.6), point(168, None, None, 0.2)),
        group(point(24, 1, 2, 0.7), point(72, 1, 2, 0.6), status="arrived"),
    ),
)


def test_only_alerts_of_parcels_that_end_count() -> None:
    assert {name for name in types_about("shipment") if ALERT_TYPES[name].is_resolved_by_events} == ENDING


def named(*alerts: tuple[str, int, float | None]) -> list[str]:
    return most_at_risk((number, OpenAlert(opened, share)) for number, opened, share in alerts)


def test_the_least_share_comes_first_then_the_longest_open_then_the_smallest_number_and_the_unknown_last() -> None:
    assert named(
        ("unknown", 0, None), ("a", 5, 0.5), ("b", 4, 0.5), ("d", 9, 0.0), ("c", 4, 0.5), ("sure", 0, 1.0)
    ) == ["d", "b", "c", "a", "sure"]  # fmt: skip
    assert named(("unknown", 1, None), ("z", 0, None)) == ["z", "unknown"]


def test_of_several_alerts_of_a_parcel_the_least_share_counts_once() -> None:
    assert named(("a", 0, 0.8), ("b", 2, 0.5), ("a", 9, 0.2), ("a", 1, None)) == ["a", "b"]


@pytest.mark.parametrize("parcels", [MOST - 1, MOST, MOST + 1])
def test_no_more_are_named_than_that(parcels: int) -> None:
    assert len(named(*((str(number), number, 0.5) for number in range(parcels)))) == min(parcels, MOST)


def market(at: int, policy: Policy = POLICY) -> Timeline:
    """Two shops with five orders each, and complaints of S1's on the hour, so that it is judged an hour later."""
    timeline = Timeline(policy)
    for shop in ("S1", "N"):
        for number in range(5):
            timeline.placed(at, f"{shop}-{number}", shop_id=shop, items=[(f"i-{shop}", "c1")])
    for number in range(3):
        timeline.complained(at, f"k{number}")
    return timeline


def at_risk(timeline: Timeline, at: int) -> list[str]:
    """What the alert of S1's level raised at a time names."""
    (alert,) = [
        alert
        for alert in timeline.heard(at + days(1)).alerts
        if alert.type.startswith("help_rate.") and (alert.time - T0, alert.status) == (at, RAISED)
    ]
    found: list[str] = alert.evidence["parcels_at_risk"]
    return found


@pytest.mark.parametrize("beside", TRIPLE)
def test_an_alert_is_open_from_its_raise_on(beside: int) -> None:
    # Not collected 24 hours after the shipping; judged at hour 30.
    timeline = market(hours(29)).shipped(hours(6) + beside)

    assert at_risk(timeline, hours(30)) == ([] if beside > 0 else ["X1"])


@pytest.mark.parametrize("beside", TRIPLE)
def test_an_alert_is_open_up_to_its_resolution(beside: int) -> None:
    timeline = market(hours(29)).shipped(0).scan("picked_up", hours(30) + beside)

    assert at_risk(timeline, hours(30)) == (["X1"] if beside > 0 else [])


@pytest.mark.parametrize("beside", TRIPLE)
def test_an_alert_that_the_giving_up_would_end_is_not_open_any_more(beside: int) -> None:
    # It is late from hour 1 on, and keeps moving, so that nothing ends it.
    at = days(180)
    timeline = market(at).shipped(hours(1) + beside, deliver_by="2025-03-03T00:00:00Z")
    for day in range(1, 182, 2):
        timeline.scan("arrived", days(day))

    assert at_risk(timeline, at + hours(1)) == (["X1"] if beside > 0 else [])


def test_they_are_the_shops_own_and_the_least_likely_come_first() -> None:
    timeline = market(hours(199))
    timeline.shipped(0).scan("departed", hours(1))
    timeline.shipped(hours(100), "B", number="X2").scan("departed", hours(101), number="X2")
    timeline.shipped(hours(150), "C", number="X3")
    timeline.shipped(hours(151), "D", number="X4")
    timeline.shipped(0, "E", number="X5", shop_id="N")
    timeline.scan("departed", hours(1), number="X6")

    # Stalled, slow, and two that nobody has collected.
    assert at_risk(timeline, hours(200)) == ["X1", "X2", "X3", "X4"]


def test_without_a_model_nothing_is_named() -> None:
    timeline = market(hours(29), lowered(min_orders=5, min_shops=2)).shipped(0)
    (alert, *_) = timeline.heard(hours(40)).every("help_rate.campaign_blocked")

    assert "parcels_at_risk" not in alert.evidence


def naively(alerts: Iterable[Alert], shop: str, boundary: int, given_up: int) -> list[str]:
    """From all that was sent: what was open then, ranked."""
    opened: dict[tuple[str, str, str], tuple[int, float | None]] = {}
    closed: dict[tuple[str, str, str], int] = {}
    for alert in alerts:
        if alert.type.startswith("shipment.") and alert.shop_id == shop:
            if alert.type in ("shipment.destroyed", "shipment.suspicious"):
                continue
            key = alert.type, alert.subject, alert.episode
            if alert.status == RAISED:
                opened[key] = alert.time, alert.evidence["delivered_after_all"]
            else:
                closed[key] = alert.time
    ranked = sorted(
        (2.0 if share is None else share, at, number)
        for (type_, number, episode), (at, share) in opened.items()
        if at <= boundary < min(closed.get((type_, number, episode), 1 << 62), at + given_up)
    )
    return list(dict.fromkeys(number for *_, number in ranked))[:5]


@QUICK
@given(events=streams(max_size=90, weeks=6, forgetting=False), seed=st.integers(0, 2**32 - 1))
def test_any_history_names_what_its_alerts_of_parcels_say(events: Events, seed: int) -> None:
    random = Random(seed)
    policy = with_estimates(policies(random.choice(("default", "tmall-2026")), low=True)[0])
    arrival = shuffle_on_time(events, random)
    alerts, _, _ = run(arrival, policy, ends(random, events), some(random, len(events)))

    for alert in alerts:
        if alert.type.startswith("help_rate."):
            assert alert.shop_id is not None
            wanted = naively(alerts, alert.shop_id, alert.time, policy.shipments.given_up)
            assert alert.evidence["parcels_at_risk"] == wanted
