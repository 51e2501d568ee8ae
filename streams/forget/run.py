"""Runs forget against an application on Kafka."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from schemas.topics import PLAIN, TopicNames
from streams.engine.clock import system_now
from streams.engine.errors import FatalError
from streams.engine.log.interface import Log, TopicPartition
from streams.engine.log.kafka import KafkaLog, KafkaSettings
from streams.engine.log.kafka_clients import errors, quietly
from streams.engine.log.kafka_groups import look_at
from streams.engine.log.kafka_spans import KafkaSpans
from streams.engine.processor import Record
from streams.engine.topology import Topology
from streams.forget.orders import Wanted
from streams.forget.remains import SETTINGS, remaining, topics
from streams.forget.report import Report
from streams.forget.state import Held, Progress, State, topology_of
from streams.forget.unread import ReadSpans, unread
from streams.policy.model import Policy
from streams.stages.dataflow import dataflow
from streams.topics.ensure import configs

#: Seconds until the group notices that a worker has left.
_ANSWER = 30.0

#: Gives what is told of offsets read, knowing how many there are.
Bar = Callable[[int], AbstractContextManager[Progress]]


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for. `whom`: in words; `transactions`: whether the application writes in them."""

    app_id: str
    wanted: Wanted
    whom: str
    dry_run: bool
    transactions: bool = True
    topics: TopicNames = PLAIN


async def forget(
    bootstrap: str, policy: Policy, request: Request, bar: Bar, client: Mapping[str, Any] | None = None
) -> Report:
    """Runs the request on the brokers at `bootstrap`; `client` goes to every Kafka client as it is (security).

    Raises `LogError`, and `FatalError` with one line.
    """
    settings = KafkaSettings(bootstrap=bootstrap, transactions=request.transactions, client=client or {})
    log = KafkaLog(settings)
    admin = AIOKafkaAdminClient(**settings.common())
    try:
        await log.start()
        topology = await topology_of(request.app_id, dataflow(policy, request.topics), log)
        with errors("asking for the group and the topics' settings"):
            async with asyncio.timeout(_ANSWER):
                await admin.start()
                workers = len((await look_at(admin, request.app_id)).members)
                kept = await _settings(admin, topology, request.topics)
        if workers and not request.transactions and not request.dry_run:
            raise FatalError("without transactions nothing fences a worker: stop all of them first")
        held = await take_out(log, topology, policy, request, bar)
        left = await still_unread(log, topology, request, held, partial(_read, settings))
        return Report(
            request.whom,
            request.app_id,
            request.dry_run,
            held,
            remaining(topology, request.topics, kept, system_now()),
            left,
            workers,
        )
    finally:
        await quietly(admin.close())
        await log.stop()


async def take_out(log: Log, topology: Topology, policy: Policy, request: Request, bar: Bar) -> Held:
    """Removes what the state holds, unless it is a dry run. Returns what it held."""
    state = State(log, topology, policy, transactions=request.transactions)
    with bar(await state.size()) as progress:
        held = await state.look(request.wanted, progress)
    return held if request.dry_run else await state.remove()


async def still_unread(
    log: Log, topology: Topology, request: Request, held: Held, read: ReadSpans
) -> dict[TopicPartition, int]:
    """Number of unread records that name what was found."""
    orders = {*held.names, *([request.wanted.order] if request.wanted.order is not None else [])}
    alone = {one.tracking_no for found in held.parcels.values() for one in found if not one.shared}
    return await unread(log, topology, read, orders, alone, request.topics)


async def _settings(admin: AIOKafkaAdminClient, topology: Topology, names: TopicNames) -> dict[str, dict[str, str]]:
    present = set(await admin.list_topics())
    asked = dict.fromkeys(SETTINGS)
    wanted = [topic for topic in topics(topology, names) if topic in present]
    return await configs(admin, [ConfigResource(ConfigResourceType.TOPIC, topic, asked) for topic in wanted])


async def _read(
    settings: KafkaSettings, spans: Mapping[TopicPartition, tuple[int, int]]
) -> AsyncIterator[tuple[TopicPartition, Record]]:
    reader = KafkaSpans(settings, spans, passes=True)
    try:
        await reader.open()
        while batches := await reader.read(spans.keys()):
            for fetched in batches:
                for record in fetched.records:
                    yield fetched.source, record
    finally:
        await reader.close()
