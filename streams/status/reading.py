"""Asks Kafka for everything that is known of an application; writes nothing, and needs no more than rights to read."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient

from schemas.topics import ALERTS, DEAD_LETTERS, TopicNames
from streams.engine.clock import system_now
from streams.engine.errors import DeniedError, FatalError, LogError
from streams.engine.log.interface import Committed, TopicPartition
from streams.engine.log.kafka import KafkaLog
from streams.engine.log.kafka_admin import connection
from streams.engine.log.kafka_clients import errors
from streams.engine.log.kafka_groups import Group, look_at
from streams.engine.notes import TaskNote, read
from streams.engine.topology import TaskId, Topology
from streams.policy import load
from streams.stages.dataflow import ORDERS_TASK, dataflow
from streams.status.facts import Facts, Holder, Span
from streams.status.newest import newest_alerts, newest_letters
from streams.topics.desired import Settings
from streams.topics.ensure import ensure
from streams.topics.report import Report

#: Seconds for which a partition may have no leader, as each new one does.
_LEADERLESS = 3.0


async def look(bootstrap: str, app_id: str, topics: TopicNames, client: Mapping[str, Any], seconds: float) -> Facts:
    """One look. `seconds`: how long each request may take. Raises `FatalError` and `LogError`."""
    wanted = Settings(app_id=app_id, dataflow=dataflow(load.default(), topics), topics=topics)
    (report, why), found = await asyncio.gather(
        _compared(bootstrap, wanted, client), _facts(bootstrap, app_id, topics, client, seconds)
    )
    found.topics, found.uncompared = report, why
    return found


async def _compared(bootstrap: str, settings: Settings, client: Mapping[str, Any]) -> tuple[Report | None, str]:
    """What `parcelwatch topics --dry-run` says; or why it cannot say anything."""
    try:
        return await ensure(bootstrap, settings, True, client), ""
    except FatalError as error:
        return None, str(error)


async def _facts(bootstrap: str, app_id: str, topics: TopicNames, client: Mapping[str, Any], seconds: float) -> Facts:
    async with connection(bootstrap, client, seconds) as (log, admin, settings):
        topology, names = await _topology(log, admin, app_id, topics)
        with errors(f"asking for group {app_id}"):
            group = await look_at(admin, app_id)
        facts = Facts(app_id, system_now(), topology, _exists(topology, names, group), group)
        facts.others = _others(topology, names, app_id)
        if not facts.exists:
            return facts
        sources = [
            source for task in topology.tasks() for source in topology.partitions_of(task) if source.topic in names
        ]
        outputs = topics.all((*ALERTS.values(), *DEAD_LETTERS.values()))
        counts = await log.partitions([topic for topic in outputs if topic in names])
        told = [TopicPartition(topic, each) for topic, count in counts.items() for each in range(count)]
        changelogs = {
            TopicPartition(topology.changelog(task.kind), task.partition): task
            for task in topology.tasks()
            if topology.changelog(task.kind) in names
        }
        spans, committed = await asyncio.gather(
            _spans(log, [*sources, *told]), log.committed(app_id, [*sources, *changelogs])
        )
        facts.spans = spans
        facts.read = {source: committed[source].offset for source in sources if source in committed}
        facts.notes = _notes(changelogs, committed)
        facts.holders = await _holders(log, spans)
        facts.alerts = await newest_alerts(settings, spans, topics)
        facts.letters = await newest_letters(settings, spans, topics, facts.now)
        return facts


async def _topology(
    log: KafkaLog, admin: AIOKafkaAdminClient, app_id: str, topics: TopicNames
) -> tuple[Topology, frozenset[str]]:
    """The tasks, by the changelogs where they exist, else by the inputs; and the names of all topics."""
    flow = dataflow(load.default(), topics)
    with errors("listing topics"):
        names = frozenset(await admin.list_topics())
    empty = Topology(app_id, flow, {kind.name: 0 for kind in flow.kinds})
    wanted = {kind.name: (empty.changelog(kind.name), kind.inputs[0].topic) for kind in flow.kinds}
    found = await log.partitions([topic for pair in wanted.values() for topic in pair if topic in names])
    counts = {kind: found.get(changelog, found.get(topic, 0)) for kind, (changelog, topic) in wanted.items()}
    return Topology(app_id, flow, counts), names


def _exists(topology: Topology, names: frozenset[str], group: Group) -> bool:
    kinds = topology.dataflow.kinds
    return bool(group.members) or any(topology.changelog(kind.name) in names for kind in kinds)


def _others(topology: Topology, names: frozenset[str], app_id: str) -> list[str]:
    """The other applications of the cluster, by their changelogs."""
    suffix = topology.changelog(ORDERS_TASK).removeprefix(app_id)
    return sorted(name.removesuffix(suffix) for name in names if name.endswith(suffix) and name != app_id + suffix)


async def _spans(log: KafkaLog, sources: list[TopicPartition]) -> dict[TopicPartition, Span]:
    if not sources:
        return {}
    until = time.monotonic() + _LEADERLESS
    while True:
        try:
            begins, stable, ends = await asyncio.gather(
                log.begin_offsets(sources), log.stable_offsets(sources), log.end_offsets(sources)
            )
            break
        except DeniedError:
            raise
        except LogError:
            if time.monotonic() > until:
                raise
            await asyncio.sleep(0.2)
    return {source: Span(begins[source], stable[source], ends[source]) for source in sources}


def _notes(
    changelogs: Mapping[TopicPartition, TaskId], committed: Mapping[TopicPartition, Committed]
) -> dict[TaskId, TaskNote]:
    found = {task: read(committed[source].metadata) for source, task in changelogs.items() if source in committed}
    return {task: note for task, note in found.items() if note is not None}


async def _holders(log: KafkaLog, spans: Mapping[TopicPartition, Span]) -> dict[TopicPartition, list[Holder]]:
    """Who holds back what: of partitions that have something behind an open transaction."""
    held = [source for source, span in spans.items() if span.stable < span.end]
    found: Iterable[list[Any]] = await asyncio.gather(*map(log.open_transactions, held))
    return {
        source: [Holder(str(each), each.last_write * 1000) for each in holders]
        for source, holders in zip(held, found, strict=True)
    }
