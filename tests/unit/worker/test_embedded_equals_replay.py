"""The worker's tasks and agents on a log in memory put out, byte for byte, what one reader does.

Over several numbers of partitions, and with streams that reach what crosses partitions: joins of orders and parcels,
help rates and baselines, silent feeds, clusters, conversations.
"""

from __future__ import annotations

import asyncio
import json
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest

from schemas.decode import decode
from schemas.events import record_key
from schemas.times import DAY, HOUR, MINUTE, parse, render
from schemas.topics import TABLES
from streams.alerts.cloudevents import AlertWriter
from streams.engine.clock import Clock
from streams.engine.partitioner import partition_for
from streams.engine.store.interface import Store
from streams.policy.model import Policy
from streams.stages.dataflow import dataflow
from streams.stages.factory import processor
from streams.stages.single_reader import SingleReader
from streams.stages.task_context import Setting
from streams.worker import Embedded
from tests.oracle.streams import random_stream, shuffle_on_time
from tests.patience import PATIENCE
from tests.unit.engine.disk_stores import KINDS, made
from tests.unit.rules.against_oracle import encoded, policies

T0 = parse("2026-03-02T00:00:00Z")
Events = list[dict[str, Any]]
PARTITIONS = ((1, 1), (3, 4), (4, 2), (12, 12))
AUDIENCES = ("merchant", "platform")


def lively() -> Policy:
    """A policy that small streams reach the limits of."""
    policy, _ = policies("default", low=True)
    conversations = msgspec.structs.replace(
        policy.conversations, reply_late=msgspec.structs.replace(policy.conversations.reply_late, enabled=True)
    )
    return msgspec.structs.replace(
        policy,
        feed_silence=msgspec.structs.replace(policy.feed_silence, min_scans=2),
        clusters=msgspec.structs.replace(policy.clusters, stalls=3),
        conversations=conversations,
    )


def orders_and_chats(rng: Random) -> Events:
    """What the generator of the oracle gives, with refunds and talk beside it."""
    events = random_stream(rng, 250, weeks=rng.choice((2, 8)), forgetting=False)
    orders = sorted({e["value"]["order_id"] for e in events if e["value"].get("order_id")})
    times = [parse(e["value"]["occurred_at"]) for e in events]
    for number in range(60):
        at = rng.choice(times) + rng.choice((0, MINUTE, HOUR))
        value = {"event_id": f"x{number}", "occurred_at": render(at), "shop_id": f"S{rng.randrange(3)}"}
        if rng.random() < 0.5:
            text = rng.choice(("快递到哪了", "我要退货", "申请平台介入", "有优惠吗", "qqq"))
            value |= {"type": "chat.message", "conversation_id": f"V{rng.randrange(5)}", "text": text}
            value |= {"sender": rng.choice(("buyer", "buyer", "merchant", "merchant_bot"))}
            events.append({"topic": "chats", "value": value})
        else:
            value |= {"order_id": rng.choice(orders), "refund_id": f"r{rng.randrange(20)}"}
            value |= rng.choice(
                (
                    {"type": "refund.requested", "kind": rng.choice(("exchange", "refund_only")), "reason": "late"},
                    {"type": "refund.rejected"},
                    {"type": "refund.settled"},
                )
            )
            events.append({"topic": "orders", "value": value})
    return sorted(events, key=lambda e: parse(e["value"]["occurred_at"]))


def feeds(rng: Random) -> Events:
    """Dense scans of two carriers, one of which falls silent now and then."""
    gaps = [
        (T0 + rng.randrange(8 * 24, 14 * 24) * HOUR, rng.choice((6, 7, 10, 40)) * HOUR + rng.choice((-1, 0, 1)))
        for _ in range(3)
    ]
    events: Events = []
    for number in range(900):
        at = T0 + rng.randrange(15 * 24 * 60) * MINUTE
        at -= at % HOUR if rng.random() < 0.3 else 0
        carrier = rng.choice("AAB")
        if carrier == "A" and any(start <= at < start + length for start, length in gaps):
            continue
        value = {"event_id": f"e{number}", "type": "scan", "occurred_at": render(at), "carrier": carrier}
        value |= {"tracking_no": f"T{rng.randrange(300)}", "facility": rng.choice(("F1", "F2", None))}
        value |= {"status": rng.choice(("departed", "arrived", "in_transit", "delivered", "picked_up"))}
        events.append({"topic": "logistics-scans", "value": value})
    for number in range(120):
        value = {"event_id": f"o{number}", "type": "order.shipped", "order_id": f"O{number}", "shop_id": "S1"}
        value |= {"occurred_at": render(T0 + rng.randrange(15 * 24) * HOUR), "carrier": rng.choice("AB")}
        events.append({"topic": "orders", "value": value | {"tracking_no": f"T{rng.randrange(300)}"}})
    return sorted(events, key=lambda e: parse(e["value"]["occurred_at"]))


