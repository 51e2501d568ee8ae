"""Feed silence and clusters of dense random streams: the stages and the oracle say the same.

Under lowered policies some hundred scans are enough for both. The streams are made about the instants at which the
rules change their mind; they arrive in any order that is on time, and are looked at at any time.
"""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.policy.model import Policy
from tests.oracle.outages import dense, dense_stream, dense_until
from tests.oracle.policy import OraclePolicy
from tests.oracle.reader import Result, read
from tests.oracle.streams import asks, shuffle_on_time
from tests.oracle.timeline import OracleAlert
from tests.unit.rules.against_oracle import policies, run, shapes, with_numbers_of

Events = list[dict[str, Any]]


def shape(alert: OracleAlert) -> tuple[Any, ...]:
    """What `shapes` compares, of an alert of the oracle."""
    told = (alert.topic, alert.type, alert.subject, alert.status, alert.time_us, alert.shop_id, alert.order_id)
    return *told, alert.carrier, alert.resolution, alert.causes, alert.escalations_left, alert.counts, alert.evidence


def linked(rates: dict[str, dict[str, Any]]) -> dict[str, list[int]]:
    """What the tables tell of stalls that are open at an escalation."""
    return {shop: [rate[window]["logistics_linked"] for window in ("7d", "30d")] for shop, rate in rates.items()}


def differences(events: Events, policy: Policy, oracle: OraclePolicy, until: int, rng: Random) -> str:
    """Empty where the stages, reading in some order with some looks between, and the oracle say the same."""
    looks = rng.choice(((), range(len(events)), [rng.randrange(len(events)) for _ in range(20)]))
    alerts, tables, reader = run(shuffle_on_time(events, rng), with_numbers_of(oracle, policy), until, looks)
    wanted = read(events, until, oracle, asks=asks)
    got, want = shapes(alerts), Counter(shape(alert) for alert in wanted.alerts)
    problems = [f"missing {one}" for one in want - got] + [f"unexpected {one}" for one in got - want]
    mine, theirs = linked(tables["help-rates"]), linked(wanted.tables["help-rates"])
    problems += [f"linked {mine} instead of {theirs}"] if mine != theirs else []
    return "\n".join(problems[:20] + [f"{reader.late} late events"] * bool(reader.late))


@pytest.mark.parametrize("profile", ["default", "tmall-2026"])
def test_the_stages_and_the_oracle_agree_on_silent_feeds_and_clusters(profile: str) -> None:
    policy, base = policies(profile, low=True)

    # A stream is drawn as its seed: what fails is told in one line, and made again from it.
    @settings(max_examples=75, deadline=None, derandomize=True, database=None)
    @given(st.integers(0, 2**32 - 1))
    def agree(seed: int) -> None:
        rng = Random(seed)
        oracle = dense(rng, base)
        events = dense_stream(rng, oracle)
        assert differences(events, policy, oracle, dense_until(rng, oracle, events), rng) == ""

    agree()


def dense_results(seeds: int) -> list[tuple[OraclePolicy, Result]]:
    """What the oracle reads in some dense streams."""
    found = []
    for seed in range(seeds):
        rng = Random(seed)
        oracle = dense(rng, policies("default", low=True)[1])
        events = dense_stream(rng, oracle)
        found.append((oracle, read(events, dense_until(rng, oracle, events), oracle)))
    return found


def test_the_dense_streams_reach_what_they_are_made_for() -> None:
    moved: Counter[str] = Counter()
    kinds: Counter[tuple[str, str | None]] = Counter()
    links = relieved = 0
    for oracle, result in dense_results(40):
        kinds.update((alert.type, alert.resolution) for alert in result.alerts)
        resumed = {
            (alert.subject, alert.time_us + oracle.feed_grace)
            for alert in result.alerts
            if alert.type == "carrier.feed_silent" and alert.resolution
        }
        moved.update(
            alert.type
            for alert in result.alerts
            if alert.status == "raised" and (alert.carrier, alert.time_us) in resumed
        )
        relieved += sum("relief" in dict(alert.evidence or ()) for alert in result.alerts)
        links += sum(sum(counts) for counts in linked(result.tables["help-rates"]).values())
    assert kinds["carrier.feed_silent", None] > kinds["carrier.feed_silent", "resumed"] > 50
    assert kinds["facility.stall_cluster", None] > 30
    kinds_moved = ("not_collected", "slow", "stalled", "delivery_late")
    assert min(moved[f"shipment.{kind}"] for kind in kinds_moved) > 10, moved
    assert relieved > 10
    assert links > 10
