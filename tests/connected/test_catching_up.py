"""A past stream produced into running workers on a real Kafka: with --catch-up it is read as it happened."""

from __future__ import annotations

import json
import time
from pathlib import Path

from schemas.times import parse, render
from streams.engine.partitioner import partition_for
from streams.policy import load
from tests.connected.marketplace import ALERTS, APP, INPUTS, OUTPUTS, Produced, alerts, replay, saying, weeks_ago
from tests.connected.mortals import Mortal, alive, until_all_work, until_true
from tests.kafka_broker import Broker

PARTITIONS = dict.fromkeys(INPUTS, 2)


def late_in_itself(events: Produced) -> int:
    """Events that come behind their partition's lateness however they are read."""
    greatest: dict[tuple[str, int], int] = {}
    late = 0
    lateness = load.default().lateness.micros
    for topic, key, value in events:
        source = topic, partition_for(key, PARTITIONS[topic])
        at = parse(json.loads(value)["occurred_at"])
        late += at < greatest.get(source, at) - lateness[topic]
        greatest[source] = max(at, greatest.get(source, at))
    return late


async def test_a_past_that_is_produced_topic_by_topic_is_not_late(kafka: Broker, tmp_path: Path) -> None:
    await kafka.create_topics(PARTITIONS | OUTPUTS)
    events = weeks_ago(4, 20)
    arguments = ("worker", "--broker", f"kafka://{kafka.bootstrap}", "--app-id", APP, "--commit-interval", "0.2")
    workers = [Mortal(*arguments, "--catch-up", "--catch-up-quiet", "3") for _ in range(2)]

    async def caught_up() -> bool:
        return not any([await each.told("parcelwatch_catching_up") for each in workers])

    async with alive(*workers):
        await until_all_work(workers)
        for topic in INPUTS:
            mine = [(key, value) for one, key, value in events if one == topic]
            await kafka.produce(topic, mine[: len(mine) // 2])
            await kafka.produce(topic, mine[len(mine) // 2 :])
            assert not await caught_up()
        await until_true(caught_up)
        out = await replay(events, render(time.time_ns() // 1000), tmp_path)

        async def all_told() -> bool:
            said = [await alerts(kafka, topic) for topic in ALERTS]
            return said == [sorted((out / f"{topic}.jsonl").read_bytes().splitlines()) for topic in ALERTS]

        await until_true(all_told)
        late = [await each.told("parcelwatch_late_total") for each in workers]
    assert sum(late) == late_in_itself(events)


async def test_without_it_the_log_says_loudly_what_happens_and_what_to_do(kafka: Broker) -> None:
    await kafka.create_topics(PARTITIONS | OUTPUTS)
    arguments = ("worker", "--broker", f"kafka://{kafka.bootstrap}", "--app-id", APP, "--commit-interval", "0.2")
    worker = Mortal(*arguments)

    async def in_the_present() -> bool:
        return await worker.told("parcelwatch_watermark_seconds") > 0

    async def much_is_late() -> bool:
        return await worker.told("parcelwatch_late_share") > 0.5

    async with alive(worker):
        await until_true(in_the_present)
        events = weeks_ago(4, 20)
        await kafka.produce("orders", [(key, value) for topic, key, value in events if topic == "orders"])
        await until_true(much_is_late)
        await saying(worker.running, "late events")
        await saying(worker.running, "--catch-up")
