"""The examples of a producer and a consumer, as they are, around a worker on a real Kafka."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from tests.connected.marketplace import alerts, run, worker
from tests.kafka_broker import Broker
from tests.patience import PATIENCE

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"

ORDER = {"order_id": "A-1", "shop_id": "tea", "buyer_id": "b", "platform": "demo"}
ITEM = {"item_id": "i", "category_id": "tea", "quantity": 1, "amount": 9.5}
EVENTS = [
    ("orders", {"type": "order.placed", "occurred_at": "2026-03-01T08:00:00Z", "items": [ITEM], **ORDER}),
    ("orders", {"type": "order.paid", "occurred_at": "2026-03-01T08:05:00Z", "order_id": "A-1", "shop_id": "tea"}),
    (
        "orders",
        {
            "type": "order.shipped",
            "occurred_at": "2026-03-01T10:00:00Z",
            "order_id": "A-1",
            "shop_id": "tea",
            "tracking_no": "T1",
            "carrier": "ZTO",
        },
    ),
    ("logistics-scans", {"occurred_at": "2026-03-01T12:00:00Z", "tracking_no": "T1", "status": "picked_up"}),
    ("logistics-scans", {"occurred_at": "2026-03-05T12:00:00Z", "tracking_no": "T1", "status": "arrived"}),
]
UNTIL = "2026-03-14T00:00:00Z"


async def example(name: str, *arguments: str, given: bytes = b"") -> str:
    """Runs an example with something on its standard input; it must end well. What it printed."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(EXAMPLES / name), *arguments, stdin=pipe, stdout=pipe, stderr=pipe
    )
    async with asyncio.timeout(PATIENCE):
        out, err = await process.communicate(given)
    assert process.returncode == 0, err.decode()
    return out.decode()


def lines() -> bytes:
    told = []
    for number, (topic, event) in enumerate(EVENTS):
        filled = {
            "event_id": f"e{number}",
            **({"type": "scan", "carrier": "ZTO"} if "status" in event else {}),
            **event,
        }
        told.append(json.dumps({"topic": topic, "value": filled}))
    return "\n".join(told).encode() + b"\n"


async def test_what_the_producer_sends_comes_back_as_alerts_that_the_consumer_tells(kafka: Broker) -> None:
    broker = ("--broker", f"kafka://{kafka.bootstrap}")
    await run("topics", *broker, "--app-id", "pw", "--order-partitions", "3", "--scan-partitions", "3")
    await example("produce_events.py", kafka.bootstrap, given=lines())
    await run(*worker(kafka, UNTIL))
    dead = [await kafka.read_committed(f"{topic}.dlq") for topic in ("orders", "logistics-scans")]
    assert dead == [[], []]
    raised = [json.loads(value) for value in await alerts(kafka, "alerts.platform")]
    assert [alert["type"] for alert in raised if alert["data"]["status"] == "raised"]
    told = (await example("consume_alerts.py", kafka.bootstrap, "alerts.platform")).splitlines()
    resolved = {
        (alert["type"], alert["subject"], alert["data"]["episode"])
        for alert in raised
        if alert["data"]["status"] == "resolved"
    }
    expected = [
        f"{alert['data']['severity']:<8} {alert['data']['message']['en']}"
        for alert in raised
        if alert["data"]["status"] == "raised"
        and (alert["type"], alert["subject"], alert["data"]["episode"]) not in resolved
    ]
    assert sorted(told) == sorted(expected)
    assert any(line.startswith("critical Parcel T1 (ZTO, order A-1) has had no logistics update") for line in told)


async def test_alerts_that_are_over_before_anybody_was_told_are_never_told(kafka: Broker) -> None:
    broker = ("--broker", f"kafka://{kafka.bootstrap}")
    await run("topics", *broker, "--app-id", "pw", "--order-partitions", "1", "--scan-partitions", "1")
    await example("produce_events.py", kafka.bootstrap, given=lines())
    await run(*worker(kafka, UNTIL))
    values = [json.loads(value) for value in await alerts(kafka, "alerts.merchant")]
    over = [value for value in values if value["data"]["status"] == "resolved"]
    assert over
    told = await example("consume_alerts.py", kafka.bootstrap, "alerts.merchant")
    assert not any(alert["data"]["message"]["en"] in told for alert in over)
