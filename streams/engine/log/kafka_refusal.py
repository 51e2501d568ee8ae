"""Why brokers that can be reached will not have this client."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
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

#: Seconds for one broker.
_PATIENCE = 5.0

_REFUSALS = (
    AuthenticationFailedError,
    AuthenticationMethodNotSupported,
    IllegalSaslStateError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
    ssl.SSLError,
)


async def raise_refusal(bootstrap: str, client: Mapping[str, Any]) -> None:
    """Raises `FatalError` where a broker answers and refuses who we are, or we refuse what it says it is.

    The clients themselves only say that they could not connect. To wait would change nothing about it.
    """
    for server in bootstrap.split(","):
        host, _, port = server.rpartition(":")
        try:
            async with asyncio.timeout(_PATIENCE):
                connection = await create_conn(host, int(port), **client)
            connection.close()
        except _REFUSALS as error:
            raise FatalError(f"the broker at {server} and this client do not accept each other: {error}") from error
        except (KafkaError, OSError, ValueError):
            continue
