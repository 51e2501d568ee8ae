"""Topics behind a prefix, on a real Kafka: every command finds them, and leaves those without it alone."""

from __future__ import annotations

from pathlib import Path

from schemas.topics import INPUTS, OUTPUTS, TopicNames
from tests.connected.marketplace import alerts, generated, replay, run, some_days_after, worker
from tests.kafka_broker import Broker
from tests.unit.cli import run as command

NAMES = TopicNames.prefixed("eu.")
PREFIX = ("--topic-prefix", "eu.")


async def test_all_commands_know_the_topics_by_their_prefix(kafka: Broker, tmp_path: Path) -> None:
    broker = ("--broker", f"kafka://{kafka.bootstrap}")
    events = generated(days=6)
    until = some_days_after(events)
    few = ("--order-partitions", "2", "--scan-partitions", "2")
    await run("topics", *broker, *PREFIX, "--app-id", "pw", *few)
    assert {topic for topic in await kafka.topics() if not topic.startswith("pw-")} == {
        *NAMES.all(INPUTS),
        *NAMES.all(OUTPUTS),
    }
    for name in INPUTS:
        await kafka.produce(NAMES[name], [(key, value) for topic, key, value in events if topic == name])
    await run(*worker(kafka, until, *PREFIX))
    out = await replay(events, until, tmp_path)
    for name in ("alerts.merchant", "alerts.platform"):
        got = await alerts(kafka, NAMES[name])
        assert got
        assert got == sorted((out / f"{name}.jsonl").read_bytes().splitlines())
    order = next(key for topic, key, _ in events if topic == "orders").decode()
    told = command("explain", order, *broker, *PREFIX, "--until", until, "--lang", "en")
    assert (told.returncode, told.stderr) == (0, "")
    assert order in told.stdout
    left = command("forget", "--order", order, *broker, *PREFIX, "--app-id", "pw", "--dry-run")
    assert left.returncode == 0
    assert "eu.orders.dlq" in left.stdout
