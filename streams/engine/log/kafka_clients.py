"""What the parts of the log on Kafka share: errors of the client, and closing it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from aiokafka.errors import (
    CommitFailedError,
    IllegalStateError,
    InvalidProducerEpoch,
    KafkaConnectionError,
    KafkaError,
    ProducerFenced,
)

from streams.engine.errors import FencedError, LogError

#: Seconds for a client to close; behind that it is left to itself.
_CLOSE = 3.0


@contextmanager
def errors(what: str) -> Iterator[None]:
    """Turns the client's errors into those of the engine."""
    try:
        yield
    except (ProducerFenced, InvalidProducerEpoch, CommitFailedError, IllegalStateError) as error:
        raise FencedError(f"{what}: {error!r}") from error
    except TimeoutError as error:
        raise LogError(f"{what}: no answer in time") from error
    except (KafkaError, OSError) as error:
        if isinstance(error, KafkaConnectionError):
            raise LogError(f"{what}: no broker answers") from error
        raise LogError(f"{what}: {error!r}") from error


async def quietly(closing: Coroutine[Any, Any, None]) -> None:
    """Closes a client, whatever state it is in, within seconds."""
    with suppress(TimeoutError, KafkaError, OSError):
        async with asyncio.timeout(_CLOSE):
            await closing
