"""Tasks that crash and go on from their changelog: what comes out is what comes out of one that never crashed."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.times import HOUR
from streams.engine.partitioner import partition_for
from streams.policy.model import Policy
from tests.oracle.policy import DAY
from tests.oracle.streams import shuffle_on_time, streams
from tests.oracle.timeline import microseconds, shown
from tests.unit.estimating import with_estimates
from tests.unit.rules.against_oracle import policies
from tests.unit.stages.cluster import Cluster, Event, written
from tests.unit.stages.one_reader import SOME, end_of, one_reader

STREAMS = streams(max_size=60, weeks=5, forgetting=False)
SEEDS = st.integers(0, 2**32 - 1)


@pytest.mark.parametrize(("orders", "scans"), [(1, 1), (3, 2)])
@SOME
@given(events=STREAMS, seed=SEEDS)
def test_tasks_on_any_partitions_that_crash_anywhere_say_what_one_reader_says(
    orders: int, scans: int, events: list[dict[str, Any]], seed: int
) -> None:
    random = Random(seed)
    policy, _ = policies(random.choice(("default", "tmall-2026")), low=True)
    if random.random() < 0.5:
        policy = with_estimates(policy)
    until = end_of(events, random)
    arrival = [written(event) for event in shuffle_on_time(events, random)]
    crash, recent = random.choice((0, 0.1, 0.4)), random.choice((None, 0, 2))
    cluster = Cluster(policy, until, orders=orders, scans=scans, random=random, crash=crash, recent=recent)
    cluster.run(arrival)
    alerts, tables = one_reader(arrival, policy, until)
    assert cluster.alerts() == alerts
    assert cluster.tables() == tables


@SOME
@given(events=STREAMS, seed=SEEDS)
def test_late_events_are_taken_behind_a_crash_as_they_are_without_one(events: list[dict[str, Any]], seed: int) -> None:
    random = Random(seed)
    policy, _ = policies("default", low=True)
    if random.random() < 0.5:
        policy = with_estimates(policy)
    until = end_of(events, random)
    waits = (0, 0, HOUR, 3 * DAY, 20 * DAY)
    arrives = [microseconds(event["value"]["occurred_at"]) + random.choice(waits) for event in events]
    arrival = [written(events[place]) for place in sorted(range(len(events)), key=lambda place: arrives[place])]
    calm = Cluster(policy, until, orders=2, scans=2)
    rough = Cluster(policy, until, orders=2, scans=2, random=random, crash=0.2, recent=random.choice((None, 0)))
    for event in arrival:
        calm.step(event)
        rough.step(event)
    calm.finish()
    rough.finish()
    assert rough.alerts() == calm.alerts()
    assert rough.tables() == calm.tables()


def many_boundaries() -> tuple[list[Event], Policy, int]:
    """Orders in each of 250 hours, complaints here and there, then nothing: hundreds of boundaries pass at once."""
    policy, _ = policies("default", low=True)
    random = Random(1)
    start = microseconds("2026-01-20T00:30:00Z")
    events = []
    for number in range(250):
        for shop in ("S1", "S2", "S3"):
            name = f"{shop}-{number}"
            told = {"event_id": name, "occurred_at": shown(start + number * HOUR), "shop_id": shop, "order_id": name}
            items = [{"item_id": f"i{number % 3}", "category_id": "c1", "quantity": 1}]
            placed = {**told, "type": "order.placed", "buyer_id": "B", "items": items}
            events.append(written({"topic": "orders", "value": placed}))
            if random.random() < (0.5 if number // 40 % 3 == int(shop[1]) - 1 else 0.05):
                complaint = {**told, "type": "complaint.filed", "complaint_id": name}
                events.append(written({"topic": "chats", "value": complaint}))
    return events, policy, start + 45 * DAY


@pytest.mark.parametrize("seed", range(6))
def test_a_crash_in_the_midst_of_many_boundaries_judges_none_of_them_twice(seed: int) -> None:
    events, policy, until = many_boundaries()
    cluster = Cluster(policy, until, random=Random(seed), crash=0.4)
    for event in events:
        cluster.append(event)
    cluster.finish()
    assert cluster.crashes
    alerts, tables = one_reader(events, policy, until)
    assert cluster.tables() == tables
    assert cluster.alerts() == alerts


def hour_by_hour() -> tuple[list[Event], int]:
    """A little trade, then only time that passes: in hours about the ends of the windows."""
    start = microseconds("2026-01-20T00:30:00Z")

    def one(topic: str, type_: str, at: int, key: str, **fields: Any) -> Event:
        value = {"event_id": f"{type_}-{at}", "type": type_, "occurred_at": shown(at), "shop_id": "S1", **fields}
        return written({"topic": topic, "value": value | ({} if topic == "logistics-scans" else {"order_id": key})})

    events = []
    for number in (0, 5):
        items = [{"item_id": "i1", "category_id": f"c{number}", "quantity": 1}]
        events.append(one("orders", "order.placed", start + number * HOUR, f"A{number}", buyer_id="B", items=items))
        events.append(one("orders", "dispute.opened", start + number * HOUR, f"A{number}", dispute_id="D"))
    for day in (7, 30):
        for hour in range(-1, 9):
            at = start + day * DAY + hour * HOUR
            # As many as there are lateness times: every watermark passes every hour.
            events.append(one("orders", "order.cancelled", at, f"tick-{at}"))
            events.append(one("chats", "complaint.filed", at, f"tick-{at}", complaint_id="C", shop_id="S2"))
            scan = {"carrier": "SF", "tracking_no": f"T{at}", "status": "delivered"}
            events.append(one("logistics-scans", "scan", at, "", **scan))
    return events, start + 31 * DAY


def test_a_restart_in_every_hour_keeps_what_is_in_the_windows() -> None:
    events, until = hour_by_hour()
    policy, _ = policies("default", low=True)
    cluster = Cluster(policy, until)
    for event in events:
        cluster.step(event)
        for name in list(cluster.tasks):
            cluster.start(name)
    cluster.finish()
    calm = Cluster(policy, until)
    for event in events:
        calm.step(event)
    calm.finish()
    told = [[(output.key, output.value) for output in each.outputs] for each in (cluster, calm)]
    assert told[0] == told[1]
    assert (cluster.alerts(), cluster.tables()) == one_reader(events, policy, until)
    windows = [
        json.loads(value)["7d"]["orders"] for key, value in told[0] if key == b"S1" and value and b'"7d"' in value
    ]
    assert windows[:4] == [1, 2, 1, 0]


def told(topic: str, type_: str, at: int, **fields: Any) -> Event:
    shop = {} if topic == "logistics-scans" else {"shop_id": "S1"}
    value = {"event_id": f"{type_}-{at}", "type": type_, "occurred_at": shown(at), **shop, **fields}
    return written({"topic": topic, "value": value})


def a_shipping_that_is_told_anew() -> list[Event]:
    """Of an order and its parcel, an hour earlier than before; the parcel had been collected by none since."""
    start = microseconds("2026-01-20T00:30:00Z")
    parcel = {"order_id": "A", "carrier": "SF", "tracking_no": "T"}
    return [
        told("chats", "ticket.responded", start, ticket_id="K", order_id="B"),
        told("orders", "order.shipped", start + HOUR, **parcel),
        told("logistics-scans", "scan", start + 2 * DAY, carrier="SF", tracking_no="C", status="departed"),
        told("orders", "order.paid", start + 2 * DAY, order_id="B"),
        told("orders", "order.shipped", start, **parcel),
    ]


def a_dispute_of_a_passed_hour() -> list[Event]:
    """Its order and its shop are of two tasks, and nothing happens in that of the shop in the hours between."""
    start = microseconds("2026-01-20T00:30:00Z")
    shop = partition_for(b"S1", 2)
    near, far = (
        next(name for name in (f"A{number}" for number in range(99)) if partition_for(name.encode(), 2) == partition)
        for partition in (shop, 1 - shop)
    )
    clock = [
        told(topic, type_, start + 2 * DAY, order_id=name, shop_id="S2", **fields)
        for name in (near, far)
        for topic, type_, fields in (("orders", "order.paid", {}), ("chats", "complaint.filed", {"complaint_id": name}))
    ]
    clock.append(told("logistics-scans", "scan", start + 2 * DAY, carrier="SF", tracking_no="C", status="departed"))
    return [*clock, told("orders", "dispute.opened", start, order_id=far, dispute_id="D")]


@pytest.mark.parametrize(("timeline", "orders"), [(a_shipping_that_is_told_anew, 1), (a_dispute_of_a_passed_hour, 2)])
def test_a_late_event_finds_a_restarted_task_where_it_was(timeline: Callable[[], list[Event]], orders: int) -> None:
    policy, _ = policies("default", low=True)
    *before, late = timeline()
    until = microseconds("2026-01-24T00:00:00Z")
    calm, rough = Cluster(policy, until, orders=orders), Cluster(policy, until, orders=orders)
    for cluster in (calm, rough):
        for event in before:
            cluster.step(event)
    for name in list(rough.tasks):
        rough.start(name)
    for cluster in (calm, rough):
        cluster.step(late)
        cluster.finish()
    assert rough.alerts() == calm.alerts()
    assert rough.tables() == calm.tables()


@pytest.mark.parametrize("first", ["a", "b"])
def test_of_two_scans_told_otherwise_the_first_by_event_id_holds_though_a_restart_lies_between(first: str) -> None:
    policy, _ = policies("default", low=True)
    at = microseconds("2026-01-20T00:30:00Z")
    scans = {
        event_id: written(
            {
                "topic": "logistics-scans",
                "value": {
                    "event_id": event_id, "type": "scan", "occurred_at": shown(at), "carrier": "SF",
                    "tracking_no": "T", "status": "arrived", "facility": f"F-{event_id}",
                },
            }
        )
        for event_id in "ab"
    }  # fmt: skip
    cluster = Cluster(policy, at + 8 * DAY)
    for event_id in (first, "b" if first == "a" else "a"):
        cluster.step(scans[event_id])
        for name in list(cluster.tasks):
            cluster.start(name)
    cluster.finish()
    (stall,) = (json.loads(alert) for alert in cluster.alerts())
    assert stall["data"]["evidence"]["facility"] == "F-a"
