"""One key that grows without end: up to its bound it is kept, and past it its events are dead letters; others go on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from schemas.decode import decode
from streams.engine.log.interface import TopicPartition
from streams.policy import load
from streams.replay.batches import Batch
from streams.replay.run import Replay
from streams.stages.cases import book as cases
from streams.stages.shipments import book as shipments
from streams.stages.shipments import busy_parcels
from tests.oracle.policy import DAY, HOUR, SECOND
from tests.oracle.timeline import microseconds, shown
from tests.unit.stages.cluster import Cluster, Event, written

T0 = microseconds("2026-03-02T00:00:00Z")
NAME = {"order_id": "A", "shop_id": "S1"}
PARCEL = {"carrier": "SF", "tracking_no": "T"}
MOST = 40
#: What Kafka takes at once, by default.
LARGEST = 1 << 20


def event(topic: str, type_: str, at: int, **fields: Any) -> Event:
    value = {"event_id": f"{type_}-{at}", "type": type_, "occurred_at": shown(T0 + at), **fields}
    return written({"topic": topic, "value": value})


def messages(count: int) -> list[Event]:
    said = {**NAME, "conversation_id": "C", "sender": "buyer", "text": "平台介入"}
    return [event("chats", "chat.message", at * SECOND, **said) for at in range(count)]


def tickets(count: int) -> list[Event]:
    return [
        event("chats", "ticket.opened", at * SECOND, **NAME, ticket_id=f"K{at}", kind="other") for at in range(count)
    ]


def scans(count: int) -> list[Event]:
    return [event("logistics-scans", "scan", at * SECOND, **PARCEL, status="arrived") for at in range(count)]


def orders(count: int) -> list[Event]:
    return [
        event("orders", "order.shipped", at * SECOND, order_id=f"A{at}", shop_id="S1", **PARCEL) for at in range(count)
    ]


def healthy(at: int) -> list[Event]:
    """A parcel and a ticket of somebody else, each with an alert that is due."""
    other = {"order_id": "B", "shop_id": "S2"}
    return [
        event("orders", "order.shipped", at, **other, carrier="ZTO", tracking_no="U"),
        event("chats", "ticket.opened", at, **other, ticket_id="L", kind="urge_shipping"),
    ]


@pytest.fixture
def small_bounds() -> Iterator[None]:
    with (
        patch.object(cases, "MOST_OF_A_KEY", MOST),
        patch.object(shipments, "MOST_OF_A_NUMBER", MOST),
        patch.object(busy_parcels, "MOST_OF_A_NUMBER", MOST),
        patch.object(shipments, "BUSY", 100),
    ):
        yield


def replayed(events: list[Event], until: int, folder: Path, step: int) -> tuple[dict[str, Any], list[Any], str]:
    """Summary, dead letters and merchants' alerts of a replay in batches of `step` events."""
    replay = Replay(load.default(), until)
    parts = []
    for start in range(0, len(events), step):
        batch = Batch()
        for line, (topic, value) in enumerate(events[start : start + step], start + 1):
            batch.events.append((topic, *decode(topic, value), value, line, None))
        parts.append(batch)
    with patch("streams.replay.run.STEP", step):
        summary = replay.take(parts)
    replay.write(folder, summary)
    dead = [json.loads(line) for line in (folder / "dead-letters.jsonl").read_text().splitlines()]
    return summary, dead, (folder / "alerts.merchant.jsonl").read_text()


@pytest.mark.parametrize("flood", [messages, tickets, scans])
@pytest.mark.usefixtures("small_bounds")
def test_past_the_bound_an_event_is_a_dead_letter_whatever_the_batches(flood: Any, tmp_path: Path) -> None:
    events, until = flood(MOST + 7) + healthy(HOUR), T0 + 3 * DAY
    for step in (1, 7, 10_000):
        summary, dead, alerts = replayed(events, until, tmp_path, step)
        assert summary["dead"] == {"total": 7, "by_reason": {"key_too_large": 7}}
        assert [one["line"] for one in dead] == list(range(MOST + 1, MOST + 8))
        assert sum(summary["events"].values()) == len(events) - 7
        assert '"subject":"U"' in alerts
        assert '"subject":"L"' in alerts
    for size in (1, 7, 10_000):
        cluster = Cluster(load.default(), until)
        cluster.run_in_batches(events, size)
        assert sum(count for (_, reason), count in cluster.counts.dead.items() if reason == "key_too_large") == 7
        letters = [output for output in cluster.outputs if output.topic.endswith(".dlq")]
        headers = [dict(letter.headers) for letter in letters]
        assert [int(one["source-offset"]) for one in headers] == list(range(MOST, MOST + 7))
        assert {one["error-code"] for one in headers} == {b"key_too_large"}


@pytest.mark.usefixtures("small_bounds")
def test_a_number_that_is_full_takes_no_more_orders_and_goes_on() -> None:
    events = orders(MOST + 5) + healthy(HOUR)
    cluster = Cluster(load.default(), T0 + 3 * DAY)
    cluster.run_in_batches(events, 10)
    (alert,) = (one for one in map(json.loads, cluster.alerts()) if one["subject"] == "T")
    assert len(alert["data"]["evidence"]["order_ids"]) <= MOST
    assert any(one["subject"] == "U" for one in map(json.loads, cluster.alerts()))


@pytest.mark.parametrize(("flood", "count"), [(messages, 20_000), (tickets, 10_000), (orders, 10_000), (scans, 50_000)])
def test_what_is_promised_for_one_key_is_kept_in_rows_that_the_log_takes(flood: Any, count: int) -> None:
    events = flood(count) + healthy(20 * HOUR)
    cluster = Cluster(load.default(), T0 + 3 * DAY)
    largest = 0
    commit = cluster._write

    def write(source: TopicPartition, key: bytes | None, value: bytes, timestamp: int = 0) -> None:
        nonlocal largest
        largest = max(largest, len(value))
        commit(source, key, value, timestamp)

    with patch.object(cluster, "_write", write):
        cluster.run_in_batches(events, 5_000)
    assert not cluster.counts.dead
    assert largest < LARGEST
    assert max(len(output.value or b"") for output in cluster.outputs) < LARGEST
    rows = [row for task in cluster.tasks for row in cluster.rows(task).values()]
    assert max(map(len, rows)) < LARGEST // 2
    subjects = {json.loads(value)["subject"] for value in cluster.alerts()}
    assert {"U", "L"} <= subjects
    for task in list(cluster.tasks):
        cluster.start(task)


def test_an_alert_names_the_first_orders_of_a_parcel_and_how_many_there_are() -> None:
    cluster = Cluster(load.default(), T0 + 30 * DAY)
    cluster.run_in_batches(orders(250), 50)
    (alert,) = (
        one
        for one in map(json.loads, cluster.alerts())
        if one["data"]["status"] == "raised"
        and one["type"].endswith("stalled.v1")
        and "merchant" in one["data"]["audience"]
    )
    evidence = alert["data"]["evidence"]
    assert evidence["order_ids"] == [f"A{number}" for number in range(100)]
    assert evidence["order_count"] == 250
    assert "249" in alert["data"]["message"]["en"]
