"""The help rate of the profiles that count otherwise: as the oracle counts it, in every order of arrival."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.oracle.policy import DAY, HOUR
from tests.oracle.reader import read
from tests.oracle.streams import START, asks, random_stream, random_until, shuffle_on_time
from tests.oracle.timeline import microseconds, shown
from tests.unit.rules.against_oracle import difference, policies, run
from tests.unit.rules.test_against_oracle import FIXED, some
from tests.unit.rules.test_any_arrival import in_any_order, told_apart

PROFILES = ("taobao-experience-2026", "distinct-orders")
SOME = settings(
    deadline=None, derandomize=FIXED, max_examples=60, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
Events = list[dict[str, Any]]
_WINDOWS = ("7d", "30d")
_COLUMNS = ("orders", "disputes", "complaints", "interventions", "ticket_timeouts", "escalations", "rate")
#: Between two escalations of one order: about an hour's end, a window's, or none.
_GAPS = (0, 1, HOUR - 1, HOUR, 7 * DAY - HOUR, 7 * DAY, 7 * DAY + HOUR, 30 * DAY - HOUR, 30 * DAY, 30 * DAY + HOUR)


def told(topic: str, type_: str, time: int, order: str, number: int, **fields: Any) -> dict[str, Any]:
    value = {"event_id": f"p{number}", "type": type_, "occurred_at": shown(time), "order_id": order, **fields}
    return {"topic": topic, "value": value}


def insistent(rng: Random, count: int) -> Events:
    """Buyers who escalate one order again and again, and are told that they were wrong now and then."""
    events: Events = []
    for number in range(count):
        order = f"V{rng.randrange(3)}"
        fields: dict[str, Any] = {"shop_id": rng.choice(("S0", "S0", "S0", "S1")), "item_id": rng.choice((None, "i0"))}
        at = START + rng.randrange(3 * DAY) if rng.random() < 0.3 else START + rng.choice(_GAPS)
        at += rng.choice((0, 7, 23, 30)) * DAY
        if rng.random() < 0.5:
            at -= at % HOUR
        kind, id_ = rng.choice(("dispute", "complaint")), f"{number}"
        type_, topic = ("dispute.opened", "orders") if kind == "dispute" else ("complaint.filed", "chats")
        events.append(told(topic, type_, at, order, number, **{f"{kind}_id": id_}, **fields))
        if rng.random() < 0.4:
            void = at + rng.choice((-1, 0, 1, HOUR, rng.choice(_GAPS)))
            fields = {"shop_id": "S0", "escalation": kind, "escalation_id": id_, "reason": "spam"}
            events.append(told(topic, "escalation.voided", void, order, count + number, **fields))
    return events


def market(rng: Random) -> Events:
    """Orders of one item in seven shops: so many that a shop and its item are at risk where buyers insist."""
    events: Events = []
    for number in range(21):
        order = f"V{number}"
        at = START + rng.choice((0, HOUR, 7 * DAY, rng.randrange(9 * DAY)))
        items = [{"item_id": "i0", "category_id": "c1", "quantity": 1}]
        fields = {"shop_id": f"S{number // 3}", "buyer_id": "B", "items": items}
        events.append(told("orders", "order.placed", at, order, 5000 + number, **fields))
    return events


def stream(rng: Random, size: int) -> Events:
    """What the oracle's generator gives; its orders are paid, and some of them escalated without end."""
    events = random_stream(rng, size, weeks=rng.choice((2, 8)), forgetting=False)
    events += market(rng) if rng.random() < 0.7 else []
    for number, event in enumerate(list(events)):
        value = event["value"]
        if value["type"] == "order.placed" and rng.random() < 0.8:
            at = microseconds(value["occurred_at"]) + rng.choice((-HOUR, -1, 0, 0, 1, HOUR, rng.randrange(9 * DAY)))
            events.append(told("orders", "order.paid", at, value["order_id"], 9000 + number, shop_id=value["shop_id"]))
    events += insistent(rng, rng.randrange(size // 4 + 2))
    return sorted(events, key=lambda event: microseconds(event["value"]["occurred_at"]))


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
    for seed in range(20):
        events = stream(Random(seed), 80)
        found, usual = read(events, policy=oracle, asks=asks), read(events, policy=default, asks=asks)
        judged += any(alert.type.startswith("help_rate.") for alert in found.alerts)
        items += any(alert.type == "item.delisting_risk" for alert in found.alerts)
        otherwise += _figures(found.tables["help-rates"]) != _figures(usual.tables["help-rates"])
    assert judged > 5
    assert items > 5
    assert otherwise > 10
