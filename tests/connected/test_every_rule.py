"""A stream that exercises every rule gives the same in replay and workers, however it is split.

Some 50,000 events on a real Kafka, over 1, 4 and 12 partitions, by one worker and by two.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_kafka
from cloudevents.core.formats.json import JSONFormat

from schemas.times import parse
from streams.policy.estimates import encoded
from streams.rules.alert_types import ALERT_TYPES
from tests.connected.marketplace import Produced, compare, produce, replay, run, worker
from tests.every_rule import POLICY, stream
from tests.kafka_broker import Broker
from tests.unit.estimating import ANY


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
    if workers == 2:
        # With a model, what is open of a shop's parcels crosses the partitions, too.
        (tmp_path / "model.json").write_bytes(encoded(ANY))
        policy.write_text(f'{POLICY}[estimates]\nfile = "model.json"\n')
    options = ("--policy", str(policy))
    out = await replay(events, until, tmp_path, *options)
    summary = json.loads((out / "summary.json").read_text())
    assert summary["late"] == 0
    assert summary["alerts"].keys() == ALERT_TYPES.keys()
    await produce(kafka, events, dict.fromkeys(("orders", "chats", "logistics-scans"), partitions))
    await asyncio.gather(*(run(*worker(kafka, until, *options)) for _ in range(workers)))
    await compare(kafka, out)
    if workers == 2:
        assert b'"parcels_at_risk":["' in (out / "alerts.merchant.jsonl").read_bytes()
    if (partitions, workers) == (4, 2):
        await check_cloudevents(kafka)


async def check_cloudevents(kafka: Broker) -> None:
    """Every alert is an event by CloudEvents' Kafka binding, as the SDK of CloudEvents reads it."""
    types = set()
    for audience in ("merchant", "platform"):
        for record in await kafka.read_committed(f"alerts.{audience}"):
            assert record.headers == (("content-type", b"application/cloudevents+json; charset=UTF-8"),)
            event = from_kafka(KafkaMessage(dict(record.headers), record.key, record.value), JSONFormat())
            whole = json.loads(record.value)
            assert (event.get_type(), event.get_id(), event.get_source(), event.get_datacontenttype()) == (
                whole["type"], whole["id"], whole["source"], "application/json",
            )  # fmt: skip
            when = event.get_time()
            assert when is not None
            assert round(when.timestamp() * 1e6) == parse(whole["time"])
            assert event.get_data() == whole["data"]
            data = whole["data"]
            assert record.key.decode() == (data["shop_id"] if audience == "merchant" else whole["subject"])
            types.add(whole["type"])
    assert types == {f"parcelwatch.{name}.v1" for name in ALERT_TYPES}
