"""Whatever the order of arrival, however late: no count is ever negative, every episode is one, and in the end what is
open and what is counted is what the whole history says."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from streams.rules.alert import RAISED
from streams.rules.help_rate.parcels_at_risk import ENDING
from tests.oracle.policy import DAY, HOUR
from tests.oracle.reader import read
from tests.oracle.streams import asks, streams
from tests.oracle.timeline import microseconds
from tests.unit.estimating import with_estimates
from tests.unit.rules.against_oracle import policies, run
from tests.unit.rules.arrivals import QUICK, Events, in_any_order, some, told_apart

SINGLE = ("shipment.", "order.", "ticket.")
COUNTS = ("orders", "disputes", "complaints", "interventions", "ticket_timeouts", "logistics_linked")


STREAMS = streams(max_size=70, weeks=6, forgetting=False).map(told_apart)


def counts_of(row: Any) -> dict[str, int]:
    return {name: row[name] for name in COUNTS}


@QUICK
@given(events=STREAMS, seed=st.integers(0, 2**32 - 1))
def test_in_the_end_the_counts_are_those_of_the_history(events: Events, seed: int) -> None:
    random = Random(seed)
    policy, oracle = policies("default", low=True)
    until = max(microseconds(event["value"]["occurred_at"]) for event in events) + 3 * HOUR
    arrival = in_any_order(events, random)
    _, tables, _ = run(arrival, policy, until, some(random, len(arrival)))
    wanted = read(events, until, oracle, asks=asks).tables["help-rates"]
    got = {
        shop: {window: counts_of(row[window]) for window in ("7d", "30d")} for shop, row in tables["help-rates"].items()
    }
    assert got == {shop: {window: counts_of(row[window]) for window in ("7d", "30d")} for shop, row in wanted.items()}


@QUICK
@given(events=STREAMS, seed=st.integers(0, 2**32 - 1))
def test_in_the_end_what_is_open_is_what_the_history_leaves_open(events: Events, seed: int) -> None:
    random = Random(seed)
    profile = random.choice(("default", "tmall-2026"))
    policy, oracle = policies(profile, low=True)
    until = max(microseconds(event["value"]["occurred_at"]) for event in events) + random.choice((0, 3 * HOUR, 9 * DAY))
    arrival = in_any_order(events, random)
    alerts, _, _ = run(arrival, policy, until, some(random, len(arrival)))
    balance: Counter[tuple[Any, ...]] = Counter()
    for alert in alerts:
        if alert.type.startswith(SINGLE):
            sign = 1 if alert.status == RAISED else -1
            for audience in alert.audiences:
                balance[audience, alert.type, alert.subject, alert.carrier, alert.episode] += sign
    got = Counter(episode[:4] for episode, open_ in balance.items() if open_)
    wanted: Counter[tuple[Any, ...]] = Counter()
    for one in read(events, until, oracle, asks=asks).alerts:
        if one.type.startswith(SINGLE):
            wanted[one.topic, one.type, one.subject, one.carrier] += 1 if one.status == RAISED else -1
    assert got == +wanted


@QUICK
@given(events=streams(max_size=70, weeks=6, forgetting=False), seed=st.integers(0, 2**32 - 1))
def test_in_the_end_a_shop_knows_the_alerts_of_its_parcels_that_were_sent_and_not_resolved(
    events: Events, seed: int
) -> None:
    random = Random(seed)
    policy = with_estimates(policies("default", low=True)[0])
    until = max(microseconds(event["value"]["occurred_at"]) for event in events) + random.choice((0, 3 * HOUR, 9 * DAY))
    arrival = in_any_order(events, random)
    alerts, _, reader = run(arrival, policy, until, some(random, len(arrival)))
    sent: dict[str, set[tuple[str, str]]] = {}
    for alert in alerts:
        if alert.type in ENDING and alert.shop_id is not None:
            known, name = sent.setdefault(alert.shop_id, set()), (alert.subject, f"{alert.type}/{alert.episode}")
            (known.add if alert.status == RAISED else known.discard)(name)
    kept = {
        shop: {name for name, alert in known.items() if alert.is_open(until, policy)}
        for shop, known in reader.shipment_alerts.shops.items()
    }
    assert {shop: names for shop, names in kept.items() if names} == {
        shop: names for shop, names in sent.items() if names
    }


@QUICK
@given(events=streams(max_size=70, weeks=6, forgetting=False), seed=st.integers(0, 2**32 - 1))
def test_no_count_is_ever_negative_and_no_episode_raised_or_resolved_twice(events: Events, seed: int) -> None:
    random = Random(seed)
    policy, _ = policies("default", low=True)
    until = max(microseconds(event["value"]["occurred_at"]) for event in events) + random.choice((0, HOUR, 31 * DAY))
    arrival = in_any_order(events, random)
    alerts, tables, reader = run(arrival, policy, until, some(random, len(arrival)))
    for row in tables["help-rates"].values():
        for window in (row["7d"], row["30d"]):
            assert all(value is None or value >= 0 for value in window.values())
            assert window["logistics_linked"] <= window["escalations"]
    for figures in reader.shops.rows.values():
        assert min(figures.counts) >= 0
    seen: dict[tuple[Any, ...], list[str]] = {}
    for alert in alerts:
        for audience in alert.audiences:
            seen.setdefault((audience, alert.type, alert.subject, alert.episode), []).append(alert.status)
    assert all(statuses in (["raised"], ["raised", "resolved"]) for statuses in seen.values())
