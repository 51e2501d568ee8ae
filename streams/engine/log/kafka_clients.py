"""What the parts of the log on Kafka share: errors of the client, and closing it."""

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
    ProducerFenced,
)

from streams.engine.errors import DeniedError, FatalError, FencedError, LogError
from streams.engine.log.kafka_metadata import never_create_topics
from streams.engine.log.kafka_rights import denied_by
from streams.engine.rights import Operation

never_create_topics()

#: Seconds for a client to close; behind that it is left to itself.
_CLOSE = 3.0


#: What the client raises where another one has the right by now.
FENCED = (ProducerFenced, InvalidProducerEpoch, CommitFailedError, IllegalStateError)


@contextmanager
def errors(what: str, operation: Operation = "Describe") -> Iterator[None]:
    """Turns the client's errors into those of the engine. `operation`: what is done to topics.

    A client that has been fenced, closed or cut off may also fail in its own bookkeeping, with errors that are none of
    Kafka's (`IllegalOperation`, `ConsumerStoppedError`, an assertion, a missing key): whatever is raised inside of it
    is an error of the log, and never a fault of this program.
    """
    try:
        yield
    except asyncio.CancelledError as error:
        if _cancelled():
            raise
        raise LogError(f"{what}: given up by the client") from error
    except Exception as error:
        ours = _translated(what, error, operation)
        if ours is error:
            raise
        raise ours from error


def _translated(what: str, error: Exception, operation: Operation) -> Exception:
    """The engine's error for one of the client's; the error itself where it is the engine's already, or our fault."""
    if isinstance(error, LogError | FatalError):
        return error
    if denied := denied_by(error, operation):
        return DeniedError(f"{what}: the brokers deny {', '.join(map(str, denied))}", denied)
    if isinstance(error, FENCED):
        return FencedError(f"{what}: {error!r}")
    if isinstance(error, TimeoutError):
        return LogError(f"{what}: no answer in time")
    if isinstance(error, KafkaConnectionError):
        return LogError(f"{what}: no broker answers")
    if isinstance(error, KafkaError | OSError) or _of_the_client(error):
        return LogError(f"{what}: {error!r}")
    return error


def _of_the_client(error: Exception) -> bool:
    """Whether it was raised inside of the client. What is wrong with our arguments is our fault."""
    if isinstance(error, TypeError):
        return False
    frames = walk_tb(error.__traceback__)
    return any(frame.f_globals.get("__name__", "").partition(".")[0] == "aiokafka" for frame, _ in frames)


async def quietly(closing: Coroutine[Any, Any, None], seconds: float = _CLOSE) -> None:
    """Closes a client, whatever state it is in, within so many seconds. Never raises."""
    try:
        async with asyncio.timeout(seconds):
            await closing
    except asyncio.CancelledError:
        if _cancelled():
            raise
    except Exception:  # noqa: S110 - whatever it was: the client is gone
        pass


def _cancelled() -> bool:
    """Whether it is this task that is to end, and not one of the client's that somebody waited for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
