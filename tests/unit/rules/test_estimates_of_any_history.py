"""What alerts of parcels say of their delivery, read off the model by hand, in any history and order of arrival."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from random import Random
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from schemas.times import HOUR, parse, render
from streams.carriers import canonical
from streams.policy.estimates import Point
from streams.rules.alert import Alert
from tests.oracle.streams import shuffle_on_time, streams
from tests.unit.estimating import ANY, with_estimates
from tests.unit.rules.against_oracle import policies, run
from tests.unit.rules.arrivals import QUICK, Events, ends, some

ENDS = ("delivered", "returned", "destroyed")
ESTIMATES = ("expected_by", "delivered_after_all")


def by_hand(alert: Alert) -> dict[str, Any]:
    """From what the evidence says of the parcel: the model tells no tiers apart."""
    status = alert.evidence["last_status"] or "not_scanned"
    nothing = {"expected_by": {"p50": None, "p90": None}, "delivered_after_all": None}
    if status in ENDS:
        return nothing
    raised = parse(alert.evidence.get("raised_at", render(alert.time)))
    silent = (raised - parse(alert.evidence["last_update"])) / HOUR
    told = [hours for hours in ANY.silent_hours if hours <= silent]
    assert alert.carrier is not None
    for carrier, of in (
        (canonical(alert.carrier), status),
        (None, status),
        (canonical(alert.carrier), None),
        (None, None),
    ):
        for point in told and _points(carrier, of):
            if point.silent_hours == max(told):
                by = {"p50": point.p50_hours, "p90": point.p90_hours}
                times = {name: hours and render(raised + round(hours * HOUR)) for name, hours in by.items()}
                zero = {name: render(raised) for name, hours in by.items() if hours == 0}
                return {"expected_by": times | zero, "delivered_after_all": point.delivered_after_all}
    return nothing


def _points(carrier: str | None, status: str | None) -> Iterable[Point]:
    return [point for one in ANY.groups if (one.carrier, one.status) == (carrier, status) for point in one.points]


@QUICK
@given(events=streams(max_size=90, weeks=6, forgetting=False), seed=st.integers(0, 2**32 - 1))
def test_every_alert_of_a_parcel_says_what_the_model_says(events: Events, seed: int) -> None:
    random = Random(seed)
    policy = with_estimates(policies(random.choice(("default", "tmall-2026")), low=True)[0])
    alerts, _, _ = run(shuffle_on_time(events, random), policy, ends(random, events), some(random, len(events)))

    # What ends at the instant of a raise has ended by then.
    ends_at = {(one.type, one.episode, one.subject): one.time for one in alerts if one.resolution in ENDS}
    for alert in alerts:
        raised = parse(alert.evidence.get("raised_at", render(alert.time)))
        if alert.type.startswith("shipment.") and ends_at.get((alert.type, alert.episode, alert.subject)) != raised:
            assert {name: alert.evidence[name] for name in ESTIMATES} == by_hand(alert), alert


def said(alerts: Iterable[Alert]) -> Counter[tuple[Any, ...]]:
    return Counter(
        (alert.type, alert.subject, alert.episode, alert.status, alert.time, orjson.dumps(alert.evidence))
        for alert in alerts
    )


@QUICK
@given(events=streams(max_size=90, weeks=6, forgetting=False), seed=st.integers(0, 2**32 - 1))
def test_repeats_arrival_and_when_one_looks_change_nothing(events: Events, seed: int) -> None:
    random = Random(seed)
    policy = with_estimates(policies("default", low=True)[0])
    until = ends(random, events)
    arrival = shuffle_on_time(events, random)
    twice = [event for event in arrival for _ in range(random.choice((1, 1, 2)))]

    once, _, _ = run(arrival, policy, until)
    again, _, _ = run(twice, policy, until, some(random, len(twice)))

    assert said(again) == said(once)
