"""The alerts that Kafka still has, for who only looks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schemas.topics import ALERTS, TopicNames
from streams.engine.errors import FatalError
from streams.engine.log.interface import TopicPartition
from streams.engine.log.kafka_admin import connection
from streams.engine.log.kafka_spans import KafkaSpans
from streams.notify.alert import Alert, NoAlertError, read_alert
from streams.notify.dry_run import in_order


async def retained_alerts(bootstrap: str, topics: TopicNames, client: Mapping[str, Any]) -> list[Alert]:
    """All of them, by time; what is no alert is left out. Raises `LogError`, and `FatalError` without such topics."""
    names = topics.all(ALERTS.values())
    async with connection(bootstrap, client) as (log, _, settings):
        there = await log.partitions(names)
        if not there:
            raise FatalError(f"there is no topic {' and '.join(names)}: `parcelwatch topics` creates them")
        sources = [TopicPartition(topic, each) for topic, count in there.items() for each in range(count)]
        begins, ends = await log.begin_offsets(sources), await log.stable_offsets(sources)
        spans = KafkaSpans(settings, {source: (begins[source], ends[source]) for source in sources})
        found: list[Alert] = []
        try:
            await spans.open()
            while len(spans.ended) < len(sources):
                for batch in await spans.read(sources):
                    for record in batch.records:
                        try:
                            found.append(read_alert(record.value))
                        except NoAlertError:
                            continue
        finally:
            await spans.close()
    return in_order(found)
