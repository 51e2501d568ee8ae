"""Ends a consumer whose brokers are gone: left alone it would live on beside its successor."""

from __future__ import annotations

import asyncio
from typing import Any

from aiokafka import AIOKafkaConsumer

from streams.engine.log.kafka_clients import quietly


async def ended(consumer: AIOKafkaConsumer, seconds: float) -> None:
    """Stops it within `seconds`, then cancels whatever is left of it. Never raises.

    A group member left alive would keep rejoining, and take the partitions back from its successor of the same id.
    """
    await quietly(consumer.stop(), seconds)
    coordinator: Any = consumer._coordinator
    fetcher: Any = consumer._fetcher
    closing = getattr(coordinator, "_closing", None)
    if closing is not None and not closing.done():
        closing.set_result(None)
    names = ("_coordination_task", "_heartbeat_task", "_commit_refresh_task", "_reset_committed_task")
    left = [getattr(coordinator, name, None) for name in names] + [getattr(fetcher, "_fetch_task", None)]
    left += [*getattr(fetcher, "_pending_tasks", ())]
    alive = [task for task in left if task is not None and not task.done()]
    for task in alive:
        task.cancel()
    if alive:
        await asyncio.wait(alive, timeout=seconds)
    await quietly(consumer._client.close())
