"""What one reader of the whole stream puts out, which tasks have to equal."""

from __future__ import annotations

import json
import os
from collections import Counter
from random import Random
from typing import Any

from hypothesis import HealthCheck, settings

from schemas.decode import decode
from schemas.times import HOUR
from streams.alerts.cloudevents import AlertWriter
from streams.policy.model import Policy
from streams.stages.single_reader import SingleReader
from tests.oracle.policy import DAY
from tests.oracle.timeline import microseconds
from tests.unit.stages.cluster import Event

SOME = settings(
    deadline=None,
    derandomize="CI" in os.environ,
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    print_blob=True,
)


def end_of(events: list[dict[str, Any]], random: Random) -> int:
    greatest = max(microseconds(event["value"]["occurred_at"]) for event in events)
    return greatest + random.choice((0, 1, HOUR, 9 * DAY, 40 * DAY))


def one_reader(events: list[Event], policy: Policy, until: int) -> tuple[Counter[bytes], dict[str, dict[bytes, Any]]]:
    """What a replay of the same puts out."""
    reader = SingleReader(policy)
    for topic, value in events:
        event, time = decode(topic, value)
        if time <= until:
            reader.take(topic, event, time, value)
    reader.finish(until)
    alerts, records = reader.drain()
    writer = AlertWriter(policy.label, policy.platform)
    tables: dict[str, dict[bytes, Any]] = {}
    for record in records:
        table = tables.setdefault(record.table, {})
        if record.value is None:
            table.pop(record.key.encode(), None)
        else:
            table[record.key.encode()] = json.loads(json.dumps(record.value))
    values = Counter(record.value for alert in alerts for record in writer.records(alert))
    return values, {name: table for name, table in tables.items() if table}
