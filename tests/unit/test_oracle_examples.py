"""The oracle against worked examples, and against itself.

`PARCELWATCH_EXAMPLES` names a folder of examples: JSON files with `family`, `policy`, `until`, `events` (in
arrival order) and `expect` (`types`, `alerts`, `tables`). Without it that part is left out, and
pytest says so.
"""

import json
import os
import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.oracle.policy import HOUR, OraclePolicy, tmall_2026
from tests.oracle.reader import read
from tests.oracle.streams import ASKING, DEFAULT_LATENESS, asks, low_volume, random_stream, shuffle_on_time
from tests.oracle.timeline import OracleAlert, microseconds, shown

FAMILIES = {
    "shipment": ("shipment.not_collected", "shipment.slow", "shipment.stalled"),
    "order": ("order.ship_due_soon", "order.ship_late", "order.out_of_stock_suspected"),
    "ticket": ("ticket.due_soon", "ticket.timed_out"),
    "help_rate": (
        "help_rate.elevated",
        "help_rate.campaign_blocked",
        "help_rate.delisting_risk",
        "item.delisting_risk",
    ),
}
FAMILIES["time"] = tuple(type_ for types in FAMILIES.values() for type_ in types)
POLICIES: Mapping[str, Callable[[], OraclePolicy]] = {"default": OraclePolicy, "tmall-2026": tmall_2026}
TABLES = ("help-rates", "category-baselines")
ITEMS = [{"item_id": "i", "category_id": "c", "quantity": 1}]


def late_events(events: list[dict[str, Any]]) -> int:
    """How many events are older than their topic's watermark when they are read."""
    greatest = count = 0
    for event in events:
        time = microseconds(event["value"]["occurred_at"])
        count += time < greatest - DEFAULT_LATENESS[event["topic"]]
        greatest = max(greatest, time)
    return count


def examples() -> list[dict[str, Any]]:
    folder = os.environ.get("PARCELWATCH_EXAMPLES")
    if not folder:
        return []
    read_ = [json.loads(path.read_text("utf-8")) for path in sorted(Path(folder).glob("*.json"))]
    return [
        case
        for case in read_
        if case["family"] in FAMILIES
        and case["policy"] in POLICIES
        and not case.get("now")
        and not any("raw" in event for event in case["events"])
        and not late_events(case["events"])
    ]


CASES = examples()


def fits(want: Mapping[str, Any], got: OracleAlert) -> bool:
    """Whether an alert is what an example gives of it."""
    given = {name: getattr(got, name) for name in want if name != "time"}
    given["causes"] = list(got.causes)
    return microseconds(want["time"]) == got.time_us and all(given[n] == want[n] for n in want if n != "time")


def is_part(want: object, got: object) -> bool:
    """Whether an example's part of a record is in the record."""
    if isinstance(want, dict):
        return isinstance(got, dict) and all(is_part(value, got.get(name)) for name, value in want.items())
    if isinstance(want, float):
        return isinstance(got, int | float) and abs(want - got) < 1e-9
    return want == got


if CASES:

    @pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
    def test_the_oracle_agrees_with_the_example(case: dict[str, Any]) -> None:
        until = microseconds(case["until"]) if case["until"] else None
        result = read(case["events"], until, POLICIES[case["policy"]]())
        types = case["expect"].get("types") or FAMILIES[case["family"]]
        left = [alert for alert in result.alerts if alert.type in types]
        missing = []
        for want in sorted(case["expect"]["alerts"], key=len, reverse=True):
            partner = next((alert for alert in left if fits(want, alert)), None)
            if partner is None:
                missing.append(want)
            else:
                left.remove(partner)
        assert (missing, left) == ([], [])
        for table, records in case["expect"].get("tables", {}).items():
            if table in TABLES:
                for key, record in records.items():
                    assert is_part(record, result.tables[table].get(key)), result.tables[table].get(key)

else:
    warnings.warn("PARCELWATCH_EXAMPLES is not set: the oracle is not checked against examples", stacklevel=1)


T0 = microseconds("2026-03-02T00:00:00Z")


def event(topic: str, type_: str, at: int, **fields: Any) -> dict[str, Any]:
    """An event `at` microseconds after T0, in shop S1 unless it is a scan."""
    value = {"event_id": f"e{at}", "type": type_, "occurred_at": shown(T0 + at), **fields}
    return {"topic": topic, "value": value if type_ == "scan" else {"shop_id": "S1", **value}}


def shipped(at: int, order: str = "A") -> dict[str, Any]:
    return event("orders", "order.shipped", at, order_id=order, carrier="SF", tracking_no="T")


def scan(at: int, status: str) -> dict[str, Any]:
    return event("logistics-scans", "scan", at, carrier="SF", tracking_no="T", status=status)