def read_at_once(events: Events, policy: Policy, until: int) -> tuple[list[tuple[str, bytes]], dict[str, Any]]:
    reader = SingleReader(policy)
    for event in events:
        value = encoded(event)
        decoded, time = decode(event["topic"], value)
        reader.take(event["topic"], decoded, time, value)
    assert not reader.late
    reader.finish(until)
    alerts, records = reader.drain()
    writer = AlertWriter(policy.label, policy.platform)
    written = [(record.audience, record.value) for alert in alerts for record in writer.records(alert)]
    tables: dict[str, Any] = {table: {} for table in TABLES}
    for record in records:
        if record.value is None:
            tables[record.table].pop(record.key, None)
        else:
            tables[record.table][record.key] = record.value
    return sorted(written), tables


async def read_by_worker(
    events: Events, policy: Policy, until: int, partitions: tuple[int, int], store: Store | None = None
) -> tuple[list[tuple[str, bytes]], dict[str, Any]]:
    orders, scans = partitions
    topics = {"orders": orders, "chats": orders, "logistics-scans": scans}
    dead = [f"{topic}.dlq" for topic in topics]
    outputs = [f"alerts.{audience}" for audience in AUDIENCES]
    setting = Setting(policy, orders, scans, partition_for, lambda: 0)
    worker = Embedded(
        dataflow(policy),
        lambda _: partial(processor, setting),
        clock=Clock.end(until),
        topics=topics | dict.fromkeys((*TABLES, *dead, *outputs), 1),
        once=True,
        store=store,
    )
    for event in events:
        value = encoded(event)
        decoded, _ = decode(event["topic"], value)
        worker.append(event["topic"], record_key(decoded).encode(), value)
    async with worker:
        assert await asyncio.wait_for(worker.finished(), PATIENCE) == 0
    assert not any(worker.records(topic) for topic in dead)
    written = [
        (audience, record.value or b"") for audience in AUDIENCES for _, record in worker.records(f"alerts.{audience}")
    ]
    tables: dict[str, Any] = {table: {} for table in TABLES}
    for table in TABLES:
        for _, record in worker.records(table):
            key = (record.key or b"").decode()
            if record.value is None:
                tables[table].pop(key, None)
            else:
                tables[table][key] = json.loads(record.value)
    return sorted(written), tables


@pytest.mark.parametrize("partitions", PARTITIONS, ids=str)
@pytest.mark.parametrize("make", [orders_and_chats, feeds])
async def test_a_worker_says_what_one_reader_says(make: Any, partitions: tuple[int, int]) -> None:
    policy = lively()
    for seed in range(3):
        rng = Random(f"{make.__name__} {partitions} {seed}")
        events = make(rng)
        until = parse(events[-1]["value"]["occurred_at"]) + rng.choice((0, 1, HOUR, 12 * DAY))
        arrival = shuffle_on_time(events, rng)
        alerts, tables = read_at_once(arrival, policy, until)
        assert alerts
        assert await read_by_worker(arrival, policy, until, partitions) == (alerts, json.loads(json.dumps(tables)))
        # And the order of arrival is nothing to either.
        assert read_at_once(events, policy, until) == (alerts, tables)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("make", [orders_and_chats, feeds])
async def test_a_worker_whose_parcels_are_on_disk_says_what_one_reader_says(
    make: Any, kind: str, tmp_path: Path
) -> None:
    policy = lively()
    rng = Random(make.__name__)
    events = make(rng)
    until = parse(events[-1]["value"]["occurred_at"]) + 12 * DAY
    arrival = shuffle_on_time(events, rng)
    alerts, tables = read_at_once(arrival, policy, until)
    store = made(kind, tmp_path)
    assert await read_by_worker(arrival, policy, until, (2, 3), store) == (alerts, json.loads(json.dumps(tables)))
