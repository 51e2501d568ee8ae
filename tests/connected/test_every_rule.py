"""A stream that exercises every rule gives the same in replay and workers, however it is split.

Some 50,000 events on a real Kafka, over 1, 4 and 12 partitions, by one worker and by two.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from schemas.decode import decode
from schemas.events import record_key
from schemas.times import DAY, HOUR, MINUTE, parse, render
from streams.alerts.wording import catalogue
from tests.connected.marketplace import Produced, compare, generated, produce, replay, run, valid, worker
from tests.kafka_broker import Broker

START = parse("2026-09-01T00:00:00+08:00")

#: Limits that a small marketplace reaches.
POLICY = """
extends = "default"
name = "lively"
[feed_silence]
min_scans = 60
[clusters]
stalls = 5
[help_rate]
min_orders = 20
[conversations.reply_late]
enabled = true
"""


def record(topic: str, value: dict[str, Any]) -> tuple[int, tuple[str, bytes, bytes]]:
    encoded = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    event, time = decode(topic, encoded)
    return time, (topic, record_key(event).encode(), encoded)


def outages() -> list[tuple[int, tuple[str, bytes, bytes]]]:
    """A carrier with many scans that falls silent twice, and whose parcels stall at two facilities."""
    random = Random(7)
    gaps = [(START + days * DAY + 5 * HOUR, hours * HOUR) for days, hours in ((12, 9), (20, 40))]
    found = []
    for number in range(9_000):
        at = START + random.randrange(26 * 24 * 60) * MINUTE
        if any(since <= at < since + length for since, length in gaps):
            continue
        value = {"event_id": f"f{number}", "type": "scan", "occurred_at": render(at), "carrier": "FEED"}
        value |= {"tracking_no": f"F{random.randrange(1_500)}", "facility": random.choice(("甲站", "乙站"))}
        found.append(record("logistics-scans", value | {"status": random.choice(("departed", "arrived", "delivered"))}))
    return found


def refunds() -> list[tuple[int, tuple[str, bytes, bytes]]]:
    """Orders with requests after the sale, refused and granted, and talk that is answered late or not at all."""
    return [event for number in range(150) for event in refund(number, Random(number))]


def refund(number: int, random: Random) -> list[tuple[int, tuple[str, bytes, bytes]]]:
    """The life of one such order."""
    order, shop = f"R{number}", f"shop-{number % 4:03d}"
    placed = START + random.randrange(10 * 24 * 60) * MINUTE
    found = []

    def event(topic: str, type_: str, hours: float, **fields: Any) -> None:
        value = {"event_id": f"{type_}-{number}-{hours}", "type": type_, "shop_id": shop, "order_id": order}
        found.append(record(topic, value | {"occurred_at": render(placed + round(hours * HOUR))} | fields))

    items = [{"item_id": f"i{number % 7}", "category_id": random.choice(("c1", "flowers")), "quantity": 1}]
    event("orders", "order.placed", 0, buyer_id=f"b{number}", items=items, commitment_days=random.choice((None, 30)))
    event("orders", "order.completed", 48)
    asked = 48 + random.choice((24, 15 * 24, 17 * 24 + 0.5))
    kind, reason = random.choice(("return_refund", "exchange", "refund_only")), random.choice(("damaged", "其他"))
    event("orders", "refund.requested", asked, refund_id="r", kind=kind, reason=reason)
    event("orders", "refund.rejected", asked + 1, refund_id="r")
    if random.random() < 0.5:
        event("orders", "refund.settled", asked + 12, refund_id="r")
    else:
        event("orders", "dispute.opened", asked + 14, dispute_id="d")
    said = {"conversation_id": f"v{number}"}
    text = random.choice(("快递到哪了", "申请平台介入"))
    event("chats", "chat.message", asked - 39, sender="buyer", text=text, **said)
    if random.random() < 0.7:
        answered = asked - 39 + random.choice((0.01, 0.05, 2))
        event("chats", "chat.message", answered, sender="merchant", text="您好", **said)
    return found


@pytest.fixture(scope="session")
def stream() -> tuple[Produced, str]:
    """The events in the order of arrival, and when to end."""
    market = valid(generated(days=40, orders_per_day=72))
    timed = [(parse(json.loads(value)["occurred_at"]), event) for event in market for *_, value in (event,)]
    # The marketplace keeps its own mild disorder; what is added comes when the greatest time before it says so.
    greatest, keyed = 0, []
    for time, event in timed:
        greatest = max(greatest, time)
        keyed.append((greatest, event))
    events = [event for _, event in sorted(keyed + outages() + refunds(), key=lambda one: one[0])]
    return events, render(max(time for time, _ in timed) + 9 * DAY)


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("partitions", [1, 4, 12])
async def test_every_rule_gives_the_same(
    partitions: int, workers: int, stream: tuple[Produced, str], kafka: Broker, tmp_path: Path
) -> None:
    events, until = stream
    assert len(events) > 45_000
    policy = tmp_path / "lively.toml"
    policy.write_text(POLICY)
    options = ("--policy", str(policy))
    out = await replay(events, until, tmp_path, *options)
    summary = json.loads((out / "summary.json").read_text())
    assert summary["late"] == 0
    assert summary["alerts"].keys() == catalogue().alerts.keys()
    await produce(kafka, events, dict.fromkeys(("orders", "chats", "logistics-scans"), partitions))
    await asyncio.gather(*(run(*worker(kafka, until, *options)) for _ in range(workers)))
    await compare(kafka, out)
