"""Shared by the parts of the log on Kafka: translating the client's errors, and closing clients."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from traceback import walk_tb
from typing import Any

from aiokafka.errors import (
    CommitFailedError,
    IllegalStateError,
    InvalidProducerEpoch,
    KafkaConnectionError,
    KafkaError,
    NodeNotReadyError,
    ProducerFenced,
)

from streams.engine.errors import DeniedError, FatalError, FencedError, LogError
from streams.engine.log.kafka_connections import refusal, renew_connections, unanswered
from streams.engine.log.kafka_metadata import never_create_topics
from streams.engine.log.kafka_parsing import read_on
from streams.engine.log.kafka_rights import UNNAMED, denied_by
from streams.engine.log.kafka_unpacking import bound_unpacking
from streams.engine.rights import Operation

never_create_topics()
renew_connections()
read_on()
bound_unpacking()

#: Seconds for a client to close; after that it is abandoned.
_CLOSE = 3.0


#: What the client raises once it is fenced.
FENCED = (ProducerFenced, InvalidProducerEpoch, CommitFailedError, IllegalStateError)


@contextmanager
def errors(what: str, operation: Operation = "Describe", writer: str = UNNAMED) -> Iterator[None]:
    """Turns the client's errors into the engine's. `operation`, `writer`: see `denied_by`.

    A client that has been fenced, closed or disconnected may also fail in its own bookkeeping, with errors that are not
    Kafka's (`IllegalOperation`, `ConsumerStoppedError`, an assertion, a missing key): anything raised inside the client
    is a log error, never a fault of this program.
    """
    try:
        yield
    except asyncio.CancelledError as error:
        if _cancelled():
            raise
        raise LogError(f"{what}: given up by the client") from error
    except Exception as error:
        ours = _translated(what, error, operation, writer)
        if ours is error:
            raise
        raise ours from error


def _translated(what: str, error: Exception, operation: Operation, writer: str) -> Exception:
    """The engine's error for one of the client's; the error itself if it is the engine's already, or our fault."""
    if isinstance(error, LogError | FatalError):
        return error
    if denied := denied_by(error, operation, writer):
        return DeniedError(f"{what}: the brokers deny {', '.join(map(str, denied))}", denied)
    if isinstance(error, FENCED):
        return FencedError(f"{what}: {error!r}")
    if isinstance(error, TimeoutError):
        return LogError(f"{what}: {unanswered('no answer in time')}")
    if isinstance(error, KafkaConnectionError):
        return LogError(f"{what}: {unanswered()}")
    if isinstance(error, NodeNotReadyError) and (refused := refusal()) is not None:
        return LogError(f"{what}: {refused}")
    if isinstance(error, KafkaError | OSError) or _of_the_client(error):
        return LogError(f"{what}: {error!r}")
    return error


def _of_the_client(error: Exception) -> bool:
    """Whether it was raised inside the client. Wrong arguments are our fault."""
    if isinstance(error, TypeError):
        return False
    frames = walk_tb(error.__traceback__)
    return any(frame.f_globals.get("__name__", "").partition(".")[0] == "aiokafka" for frame, _ in frames)


async def quietly(closing: Coroutine[Any, Any, None], seconds: float = _CLOSE) -> None:
    """Closes a client, whatever its state, within `seconds`. Never raises."""
    try:
        async with asyncio.timeout(seconds):
            await closing
    except asyncio.CancelledError:
        if _cancelled():
            raise
    except Exception:  # noqa: S110 - whatever it was: the client is gone
        pass


def _cancelled() -> bool:
    """Whether this task is being cancelled, rather than one of the client's that was awaited."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
