"""The HTTP endpoint of a worker: `/metrics` for Prometheus, `/healthz` for whoever restarts workers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from streams.engine.errors import FatalError
from streams.worker.metrics import Metrics


@asynccontextmanager
async def endpoint(host: str, port: int | None, metrics: Metrics, healthy: Callable[[], bool]) -> AsyncIterator[None]:
    """Serves while the block runs; without a port, nothing. Raises `FatalError` where it cannot listen."""
    if port is None:
        yield
        return

    async def show_metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def show_health(_: web.Request) -> web.Response:
        ready = healthy()
        return web.json_response({"ready": ready}, status=200 if ready else 503)

    app = web.Application()
    app.router.add_get("/metrics", show_metrics)
    app.router.add_get("/healthz", show_health)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise FatalError(f"cannot listen on {host}:{port}: {error.strerror}") from error
        yield
    finally:
        await runner.cleanup()
