"""Resets an application on Kafka: its group and its internal topics, in an order that can be interrupted anywhere."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import UnknownTopicOrPartitionError, for_code

from schemas.topics import OUTPUTS, TopicNames
from streams.engine.errors import FatalError, LogError
from streams.engine.log.interface import Committed, TopicPartition
from streams.engine.log.kafka import KafkaLog, KafkaSettings
from streams.engine.log.kafka_admin import connection
from streams.engine.log.kafka_clients import errors
from streams.engine.log.kafka_groups import commit_as, delete_group, nobody_in, offsets_at
from streams.engine.offset_texts import BEGIN
from streams.engine.topology import Topology
from streams.policy import load
from streams.reset.plan import Plan
from streams.stages.dataflow import dataflow

#: Timeout of broker requests, in seconds.
_PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Resetting:
    """A connection to the brokers of an application."""

    log: KafkaLog
    admin: AIOKafkaAdminClient
    settings: KafkaSettings
    app_id: str
    topics: TopicNames

    async def plan(self, since: int | None) -> Plan:
        """Plans the reset. Raises `FatalError` if workers run or there are no inputs, and `LogError`."""
        with errors(f"asking for group {self.app_id}"):
            await nobody_in(self.admin, self.app_id)
        flow = dataflow(load.default(), self.topics)
        topology = Topology(self.app_id, flow, {})
        external = [item.topic for kind in flow.kinds for item in kind.inputs]
        inputs = await self.log.partitions(external)
        if missing := [topic for topic in external if topic not in inputs]:
            raise FatalError(f"topics do not exist: {', '.join(missing)}")
        sources = [TopicPartition(topic, each) for topic in external for each in range(inputs[topic])]
        begins, ends = await self.log.begin_offsets(sources), await self.log.end_offsets(sources)
        if since is not None:
            with errors("asking for the offsets of a time"):
                begins = await offsets_at(self.settings.reading(), ends, since)
        found = await self.log.partitions(topology.internal())
        internal = dict(sorted(found.items()))
        everything = {**inputs, **internal}
        held = [TopicPartition(topic, each) for topic, count in everything.items() for each in range(count)]
        committed = await self.log.committed(self.app_id, held)
        spans = {source: (begins[source], ends[source]) for source in sources}
        return Plan(self.app_id, len(committed), internal, spans, since, self.topics.all(OUTPUTS))

    async def carry_out(self, plan: Plan) -> None:
        """Runs the plan. Raises `FatalError` if a worker has joined meanwhile, and `LogError`; may be rerun."""
        with errors(f"resetting {self.app_id}"):
            async with asyncio.timeout(_PATIENCE):
                # The group first: from here on the brokers guarantee that no worker runs.
                await delete_group(self.admin, self.app_id)
                await self._delete(plan.internal)
                # Committed even for the beginning: it tells the next worker that the fresh start is intended.
                begin = {source: Committed(offset, BEGIN) for source, (offset, _) in plan.spans.items()}
                await commit_as(self.app_id, self.settings.reading(), begin)

    async def _delete(self, topics: Collection[str]) -> None:
        if not topics:
            return
        answer = await self.admin.delete_topics(list(topics))
        for topic, code, *_ in answer.topic_error_codes:
            if code and for_code(code) is not UnknownTopicOrPartitionError:
                raise LogError(f"deleting topic {topic}: {for_code(code).__name__}")
        # Requesting a topic by name could auto-create it.
        while set(topics) & set(await self.admin.list_topics()):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


@asynccontextmanager
async def connected(
    bootstrap: str, app_id: str, topics: TopicNames, client: Mapping[str, Any]
) -> AsyncIterator[Resetting]:
    """Connects for as long as the block lasts. Raises `FatalError` and `LogError`."""
    async with connection(bootstrap, client) as (log, admin, settings):
        yield Resetting(log, admin, settings, app_id, topics)