def lines(alerts: list[OracleAlert]) -> list[tuple[str, str, int, str | None]]:
    return [(a.topic, a.type, a.time_us - T0, a.resolution) for a in alerts]


@pytest.mark.parametrize(("following", "stalls"), [(-1, False), (0, True), (1, True)])
def test_a_threshold_that_is_not_strict_is_judged_before_the_events_at_its_instant(
    following: int, stalls: bool
) -> None:
    due = HOUR + 72 * HOUR
    found = read([scan(HOUR, "picked_up"), scan(due + following, "departed")], T0 + 90 * HOUR, tmall_2026()).alerts
    stall = [("platform", "shipment.stalled", due, None)]
    resumed = [("platform", "shipment.stalled", due + following, "resumed")]
    assert lines(found) == (stall + resumed if stalls and following >= 0 else [])


def test_a_number_is_used_again_by_another_order_after_the_end_only() -> None:
    events = [shipped(0), shipped(HOUR, "B"), scan(2 * HOUR, "delivered")]
    for beside, raised in ((0, []), (1, [("shipment.not_collected", "C", 50 * HOUR + 1)])):
        # Up to 24 hours after the end it is registered late; later the number is used again.
        found = read([*events, shipped(26 * HOUR + beside, "C")], T0 + 60 * HOUR).alerts
        late = [(a.type, a.order_id, a.time_us - T0) for a in found if a.type == "shipment.not_collected"]
        assert late == raised


def test_an_order_that_the_shipment_remembers_does_not_use_its_number_again() -> None:
    day = 24 * HOUR
    cancelled = event("orders", "order.cancelled", HOUR, order_id="A")
    # The order is forgotten 180 days after its cancellation, the shipment ten days later.
    events = [shipped(0), cancelled, scan(10 * day, "delivered"), shipped(185 * day)]
    found = read(events, T0 + 200 * day).alerts
    assert [a.type for a in found if a.time_us > T0 + 11 * day] == []
    found = read([*events, shipped(191 * day, "B")], T0 + 200 * day).alerts
    assert [a.type for a in found if a.time_us > T0 + 11 * day] == ["shipment.not_collected"] + ["shipment.stalled"] * 2


@pytest.mark.parametrize("statuses", [("delivered", "held"), ("held", "delivered")])
def test_of_scans_at_one_instant_a_terminal_one_is_the_state(statuses: tuple[str, str]) -> None:
    at_once = [scan(200 * HOUR, status) for status in statuses]
    at_once[1]["value"]["event_id"] += "b"
    found = read([scan(0, "picked_up"), *at_once], T0 + 999 * HOUR).alerts
    assert lines(found) == [
        ("platform", "shipment.stalled", 168 * HOUR, None),
        ("platform", "shipment.stalled", 200 * HOUR, "delivered"),
    ]


@pytest.mark.parametrize(("beside", "resolution"), [(-1, "resumed"), (0, "resumed"), (1, "given_up")])
def test_an_update_180_days_after_the_last_one_is_in_time(beside: int, resolution: str) -> None:
    last = 180 * 24 * HOUR
    found = read([scan(0, "arrived"), scan(last + beside, "arrived")], T0 + last + HOUR).alerts
    at = min(last, last + beside)
    assert lines(found)[1:] == [("platform", "shipment.stalled", at, resolution)]


@pytest.mark.parametrize(("beside", "told"), [(-1, True), (0, True), (1, False)])
def test_an_order_paid_later_than_12_hours_before_is_not_due_soon(beside: int, told: bool) -> None:
    ship_by = shown(T0 + 13 * HOUR)
    found = read([event("orders", "order.paid", HOUR + beside, order_id="A", ship_by=ship_by)], T0 + 2 * HOUR).alerts
    assert lines(found) == ([("merchant", "order.ship_due_soon", HOUR, None)] if told else [])


def test_a_ticket_paused_at_the_due_instant_falls_due_at_the_resume() -> None:
    ticket = {"ticket_id": "K", "order_id": "A"}
    events = [
        event("chats", "ticket.opened", 0, **ticket, kind="urge_shipping"),
        event("chats", "ticket.paused", 24 * HOUR, **ticket),
        event("chats", "ticket.resumed", 25 * HOUR, **ticket),
    ]
    found = read(events, T0 + 30 * HOUR).alerts
    assert lines(found) == [
        ("merchant", "ticket.due_soon", 18 * HOUR, None),
        ("merchant", "ticket.timed_out", 25 * HOUR, None),
    ]


