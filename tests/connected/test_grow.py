"""`parcelwatch grow` on a real Kafka under load: more partitions, and every alert comes once."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import accumulate
from pathlib import Path

from aiokafka import AIOKafkaProducer

from schemas.times import SECOND, parse, render
from schemas.topics import ALERTS, INPUTS, TopicNames
from streams.policy.load import default as load_policy
from tests.connected.marketplace import (
    OUTPUTS,
    Produced,
    command,
    end,
    ended_well,
    replay,
    running,
    saying,
    weeks_ago,
)
from tests.connected.mortals import Mortal, alive, until_true
from tests.kafka_broker import Broker
from tests.patience import LONG_SESSION
from tests.unit.cli import run as told

OLD, NEW = TopicNames(), TopicNames.prefixed("v2.").named({"logistics-scans": "new-scans"})
POLICY = """
name = "quick"
extends = "default"
[lateness]
orders_seconds = 3
chats_seconds = 3
logistics_scans_seconds = 3
"""
SCANS_AS = "logistics-scans=new-scans"
TWO = ("--topic-prefix", "v2.", "--topics", SCANS_AS)
GROW = ("--app-id", "one", "--to-app-id", "two", "--to-prefix", "v2.", "--to-topics", SCANS_AS)


class Load:
    """Orders as they happen, each agreed to be shipped two seconds after it is paid: an alert each."""

    def __init__(self, kafka: Broker) -> None:
        self.names = OLD
        self.sent: Produced = []
        self.orders: list[str] = []
        self._kafka = kafka

    @asynccontextmanager
    async def going(self) -> AsyncIterator[None]:
        """Goes on for as long as the block lasts."""
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _run(self) -> None:
        producer = AIOKafkaProducer(bootstrap_servers=self._kafka.bootstrap, enable_idempotence=True)
        await producer.start()
        try:
            while True:
                await asyncio.shield(self._order(producer))
                await asyncio.sleep(0.1)
        finally:
            await producer.stop()

    async def _order(self, producer: AIOKafkaProducer) -> None:
        now = time.time_ns() // 1000
        order = f"live-{len(self.orders):05}"
        common = {"order_id": order, "shop_id": f"shop-{len(self.orders) % 5}", "occurred_at": render(now)}
        items = [{"item_id": "i", "category_id": "c", "quantity": 1}]
        placed = {"event_id": f"{order}-1", "type": "order.placed", "buyer_id": "b", "items": items, **common}
        paid = {"event_id": f"{order}-2", "type": "order.paid", "ship_by": render(now + 2 * SECOND), **common}
        self.orders.append(order)
        # Both go the same way: producers may be told of another one between the two.
        topic = self.names["orders"]
        for event in (placed, paid):
            value = json.dumps(event).encode()
            self.sent.append(("orders", order.encode(), value))
            await producer.send_and_wait(topic, value, order.encode())


async def said(kafka: Broker, names: TopicNames) -> list[bytes]:
    there = await kafka.topics()
    records = [
        record for topic in names.all(ALERTS.values()) if topic in there for record in await kafka.read_committed(topic)
    ]
    assert all(dict(record.headers)["content-type"].startswith(b"application/cloudevents+json") for record in records)
    return [record.value for record in records]


def until(values: list[bytes], time: int) -> list[bytes]:
    """Those of a time up to that one, sorted."""
    return sorted(value for value in values if parse(json.loads(value)["time"]) <= time)


async def test_more_partitions_under_load_lose_and_double_no_alert(kafka: Broker, tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text(POLICY)
    common = ("--broker", f"kafka://{kafka.bootstrap}", "--policy", str(policy))
    quick = ("--commit-interval", "0.1", "--session-timeout", str(LONG_SESSION))
    await kafka.create_topics(dict.fromkeys(INPUTS, 2) | OUTPUTS)
    history = weeks_ago(3, 10, before=20)
    for topic in INPUTS:
        await kafka.produce(topic, [(key, value) for one, key, value in history if one == topic])
    load = Load(kafka)
    old = Mortal("worker", *common, "--app-id", "one", *quick)
    two = ("worker", *common, "--app-id", "two", *TWO, *quick)
    muted = Mortal(*two, "--mute", "--catch-up", "--catch-up-quiet", "2")
    new = Mortal(*two)
    copy = ("grow", "copy", *common, *GROW, "--order-partitions", "5", "--scan-partitions", "3")

    async def alert_of(names: TopicNames, order: str) -> bool:
        return any(json.loads(value)["subject"] == order for value in await said(kafka, names))

    async with load.going(), alive(old):
        await until_true(lambda: alert_of(OLD, "live-00000"))
        async with running(*copy) as copying:
            await saying(copying, "copied: ")
            async with alive(muted):

                async def caught_up() -> bool:
                    return await muted.works() and not await muted.told("parcelwatch_catching_up")

                await until_true(caught_up)
                assert not await said(kafka, NEW)
                load.names = NEW
                switched = load.orders[-1]
                await until_true(lambda: alert_of(OLD, switched))
                await old.stop()
                handing = await command("grow", "hand-over", *common, *GROW)
                try:
                    await saying(handing, "stop the muted workers")
                    await muted.stop()
                    await ended_well(handing)
                finally:
                    await end(handing)
            await ended_well(copying)
        first = len(await said(kafka, NEW))
        async with alive(new):
            last = load.orders[-1]
            await until_true(lambda: alert_of(NEW, last))
            at = time.time_ns() // 1000
            out = await replay([*history, *load.sent], render(at), tmp_path, "--policy", str(policy))
            wanted = [line for name in ALERTS.values() for line in (out / f"{name}.jsonl").read_bytes().splitlines()]

            async def all_said() -> bool:
                return len(until([*await said(kafka, OLD), *await said(kafka, NEW)], at)) >= len(wanted)

            await until_true(all_said)
    assert until([*await said(kafka, OLD), *await said(kafka, NEW)], at) == until(wanted, at)
    # At the hand-over something was put out that the old workers had not said.
    assert first > 0
    assert not any("muted" in topic for topic in await kafka.topics())
    assert await kafka.read_committed("v2.help-rates")
    # Once more is nothing more.
    again = told("grow", "hand-over", *common, *GROW)
    assert (again.returncode, again.stderr) == (0, "the hand-over has been done before\n")


async def test_copying_is_done_once_and_refused_where_the_history_is_not_whole(kafka: Broker) -> None:
    await kafka.create_topics(dict.fromkeys(INPUTS, 2) | OUTPUTS)
    events = weeks_ago(1, 10)
    for topic in INPUTS:
        await kafka.produce(topic, [(key, value) for one, key, value in events if one == topic])
    copy = ("grow", "copy", "--broker", f"kafka://{kafka.bootstrap}", *GROW, "--order-partitions", "5", "--once")
    await kafka.delete_records("orders", 1)
    refused = told(*copy)
    assert refused.returncode == 2
    assert refused.stderr.splitlines()[-1].startswith("parcelwatch: orders-0 begins at offset 1:")
    for _ in range(2):
        assert told(*copy, "--incomplete-history").returncode == 0
    for topic in INPUTS:
        copies = [record.value for record in await kafka.read_committed(NEW[topic])]
        assert sorted(copies) == sorted(record.value for record in await kafka.read_committed(topic))
    assert len(await kafka.end_offsets("v2.orders")) == 5
    by_partition: dict[int, list[int]] = {}
    for record in await kafka.read_committed("v2.orders"):
        by_partition.setdefault(record.partition, []).append(parse(json.loads(record.value)["occurred_at"]))
    late = load_policy().lateness.micros["orders"]
    for times in by_partition.values():
        # Merged by their times: no event is late that was not late before.
        assert all(time >= greatest - late for time, greatest in zip(times, accumulate(times, max), strict=True))


async def test_a_hand_over_is_refused_while_old_workers_run(kafka: Broker) -> None:
    await kafka.create_topics(dict.fromkeys(INPUTS, 2) | OUTPUTS)
    common = ("--broker", f"kafka://{kafka.bootstrap}")
    assert told("grow", "copy", *common, *GROW, "--once").returncode == 0
    async with running("worker", *common, "--app-id", "one", "--session-timeout", str(LONG_SESSION)) as process:
        await saying(process, "restored")
        refused = told("grow", "hand-over", *common, *GROW)
    assert refused.returncode == 2
    assert "group one has 1 members" in refused.stderr
    assert not any(topic.startswith("v2.alerts") for topic in await kafka.topics())
