"""The HTTP endpoint of a process: `/metrics` for Prometheus, `/livez` and `/readyz` for whoever runs it.

It has a thread and an event loop of its own, so that it answers while a task takes long over one step. Workers, ingests
and notifiers have one.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import Future
from contextlib import asynccontextmanager
from functools import partial
from threading import Thread
from typing import Any, Protocol

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from streams.engine.listening import listening
from streams.worker.connections import Connections

#: Connections at once, but for those that come in the same moment; one more ends the oldest. Seconds that one lasts at
#: the most, whatever its other end does.
_CONNECTIONS, _LASTING = 64, 30.0
#: Seconds in which the worker's own event loop makes up the metrics; behind them this thread does.
_TURN = 2.0


class Measured(Protocol):
    """The metrics that it shows, and those of its own connections."""

    @property
    def registry(self) -> CollectorRegistry: ...

    @property
    def http(self) -> Connections: ...


class Told(Protocol):
    """How the process is: as `streams.worker.health.Health` says."""

    @property
    def alive(self) -> bool: ...

    @property
    def reasons(self) -> Mapping[Any, str]: ...


@asynccontextmanager
async def endpoint(host: str, port: int | None, metrics: Measured, health: Told) -> AsyncIterator[None]:
    """Serves while the block runs; without a port, nothing. Raises `FatalError` where it cannot listen."""
    if port is None:
        yield
        return
    page = _Endpoint(listening(host, port), metrics, health, asyncio.get_running_loop())
    thread = Thread(target=page.run, name="endpoint", daemon=True)
    thread.start()
    try:
        yield
    finally:
        page.stop()
        await asyncio.to_thread(thread.join)


@web.middleware
async def _closing(request: web.Request, handler: Callable[[web.Request], Awaitable[Any]]) -> Any:
    """One answer a connection: none is in use when its time is over but by who does not take the answer."""
    response = await handler(request)
    response.force_close()
    return response


class _Endpoint:
    """Serves on a socket until it is stopped, in the thread that calls `run`."""

    def __init__(
        self, listens: socket.socket, metrics: Measured, health: Told, worker: asyncio.AbstractEventLoop
    ) -> None:
        self._listens = listens
        self._metrics = metrics
        self._health = health
        self._worker = worker
        self._loop = asyncio.new_event_loop()
        self._ended = asyncio.Event()

    def run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)

    async def _serve(self) -> None:
        app = web.Application(middlewares=[_closing])
        app.router.add_get("/metrics", self._show_metrics)
        app.router.add_get("/livez", self._show_alive)
        app.router.add_get("/readyz", self._show_ready)
        app.router.add_get("/healthz", self._show_ready)
        runner = web.AppRunner(app, access_log=None, keepalive_timeout=_LASTING, shutdown_timeout=1.0)
        await runner.setup()
        accept = partial(self._connection, runner.server)
        server = await self._loop.create_server(accept, sock=self._listens, backlog=16)
        try:
            await self._ended.wait()
        finally:
            server.close()
            await runner.cleanup()

    def _connection(self, served: Any) -> asyncio.Protocol:
        """The protocol of a new connection. One that is half open, or never asks, ends like any other."""
        open_now = served.connections
        for oldest in open_now[: max(len(open_now) - _CONNECTIONS + 1, 0)]:
            self._drop(oldest)
        made: asyncio.Protocol = served()
        self._loop.call_later(_LASTING, self._drop, made)
        self._metrics.http.there(len(open_now) + 1)
        return made

    def _drop(self, connection: Any) -> None:
        if connection.transport is not None:
            connection.transport.abort()
            self._metrics.http.dropped()

    async def _show_metrics(self, _: web.Request) -> web.Response:
        async def made_up() -> bytes:
            return generate_latest(self._metrics.registry)

        turn: Future[bytes] = asyncio.run_coroutine_threadsafe(made_up(), self._worker)
        try:
            body = await asyncio.wait_for(asyncio.wrap_future(turn), _TURN)
        except TimeoutError:
            try:
                body = generate_latest(self._metrics.registry)
            except RuntimeError:  # the worker has changed what was being read
                return web.Response(status=503)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _show_alive(self, _: web.Request) -> web.Response:
        alive = self._health.alive
        # What is wrong is told though a restart would not help, to whoever looks here first.
        return web.json_response({"alive": alive, "reasons": self._health.reasons}, status=200 if alive else 503)

    async def _show_ready(self, _: web.Request) -> web.Response:
        reasons = self._health.reasons
        return web.json_response({"ready": not reasons, "reasons": reasons}, status=503 if reasons else 200)
