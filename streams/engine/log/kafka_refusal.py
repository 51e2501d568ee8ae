"""Finds out why reachable brokers refuse this client."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any

from aiokafka.errors import KafkaError

from streams.engine.errors import RefusedError
from streams.engine.log.kafka_connections import connect, refusal_at, renew_connections
from streams.engine.log.kafka_metadata import never_create_topics
from streams.engine.log.kafka_port import spoken_at

never_create_topics()
renew_connections()

#: Seconds for one broker, and for a client to connect before the cause is looked for.
_PATIENCE, _SLOW = 5.0, 2.0


async def unless_refused(connecting: Coroutine[Any, Any, None], bootstrap: str, client: Mapping[str, Any]) -> None:
    """Waits until a client has connected. Raises what it raises, and `RefusedError` if it is not accepted.

    If it takes long the broker is probed: to a client of the wrong protocol it is silent.
    """
    task = asyncio.ensure_future(connecting)
    try:
        await asyncio.wait([task], timeout=_SLOW)
        if not task.done() or task.cancelled() or task.exception() is not None:
            await _raise_refusal(bootstrap, client)
        await task
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait([task])


async def _raise_refusal(bootstrap: str, client: Mapping[str, Any]) -> None:
    """Raises `RefusedError` if a broker rejects our credentials, or we reject its certificate.

    The clients themselves only report that they could not connect. Waiting would not help.
    """
    told = str(client.get("security_protocol", "PLAINTEXT"))
    for server in bootstrap.split(","):
        host, _, port = server.rpartition(":")
        spoken = await spoken_at(host.strip("[]"), int(port))
        if spoken is not None and spoken != told:
            raise RefusedError(f"the broker at {server} speaks {spoken}, not {told}: --security-protocol {spoken}")
        try:
            async with asyncio.timeout(_PATIENCE):
                connection = await connect(host, int(port), **client)
            connection.close()
        except (KafkaError, OSError, ValueError) as error:
            if (why := refusal_at(host, int(port))) is not None:
                raise RefusedError(why) from error
