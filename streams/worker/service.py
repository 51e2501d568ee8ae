"""One worker from its start to its exit status, on whatever log it is given."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import structlog

from streams.cli.faults import fault
from streams.cli.logging import last_word
from streams.engine.beginning import prepare
from streams.engine.clock import Mode
from streams.engine.errors import FatalError, LogError
from streams.engine.processor import Dataflow
from streams.engine.rights import grants
from streams.engine.runner import Assemble
from streams.engine.runtime import TaskRuntime
from streams.engine.topology import Topology, rights
from streams.worker.app import build
from streams.worker.endpoint import endpoint
from streams.worker.group import TaskGroup
from streams.worker.health import Health
from streams.worker.metrics import Metrics
from streams.worker.telling import Telling
from streams.worker.watch import Watch

log = structlog.get_logger(__name__)

#: Seconds that Faust's services get to end; what they hold is nothing that has to be kept.
_STOP = 10.0
#: Seconds between attempts to start; the last one again and again.
_WAITS = (0.5, 1.0, 2.0, 5.0)


async def serve(
    runtime: TaskRuntime,
    app_id: str,
    dataflow: Dataflow,
    assemble: Assemble,
    *,
    stop: asyncio.Event,
    metrics: Metrics,
    metrics_address: tuple[str, int | None] = ("127.0.0.1", None),
    start_patience: float = 0.0,
    about: Mapping[str, str] = MappingProxyType({}),
    ending: Callable[[], object] = lambda: None,
) -> int:
    """Works until `stop` is set, until all is final (with `once`), or until nothing can go on. The exit status.

    `about`: how it was started, for who asks for its status. `ending` is called when it begins to end, whyever.
    """
    if runtime.once and runtime.clock.mode is not Mode.END:
        return fatal(FatalError("once needs a clock with an end"))
    try:
        topology = await _started(app_id, dataflow, runtime, stop, start_patience)
    except (FatalError, LogError) as error:
        await runtime.log.stop()
        return fatal(error)
    if topology is None:
        return 0
    health = Health()
    metrics.begin(topology, health)
    group = TaskGroup(runtime, topology, assemble(topology.counts), metrics, health)
    watching = asyncio.create_task(Watch(runtime, topology, group, health, metrics).run())
    telling = asyncio.create_task(Telling(topology, group, health, metrics.registry, about, runtime.now).run())
    app = build(topology, group)
    waits: list[asyncio.Future[Any]] = [asyncio.create_task(stop.wait())]
    if runtime.once:
        waits.append(asyncio.create_task(group.done.wait()))
    status = 0
    try:
        async with endpoint(*metrics_address, metrics, health):
            await app.start()
            await asyncio.wait([*waits, group.failed], return_when=asyncio.FIRST_COMPLETED)
        if group.failed.done():
            status = fatal(group.failed.exception())
    except Exception as error:  # whatever it was, the exit status says it
        status = fatal(error)
    finally:
        ending()
        for wait in waits:
            wait.cancel()
        async with group.leaving:
            watching.cancel()
            telling.cancel()
        await asyncio.wait([watching, telling])
        await group.close()
        # Left alone after that: being cancelled is nothing to Faust's services, they would be waited for all the same.
        await asyncio.wait([asyncio.ensure_future(app.stop())], timeout=_STOP)
        await runtime.log.stop()
    return status


async def _started(
    app_id: str, dataflow: Dataflow, runtime: TaskRuntime, stop: asyncio.Event, patience: float
) -> Topology | None:
    """Starts the log; retries for `patience` seconds if it does not answer. None if told to stop before."""
    until = time.monotonic() + patience
    for wait in itertools.chain(_WAITS, itertools.repeat(_WAITS[-1])):
        try:
            broker = runtime.log
            await broker.start()
            if missing := await broker.lacking(rights(app_id, dataflow)):
                raise FatalError(grants(missing, broker.user))
            return await prepare(app_id, dataflow, broker, runtime.begin_anew)
        except LogError as error:
            left = until - time.monotonic()
            if left <= 0:
                raise
            await runtime.log.stop()
            log.warning("waiting for the brokers", error=str(error), seconds_left=round(left, 1))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), min(wait, left))
            if stop.is_set():
                return None
    raise AssertionError("the waits have no end")


def fatal(error: BaseException | None) -> int:
    """Prints the fatal error, in one line on standard error; returns the exit status."""
    if isinstance(error, FatalError):
        last_word(str(error))
        return error.status
    if isinstance(error, LogError):
        last_word(f"the broker cannot be used: {error}")
        return 2
    # Where it went wrong, without what it was about: a message may hold what a record held.
    last_word(fault(error))
    return 1
