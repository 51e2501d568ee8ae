"""`parcelwatch explain --broker` tells of the topics of a real Kafka what it tells of a file with the same events."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import click.testing
import pytest

from schemas.decode import decode
from schemas.events import record_key
from streams.cli.main import parcelwatch
from streams.engine.partitioner import partition_for
from tests.connected.marketplace import INPUTS
from tests.kafka_broker import Broker
from tests.unit.explain import scenes
from tests.unit.rules.timeline import Timeline

PARTITIONS = dict.fromkeys(INPUTS, 3)


async def explain(*arguments: str) -> click.testing.Result:
    return await asyncio.to_thread(click.testing.CliRunner().invoke, parcelwatch, ["explain", *arguments])


async def told(*arguments: str) -> str:
    done = await explain(*arguments)
    assert done.exit_code == 0, done.output
    return done.stdout


async def written(kafka: Broker, timeline: Timeline, file: Path) -> str:
    """Puts the events into topics and into a file; the option that names the broker."""
    lines = [b'{"topic":"%s","value":%s}\n' % (topic.encode(), value) for topic, value in timeline.events]
    await asyncio.to_thread(file.write_bytes, b"".join(lines))
    await kafka.create_topics(PARTITIONS)
    for topic in INPUTS:
        keyed = [(record_key(decode(t, value)[0]).encode(), value) for t, value in timeline.events if t == topic]
        await kafka.produce(topic, keyed)
    return f"--broker=kafka://{kafka.bootstrap}"


def without_places(whole: Any) -> Any:
    """What is said, but not where it was read."""
    if isinstance(whole, dict):
        return {name: without_places(one) for name, one in whole.items() if name not in {"line", "partition", "offset"}}
    return [without_places(one) for one in whole] if isinstance(whole, list) else whole


async def test_it_tells_what_a_file_tells(kafka: Broker, tmp_path: Path) -> None:
    timeline = scenes.late_order()
    broker = await written(kafka, timeline, tmp_path / "in.jsonl")
    for subject in ("A", "X1", "K", "S1"):
        of_broker = json.loads(await told(subject, broker, "--json"))
        of_file = json.loads(await told(subject, str(tmp_path / "in.jsonl"), "--json"))
        assert without_places(of_broker) == without_places(of_file)
    event = json.loads(await told("A", broker, "--json"))["stories"][0]["events"][0]
    assert (event["partition"], event["offset"]) == (partition_for(b"A", 3), 0)
    for language in ("zh-CN", "en"):
        options = ("--lang", language)
        assert await told("A", broker, *options) == await told("A", str(tmp_path / "in.jsonl"), *options)


async def test_what_a_worker_would_bury_is_no_event(kafka: Broker, tmp_path: Path) -> None:
    broker = await written(kafka, Timeline().paid(0, "A"), tmp_path / "in.jsonl")
    (_, paid), *_ = Timeline().paid(0, "A").events
    shipped = paid.replace(b"order.placed", b"order.cancelled").replace(b"order.paid", b"order.cancelled")
    wrong = (partition_for(b"A", 3) + 1) % 3
    await kafka.produce("orders", [(b"A", shipped)], partition=wrong)
    await kafka.produce("orders", [(b"another", shipped), (b"A", None)], partition=wrong)
    await kafka.produce("orders", [(b"A", shipped)], partition=wrong, timestamp_ms=1)
    page = await told("A", broker, "--lang", "en")
    assert "cancelled" not in page
    ahead = "occurred_at: more than 24 hours ahead of the record's timestamp"
    assert page.endswith(
        "Invalid records (dead letters)\n"
        f"  orders-{wrong}, offset 0: wrong_partition (the key belongs to another partition than {wrong})\n"
        f"  orders-{wrong}, offset 1: wrong_key (the record's key is not the one that its event asks for)\n"
        f"  orders-{wrong}, offset 3: from_the_future ({ahead})\n"
    )
    found = json.loads(await told("A", broker, "--json"))["unreadable"]
    assert [(one["partition"], one["offset"], one["error_code"]) for one in found] == [
        (wrong, 0, "wrong_partition"), (wrong, 1, "wrong_key"), (wrong, 3, "from_the_future"),
    ]  # fmt: skip


@pytest.mark.parametrize("topics", [(), ("orders",)])
async def test_what_is_not_there_is_one_line(topics: tuple[str, ...], kafka: Broker) -> None:
    await kafka.create_topics(dict.fromkeys(topics, 1))
    done = await explain("A", "--broker", f"kafka://{kafka.bootstrap}")
    said = "A: no shipment, order, ticket" if topics else f"{kafka.bootstrap}: has none of the topics orders"
    assert isinstance(done.exception, SystemExit)
    assert done.exit_code == 2
    assert said in done.stderr
