"""Records whose timestamp is none."""

from __future__ import annotations

import pytest

from tests.connected.broker_faults.scans import SCANS, make_topics, named, silent_since, until_stalled, working
from tests.kafka_broker import Broker


@pytest.mark.parametrize("timestamp", [-1, 0])
async def test_a_record_without_a_timestamp_is_judged_by_its_event_alone(kafka: Broker, timestamp: int) -> None:
    await make_topics(kafka)
    await kafka.produce(SCANS, silent_since(8, named("P", 3)), timestamp_ms=timestamp)
    assert {record.timestamp for record in await kafka.read_committed(SCANS)} == {timestamp}
    async with working(kafka):
        await until_stalled(kafka, named("P", 3))
    assert not await kafka.read_committed(f"{SCANS}.dlq")
