"""A stream that exercises every rule gives the same in replay and workers, however it is split.

Some 50,000 events on a real Kafka, over 1, 4 and 12 partitions, by one worker and by two.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from streams.rules.alert_types import ALERT_TYPES
from tests.connected.marketplace import Produced, compare, produce, replay, run, worker
from tests.every_rule import POLICY, stream
from tests.kafka_broker import Broker


@pytest.fixture(scope="session")
def events_and_end() -> tuple[Produced, str]:
    """The events in the order of arrival, and when to end."""
    return stream()


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("partitions", [1, 4, 12])
async def test_every_rule_gives_the_same(
    partitions: int, workers: int, events_and_end: tuple[Produced, str], kafka: Broker, tmp_path: Path
) -> None:
    events, until = events_and_end
    assert len(events) > 45_000
    policy = tmp_path / "lively.toml"
    policy.write_text(POLICY)
    options = ("--policy", str(policy))
    out = await replay(events, until, tmp_path, *options)
    summary = json.loads((out / "summary.json").read_text())
    assert summary["late"] == 0
    assert summary["alerts"].keys() == ALERT_TYPES.keys()
    await produce(kafka, events, dict.fromkeys(("orders", "chats", "logistics-scans"), partitions))
    await asyncio.gather(*(run(*worker(kafka, until, *options)) for _ in range(workers)))
    await compare(kafka, out)
