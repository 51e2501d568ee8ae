"""A notifier on Kafka, in a process of its own."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

import structlog

from schemas.topics import TopicNames
from streams.cli.ending import when_told_to_end
from streams.engine.log.kafka import KafkaLog, KafkaSettings
from streams.engine.wall_clock import SteadyLoop, WallClock
from streams.notify.leading import Names
from streams.notify.metrics import NotifyMetrics
from streams.notify.sending import sender
from streams.notify.service import Service, Start
from streams.notify.settings import Settings
from streams.worker.endpoint import endpoint
from streams.worker.health import Health

log = structlog.get_logger(__name__)


class Where(NamedTuple):
    """What the notifier connects to, and as whom."""

    bootstrap: str
    names: Names
    topics: TopicNames
    client: dict[str, Any]
    session_timeout: float
    instance_id: str | None
    metrics_address: tuple[str, int | None]


def run_notifier(settings: Settings, where: Where, start: Start) -> int:
    """Works until a signal; returns the exit status. Raises `FatalError`."""
    with asyncio.Runner(loop_factory=SteadyLoop) as runner:
        runner.run(_run(settings, where, start))
    log.info("notifier ends")
    return 0


async def _run(settings: Settings, where: Where, start: Start) -> None:
    stop = asyncio.Event()
    when_told_to_end(stop.set)
    metrics, health, clock = NotifyMetrics(settings), Health(), WallClock(lambda _: None)
    metrics.certificates.client = where.client
    kafka = KafkaLog(
        KafkaSettings(
            bootstrap=where.bootstrap,
            session_timeout=where.session_timeout,
            instance_id=where.instance_id,
            heard=clock.heard,
            client=where.client,
        )
    )
    async with sender(settings) as send, endpoint(*where.metrics_address, metrics, health):
        service = Service(
            kafka,
            where.names,
            where.topics,
            settings,
            send,
            start=start,
            metrics=metrics,
            health=health,
            now=clock.now,
            revoke_seconds=where.session_timeout / 2,
        )
        await service.run(stop)
