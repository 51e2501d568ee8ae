"""The help rate of the profiles that count otherwise: as the oracle counts it, in every order of arrival."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.oracle.policy import HOUR
from tests.oracle.reader import read
from tests.oracle.streams import asks, random_until, shuffle_on_time
from tests.oracle.timeline import microseconds
from tests.unit.rules.against_oracle import difference, policies, run
from tests.unit.rules.arrivals import FIXED, in_any_order, some, told_apart
from tests.unit.rules.insistent_buyers import PROFILES, Events, stream

SOME = settings(
    deadline=None, derandomize=FIXED, max_examples=60, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
_WINDOWS = ("7d", "30d")
_COLUMNS = ("orders", "disputes", "complaints", "interventions", "ticket_timeouts", "escalations", "rate")


@st.composite
def streams(draw: st.DrawFn) -> tuple[Events, Random]:
    rng = Random(draw(st.integers(0, 2**32 - 1)))
    return stream(rng, draw(st.integers(1, 80))), rng


@pytest.mark.parametrize("profile", PROFILES)
@SOME
@given(streams())
def test_the_stages_count_as_the_oracle_does(profile: str, drawn: tuple[Events, Random]) -> None:
    events, rng = drawn
    until = rng.choice((None, random_until(rng, events)))
    arrival = shuffle_on_time(events, rng)
    assert not difference(events, arrival, profile=profile, until=until, steps=some(rng, len(arrival)))


@pytest.mark.parametrize("profile", PROFILES)
@SOME
@given(streams())
def test_in_the_end_the_figures_are_those_of_the_history_however_late_it_was_told(
    profile: str, drawn: tuple[Events, Random]
) -> None:
    events, rng = told_apart(drawn[0]), drawn[1]
    policy, oracle = policies(profile, low=True)
    until = max(microseconds(event["value"]["occurred_at"]) for event in events) + 3 * HOUR
    arrival = in_any_order(events, rng)
    _, tables, reader = run(arrival, policy, until, some(rng, len(arrival)))
    wanted = read(events, until, oracle, asks=asks).tables["help-rates"]
    assert _figures(tables["help-rates"]) == _figures(wanted)
    assert all(min(row.counts) >= 0 for row in reader.shops.rows.values())


def _figures(table: dict[str, Any]) -> dict[str, list[Any]]:
    return {shop: [[row[window][name] for name in _COLUMNS] for window in _WINDOWS] for shop, row in table.items()}


@pytest.mark.parametrize("profile", PROFILES)
def test_the_streams_reach_what_they_are_made_for(profile: str) -> None:
    _, default = policies("default", low=True)
    _, oracle = policies(profile, low=True)
    judged = items = otherwise = 0
    for seed in range(40):
        events = stream(Random(seed), 80)
        found, usual = read(events, policy=oracle, asks=asks), read(events, policy=default, asks=asks)
        judged += any(alert.type.startswith("help_rate.") for alert in found.alerts)
        items += any(alert.type == "item.delisting_risk" for alert in found.alerts)
        otherwise += _figures(found.tables["help-rates"]) != _figures(usual.tables["help-rates"])
    assert judged > 20
    assert items > 5
    assert otherwise > 20