@pytest.mark.parametrize(("after", "count"), [(-1, 1), (0, 2), (1, 2)])
def test_an_intervention_counts_again_after_24_hours(after: int, count: int) -> None:
    message = event("chats", "chat.message", HOUR, conversation_id="C", sender="buyer", text=ASKING[0])
    request = event(*("chats", "intervention.requested", 25 * HOUR + after), conversation_id="C", intervention_id="I")
    found = read([message, request], T0 + 27 * HOUR, asks=asks)
    assert found.tables["help-rates"]["S1"]["30d"]["interventions"] == count


def test_a_level_once_reached_holds_down_to_nine_tenths_of_its_threshold() -> None:
    # Four calm shops with 2 disputes in 20 orders, and S1, whose disputes come one by one and are voided.
    orders = [
        event("orders", "order.placed", n, order_id=f"{shop}-{n}", items=ITEMS, shop_id=shop)
        for shop in ("S1", "S2", "S3", "S4", "S5")
        for n in range(20)
    ]
    calm = [
        event("orders", "dispute.opened", n, order_id=f"{shop}-{n}", dispute_id="D", shop_id=shop)
        for shop in ("S2", "S3", "S4", "S5")
        for n in range(2)
    ]
    own = [event("orders", "dispute.opened", n * HOUR, order_id=f"S1-{n}", dispute_id="D") for n in range(4)]
    own += [event("orders", "dispute.opened", 3 * HOUR, order_id="S1-9", dispute_id="D")]
    taken_back: dict[str, Any] = {"escalation": "dispute", "escalation_id": "D", "reason": "spam"}
    own += [
        event("orders", "escalation.voided", at * HOUR, order_id=order, **taken_back)
        for at, order in ((5, "S1-3"), (6, "S1-9"), (7, "S1-0"))
    ]
    found = read([*orders, *calm, *own], T0 + 9 * HOUR, replace(OraclePolicy(), min_orders=20)).alerts
    blocked = "help_rate.campaign_blocked"
    told = [(a.type, a.time_us - T0, a.resolution, a.escalations_left) for a in found if a.topic == "merchant"]
    assert told == [
        ("help_rate.elevated", 3 * HOUR, None, 1),  # 3 of 20 = 0.15, the mean is 0.11, above 0.165 blocks
        (blocked, 4 * HOUR, None, 3),  # 5 of 20 = 0.25, the mean is 0.13, above 0.39 risks delisting
        ("help_rate.elevated", 4 * HOUR, "escalated", None),
        # 6 h: 0.20 is above 0.18. 7 h: 0.15 is not above 0.165, but above 0.9 of it. 8 h: 0.10 is the mean.
        (blocked, 8 * HOUR, "recovered", None),
    ]


@pytest.mark.parametrize("seed", range(4))
def test_the_arrival_order_is_on_time_and_without_effect_on_the_oracle(seed: int) -> None:
    rng = Random(seed)
    events = random_stream(rng, 300)
    arrival = shuffle_on_time(events, rng)
    assert late_events(arrival) == 0
    assert read(arrival) == read(events)


@pytest.mark.parametrize("seed", range(2))
def test_judging_only_where_figures_change_is_judging_every_hour(seed: int) -> None:
    events = random_stream(Random(seed), 400, weeks=6)
    policy = low_volume()
    found = read(events, policy=policy)
    assert any(alert.type.startswith("help_rate.") for alert in found.alerts)
    assert found == read(events, policy=policy, every_boundary=True)


def test_repeats_of_every_event_change_nothing() -> None:
    events = random_stream(Random(7), 300)
    again = [{"topic": e["topic"], "value": {**e["value"], "event_id": e["value"]["event_id"] + "~"}} for e in events]
    facts = [e for e in again if e["value"]["type"] not in ("chat.message", "ticket.paused", "ticket.resumed")]
    assert read([*events, *facts]) == read(events)


def test_a_window_of_levels_needs_the_lowered_policy() -> None:
    events = random_stream(Random(1), 400)
    high = read(events, policy=replace(low_volume(), min_shops=50))
    assert not [alert for alert in high.alerts if alert.type.startswith(("help_rate.", "item."))]


def test_the_random_streams_reach_every_alert_and_every_resolution() -> None:
    found = {
        (alert.type.split(".")[0], alert.resolution)
        for seed in range(25)
        for alert in read(random_stream(Random(seed), 300), policy=low_volume(), asks=asks).alerts
    }
    resolutions = {
        "shipment": ("collected", "resumed", "delivered", "returned", "destroyed", "given_up"),
        "order": ("shipped", "completed", "cancelled"),
        "ticket": ("responded",),
        "help_rate": ("escalated", "recovered", "insufficient"),
        "item": ("recovered", "insufficient"),
    }
    assert {(kind, name) for kind, names in resolutions.items() for name in names} <= found
