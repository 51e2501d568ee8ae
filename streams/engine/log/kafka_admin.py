"""A connection to Kafka for commands that look at an application, and change it, from outside."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from aiokafka.admin import AIOKafkaAdminClient

from streams.engine.log.kafka import KafkaLog, KafkaSettings
from streams.engine.log.kafka_clients import errors, quietly


class Connection(NamedTuple):
    """The log, an admin client beside it, and the settings that both were made with."""

    log: KafkaLog
    admin: AIOKafkaAdminClient
    settings: KafkaSettings


@asynccontextmanager
async def connection(bootstrap: str, client: Mapping[str, Any], seconds: float = 30.0) -> AsyncIterator[Connection]:
    """Connects for as long as the block lasts. `seconds`: how long each request may take.

    Raises `FatalError` and `LogError`.
    """
    settings = KafkaSettings(bootstrap=bootstrap, client=client, request_timeout=seconds)
    log = KafkaLog(settings)
    admin = AIOKafkaAdminClient(**settings.common())
    try:
        await log.start()
        with errors(f"connecting to {bootstrap}"):
            await admin.start()
        yield Connection(log, admin, settings)
    finally:
        await quietly(admin.close())
        await log.stop()
