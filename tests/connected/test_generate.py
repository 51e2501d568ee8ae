"""`parcelwatch generate --broker`: the marketplace in Kafka, as a user without data of their own starts it."""

from __future__ import annotations

import json
import time

from schemas.times import parse
from tests.connected.marketplace import INPUTS, THREE, command, said
from tests.kafka_broker import Broker

SMALL = ("--days", "5", "--orders-per-day", "20", "--shops", "6")


async def test_the_past_reaches_the_topics_where_workers_look_for_it(kafka: Broker) -> None:
    await kafka.create_topics(THREE)
    process = await command("generate", "--broker", f"kafka://{kafka.bootstrap}", *SMALL)
    lines = await said(process)
    assert process.returncode == 0, lines
    records = {topic: await kafka.read_committed(topic) for topic in INPUTS}
    count = sum(len(found) for found in records.values())
    assert f"{count:,} records sent" in lines
    now = time.time_ns() // 1_000
    times = [
        parse(value["occurred_at"])
        for found in records.values()
        for value in (json.loads(record.value) for record in found)
        if len(value.get("occurred_at", "")) > 19
    ]
    assert max(times) <= now
    assert min(times) >= now - 6 * 24 * 3_600_000_000


async def test_a_missing_topic_is_told_and_not_made(kafka: Broker) -> None:
    process = await command("generate", "--broker", f"kafka://{kafka.bootstrap}", *SMALL)
    lines = await said(process)
    assert process.returncode == 2
    assert "run `parcelwatch topics` first" in lines
