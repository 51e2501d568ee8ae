"""A worker on Kafka in a process of its own."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Coroutine
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import cast

import structlog

from streams.cli import logging
from streams.cli.ending import WITHIN, bound_to_end, when_told_to_end
from streams.engine.errors import FatalError
from streams.engine.log.kafka import KafkaLog, KafkaSettings
from streams.engine.processor import Dataflow
from streams.engine.runner import Assemble
from streams.engine.runtime import TaskRuntime
from streams.engine.store.interface import Store
from streams.engine.store.memory import MemoryStore
from streams.engine.store.warm import WarmStore
from streams.engine.wall_clock import SteadyLoop, WallClock
from streams.stages.shipments.native_scans import chosen
from streams.worker.loop_guard import LoopGuard
from streams.worker.metrics import Metrics
from streams.worker.service import fatal, serve
from streams.worker.settings import WorkerSettings

log = structlog.get_logger(__name__)

#: Seconds for what libraries leave running behind a worker that has ended.
_LEFT = 5.0


def run_worker(settings: WorkerSettings, dataflow: Dataflow, assemble: Assemble, metrics: Metrics | None = None) -> int:
    """Works until a signal or, with `once`, the end. Returns the exit status; see the package's docstring."""
    logging.configure()
    with asyncio.Runner(loop_factory=SteadyLoop) as runner, LoopGuard() as guard:
        status = runner.run(_guarded(guard, _run(settings, dataflow, assemble, metrics or Metrics())))
    if not status or logging.ends_with_log():
        log.info("worker ends", status=status)
    return status


async def _guarded(guard: LoopGuard, life: Coroutine[None, None, int]) -> int:
    beating = asyncio.create_task(guard.beat())
    try:
        return await life
    finally:
        beating.cancel()


async def _run(settings: WorkerSettings, dataflow: Dataflow, assemble: Assemble, metrics: Metrics) -> int:
    stop = asyncio.Event()
    when_told_to_end(stop.set, settings.session_timeout / 2 + WITHIN)
    try:
        store = _store(settings)
    except FatalError as error:
        return fatal(error)
    if settings.state_dir is not None:
        metrics.state_dir(settings.state_dir)
    metrics.certificates.client = settings.client
    clock = WallClock(metrics.clock_ahead)
    kafka = KafkaLog(
        KafkaSettings(
            bootstrap=settings.bootstrap,
            session_timeout=settings.session_timeout,
            transaction_timeout=settings.transaction_timeout,
            request_timeout=settings.request_timeout,
            instance_id=settings.instance_id,
            client_id=f"parcelwatch-{version('parcelwatch')}",
            replication=settings.replication,
            compression=settings.compression,
            heard=clock.heard,
            batches=settings.batches,
            transactions=settings.guarantee == "exactly_once",
            client=settings.client,
        )
    )
    runtime = TaskRuntime(
        log=kafka,
        store=store,
        clock=settings.clock,
        now=clock.now,
        cadence=settings.cadence,
        once=settings.once,
        standbys=settings.standbys,
        on_lost=settings.on_lost,
        begin_anew=settings.begin_anew,
        fetch_records=settings.fetch_records,
        revoke_seconds=settings.session_timeout / 2,
        quiet_seconds=settings.catch_up_quiet,
        broker_patience=settings.broker_patience,
    )
    status = await serve(
        runtime,
        settings.app_id,
        dataflow,
        assemble,
        stop=stop,
        metrics=metrics,
        start_patience=settings.start_patience,
        about=settings.about,
        metrics_address=(settings.metrics_host, settings.metrics_port),
        # The tasks may take half a session to commit what they have.
        ending=bound_to_end(settings.session_timeout / 2 + WITHIN),
    )
    # All is committed and closed: what does not end now belongs to libraries, and holds nothing.
    bound_to_end(_LEFT, lambda _: os._exit(status))()
    return status


def _store(settings: WorkerSettings) -> Store:
    """The store that the settings ask for. Raises `FatalError` if it is unusable."""
    if settings.standbys and settings.guarantee != "exactly_once":
        raise FatalError("standbys need the guarantee exactly_once")
    if settings.store == "memory":
        return WarmStore() if settings.standbys else MemoryStore()
    if settings.guarantee != "exactly_once":
        raise FatalError(f"the store {settings.store} needs the guarantee exactly_once")
    if settings.state_dir is None:
        raise FatalError(f"the store {settings.store} needs a state directory")
    if settings.store == "file":
        return _file_store(settings.state_dir / settings.app_id)
    try:
        from streams.engine.store.rocks import RocksStore
    except ImportError:
        raise FatalError("the store rocksdict needs a package: pip install 'parcelwatch[rocksdict]'") from None
    return RocksStore(settings.state_dir / settings.app_id)


def _file_store(folder: Path) -> Store:
    """As `_store`. It needs the part in Rust, whether that is used for scans or not."""
    try:
        native = cast(ModuleType, chosen("on"))
    except FatalError as error:
        raise FatalError(f"the store file needs a package: {error}") from None
    from streams.engine.store.file import FileStore

    return FileStore(folder, native)
