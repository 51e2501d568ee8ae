"""A past stream produced into running workers on a real Kafka: with --catch-up it is read as it happened."""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path

from schemas.times import parse, render
from streams.engine.clock import system_now
from streams.engine.partitioner import partition_for
from streams.policy import load
from tests.connected.marketplace import (
    ALERTS,
    APP,
    INPUTS,
    OUTPUTS,
    Produced,
    alerts,
    progress,
    replay,
    saying,
    valid,
    weeks_ago,
)
from tests.connected.mortals import Mortal, alive, until_all_work, until_true
from tests.kafka_broker import Broker
from tests.patience import LONG_SESSION

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


def at_present() -> Produced:
    """An event of now for each partition of each input, of which nothing follows."""
    found = []
    for topic in INPUTS:
        for partition in range(PARTITIONS[topic]):
            name = next(
                name for name in map(str, count()) if partition_for(name.encode(), PARTITIONS[topic]) == partition
            )
            event = {"event_id": f"present-{name}", "occurred_at": render(system_now()), "shop_id": "S"} | {
                "orders": {"type": "order.completed", "order_id": name},
                "chats": {"type": "ticket.responded", "ticket_id": name},
                "logistics-scans": {"type": "scan", "tracking_no": name, "carrier": "SF", "status": "delivered"},
            }[topic]
            found.append((topic, name.encode(), json.dumps(event).encode()))
    assert valid(found) == found
    return found


async def test_a_past_that_is_produced_topic_by_topic_is_not_late(kafka: Broker, tmp_path: Path) -> None:
    await kafka.create_topics(PARTITIONS | OUTPUTS)
    events = weeks_ago(4, 20)
    arguments = ("worker", "--broker", f"kafka://{kafka.bootstrap}", "--app-id", APP, "--commit-interval", "0.2",
                 "--session-timeout", str(LONG_SESSION))  # fmt: skip
    # No input is quiet for so long: the past is over when the present has come, and that is the test's to say.
    workers = [Mortal(*arguments, "--catch-up", "--catch-up-quiet", "86400") for _ in range(2)]

    async def caught_up() -> bool:
        return not any([await each.told("parcelwatch_catching_up") for each in workers])

    async with alive(*workers):
        await until_all_work(workers)
        for topic in INPUTS:
            mine = [(key, value) for one, key, value in events if one == topic]
            await kafka.produce(topic, mine[: len(mine) // 2])
            await kafka.produce(topic, mine[len(mine) // 2 :])
            assert not await caught_up()
        await until_true(lambda: all_read(kafka, len(events)))
        assert not await caught_up()
        present = at_present()
        for topic, key, value in present:
            await kafka.produce(topic, [(key, value)])
        await until_true(caught_up)
        out = await replay([*events, *present], render(system_now()), tmp_path)

        async def all_told() -> bool:
            said = [await alerts(kafka, topic) for topic in ALERTS]
            return said == [sorted((out / f"{topic}.jsonl").read_bytes().splitlines()) for topic in ALERTS]

        await until_true(all_told)
        late = [await each.told("parcelwatch_late_events_total") for each in workers]
    assert sum(late) == late_in_itself(events)


async def all_read(kafka: Broker, count: int) -> bool:
    return await progress(kafka) == count


async def test_without_it_the_log_says_loudly_what_happens_and_what_to_do(kafka: Broker) -> None:
    await kafka.create_topics(PARTITIONS | OUTPUTS)
    arguments = ("worker", "--broker", f"kafka://{kafka.bootstrap}", "--app-id", APP, "--commit-interval", "0.2")
    worker = Mortal(*arguments)

    async def in_the_present() -> bool:
        # In each partition of the orders: what is read before that is not late.
        found = await worker.series("parcelwatch_watermark_timestamp_seconds") or {}
        return sum('input="orders"' in labels and time > 0 for labels, time in found.items()) == PARTITIONS["orders"]

    async def much_is_late() -> bool:
        return await worker.told("parcelwatch_late_ratio") > 0.5

    async with alive(worker):
        await until_true(in_the_present)
        events = weeks_ago(4, 20)
        await kafka.produce("orders", [(key, value) for topic, key, value in events if topic == "orders"])
        await until_true(much_is_late)
        await saying(worker.running, "late events")
        await saying(worker.running, "--catch-up")
