"""A log with what some weeks of the simulated marketplace are, and what the rules say of them."""

from __future__ import annotations

from contextlib import suppress

import msgspec

from schemas.decode import Invalid, decode
from schemas.topics import ALERTS
from streams.alerts.cloudevents import AlertWriter
from streams.engine.log.memory import MemoryLog
from streams.marketplace.market import Plan, market
from streams.policy.load import default
from streams.stages.single_reader import SingleReader
from tests.unit.console.served import log_with_topics

PLAN = Plan(shops=12, orders_per_day=40, days=32, anger=(8.0, 16.0))


def lived(plan: Plan = PLAN) -> MemoryLog:
    """Every event of the plan, and the alerts and tables as of its end."""
    log, policy = log_with_topics(), default()
    reader, writer = SingleReader(policy), AlertWriter(policy.label, policy.platform)
    for number, record in enumerate(market(plan)):
        value = record.encode()
        log.append(record.topic, record.key.encode(), value)
        with suppress(Invalid):
            event, time = decode(record.topic, value)
            reader.take(record.topic, event, time, value)
        if number % 2000 == 0:
            reader.settle()
            _put(log, writer, reader)
    reader.finish(plan.end)
    _put(log, writer, reader)
    return log


def _put(log: MemoryLog, writer: AlertWriter, reader: SingleReader) -> None:
    alerts, rows = reader.drain()
    for alert in sorted(alerts, key=lambda alert: alert.time):
        for record in writer.records(alert):
            log.append(ALERTS[record.audience], record.key, record.value)
    for row in rows:
        log.append(row.table, row.key.encode(), msgspec.json.encode(row.value) if row.value is not None else None)
