"""Why brokers that can be reached will not have this client."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Coroutine, Mapping
from typing import Any

from aiokafka.conn import create_conn
from aiokafka.errors import (
    AuthenticationFailedError,
    AuthenticationMethodNotSupported,
    IllegalSaslStateError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)

from streams.engine.errors import FatalError
from streams.engine.log.kafka_metadata import never_create_topics
from streams.engine.log.kafka_port import spoken_at

never_create_topics()

#: Seconds for one broker, and for a client to connect before it is looked why it does not.
_PATIENCE, _SLOW = 5.0, 2.0


class NoTokenError(KafkaError):  # type: ignore[misc]
    """Who gives the tokens has none."""


_REFUSALS = (
    AuthenticationFailedError,
    AuthenticationMethodNotSupported,
    IllegalSaslStateError,
    NoTokenError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
    ssl.SSLError,
)


async def unless_refused(connecting: Coroutine[Any, Any, None], bootstrap: str, client: Mapping[str, Any]) -> None:
    """Waits until a client has connected. Raises what it raises, and `FatalError` where it never will.

    Where it takes long it is looked why: to a client of another protocol a broker just falls silent.
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
    """Raises `FatalError` where a broker answers and refuses who we are, or we refuse what it says it is.

    The clients themselves only say that they could not connect. To wait would change nothing about it.
    """
    told = str(client.get("security_protocol", "PLAINTEXT"))
    for server in bootstrap.split(","):
        host, _, port = server.rpartition(":")
        spoken = await spoken_at(host.strip("[]"), int(port))
        if spoken is not None and spoken != told:
            raise FatalError(f"the broker at {server} speaks {spoken}, not {told}: --security-protocol {spoken}")
        try:
            async with asyncio.timeout(_PATIENCE):
                connection = await create_conn(host, int(port), **client)
            connection.close()
        except _REFUSALS as error:
            raise FatalError(f"the broker at {server} and this client do not accept each other: {error}") from error
        except (KafkaError, OSError, ValueError):
            continue
