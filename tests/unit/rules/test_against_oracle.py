"""Whatever the order of arrival, as long as it is on time: the stages say what a naive reading of the whole says.

The other reading (`tests.oracle`) shares no code with the product: for the shipments it keeps every update and looks
through all of them again for each question (`tests.oracle.shipments`).
"""

from __future__ import annotations

from collections import Counter
from functools import partial
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.oracle.policy import DAY
from tests.oracle.reader import read
from tests.oracle.streams import START, asks, odd_numbers, random_stream, random_until, shuffle_on_time, streams
from tests.oracle.timeline import microseconds
from tests.unit.rules.against_oracle import difference, policies, run, shapes
from tests.unit.rules.arrivals import QUICK, Events, ends, some

PROFILES = ["default", "tmall-2026"]
GROUNDS = ("scanned_before_payment", "delivered_elsewhere", "number_reused")


def plain(alerts: Any, tables: Any) -> tuple[Any, ...]:
    return shapes(alerts), tables["help-rates"], tables["category-baselines"]


@pytest.mark.parametrize("profile", PROFILES)
@QUICK
@given(events=streams(max_size=90, weeks=8, forgetting=False), seed=st.integers(0, 2**32 - 1))
def test_the_stages_say_what_the_oracle_says(profile: str, events: Events, seed: int) -> None:
    random = Random(seed)
    until = ends(random, events)
    arrival = shuffle_on_time(events, random)
    assert not difference(events, arrival, profile=profile, until=until, steps=some(random, len(arrival)))


def of_parcels(events: Events) -> Events:
    """What shipments are made of, of a year: so long that numbers are given up and forgotten, and no order is."""
    kinds = ("scan", "order.shipped", "order.placed", "order.paid")
    return [
        event
        for event in events
        if event["value"]["type"] in kinds and microseconds(event["value"]["occurred_at"]) < START + 399 * DAY
    ]


@pytest.mark.parametrize("profile", PROFILES)
@QUICK
@given(events=streams(max_size=120, weeks=20, forgetting=True).map(of_parcels).filter(bool), seed=st.integers(0, 2**32))
def test_shipments_are_those_of_a_naive_reading_also_where_they_are_given_up_and_forgotten(
    profile: str, events: Events, seed: int
) -> None:
    random = Random(seed)
    arrival = shuffle_on_time(events, random)
    steps = some(random, len(arrival))
    until = max(microseconds(event["value"]["occurred_at"]) for event in events) + random.choice((0, 1, 8, 200)) * DAY
    numbers = partial(odd_numbers, random) if random.random() < 0.5 else None
    assert not difference(events, arrival, profile=profile, until=until, steps=steps, numbers=numbers)


def test_the_streams_reach_what_is_promised_odd_or_suspicious() -> None:
    found: Counter[str] = Counter()
    for seed in range(60):
        rng = Random(seed)
        oracle = odd_numbers(rng, policies("default", low=True)[1])
        events = of_parcels(random_stream(rng, 120, weeks=20))
        if not events:
            continue
        for alert in read(events, policy=oracle, asks=asks).alerts:
            told = dict(alert.evidence or ())
            found[str(told.get("ground", alert.type.rpartition(".")[2]))] += 1
            found["relief"] += "relief" in told
    wanted = ("delivery_late", "returning", "delivery_failing", "destroyed", "relief", *GROUNDS)
    assert min(found[name] for name in wanted) > 20, found


@QUICK
@given(events=streams(max_size=60, weeks=6, forgetting=False), seed=st.integers(0, 2**32 - 1))
def test_an_event_that_comes_again_has_no_second_effect(events: Events, seed: int) -> None:
    random = Random(seed)
    policy, _ = policies("default", low=True)
    until = random_until(random, events)
    arrival = shuffle_on_time(events, random)
    again = list(arrival)
    for event in random.choices(arrival, k=len(arrival) // 2 + 1):
        # Behind the first, as late as may be.
        first = again.index(event)
        again.insert(random.randrange(first + 1, len(again) + 1), event)
    alerts, tables, _ = run(arrival, policy, until)
    alerts_again, tables_again, _ = run(again, policy, until, some(random, len(again)))
    assert plain(alerts_again, tables_again) == plain(alerts, tables)


@QUICK
@given(events=streams(max_size=60, weeks=6, forgetting=False), seed=st.integers(0, 2**32 - 1))
def test_when_it_is_looked_at_what_is_due_changes_nothing(events: Events, seed: int) -> None:
    random = Random(seed)
    policy, _ = policies(random.choice(PROFILES), low=True)
    until = ends(random, events)
    arrival = shuffle_on_time(events, random)
    alerts, tables, _ = run(arrival, policy, until)
    every = range(len(arrival))
    for steps in (some(random, len(arrival)), every):
        found = run(arrival, policy, until, steps)
        assert plain(*found[:2]) == plain(alerts, tables)
        assert {alert.evidence["raised_at"] for alert in found[0] if alert.resolution} == {
            alert.evidence["raised_at"] for alert in alerts if alert.resolution
        }
