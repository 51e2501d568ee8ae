"""The HTTP server of an ingest that platforms push to. Whoever runs it may ask there, too, how it is."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from aiohttp import web

from streams.ingest.handling import Bounds, Handling, Served
from streams.ingest.health import Health

#: Connections at once; more are ended at once. Seconds for the first request of one, and between two.
_CONNECTIONS, _HEAD, _KEPT = 2_048, 10.0, 75.0
#: Seconds for pushes that are under way when it is to end.
ENDING = 25.0

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    # Not the version of what it is made with.
    "Server": "parcelwatch",
}


@asynccontextmanager
async def taking(
    listens: socket.socket, handling: Handling, formats: Iterable[Served], bounds: Bounds, health: Health
) -> AsyncIterator[None]:
    """Takes pushes at `/push/FORMAT` while the block runs; at its end those under way are answered."""
    app = _app(bounds.body)
    app.add_routes(_health(health))
    for served in formats:
        app.router.add_post(f"/push/{served.name}", partial(handling.push, served))
    runner = web.AppRunner(
        app, access_log=None, keepalive_timeout=_KEPT, lingering_time=1.0, auto_decompress=False,
        shutdown_timeout=ENDING, handle_signals=False,
    )  # fmt: skip
    await runner.setup()
    server = await asyncio.get_running_loop().create_server(_Door(runner.server).connection, sock=listens, backlog=1024)
    try:
        yield
    finally:
        health.ending = True
        server.close()
        await runner.cleanup()


def _health(health: Health) -> list[web.AbstractRouteDef]:
    async def live(_: web.Request) -> web.Response:
        return web.json_response({"alive": True})

    async def ready(_: web.Request) -> web.Response:
        reasons = health.reasons
        return web.json_response({"ready": not reasons, "reasons": reasons}, status=503 if reasons else 200)

    return [web.get("/livez", live), web.get("/readyz", ready)]


def _app(largest: int) -> web.Application:
    app = web.Application(client_max_size=largest)

    async def harden(_: web.Request, response: web.StreamResponse) -> None:
        response.headers.update(HEADERS)

    app.on_response_prepare.append(harden)
    return app


class _Door:
    """Makes the protocols of new connections, and ends those that never ask or are too many."""

    def __init__(self, served: Any) -> None:
        self._served = served

    def connection(self) -> asyncio.Protocol:
        made: asyncio.Protocol = self._served()
        loop = asyncio.get_running_loop()
        if len(self._served.connections) >= _CONNECTIONS:
            loop.call_soon(self._drop, made)
        else:
            loop.call_later(_HEAD, self._drop_unless_asked, made)
        return made

    def _drop_unless_asked(self, connection: Any) -> None:
        # Between two requests the server itself ends what takes too long.
        if not connection._request_count:
            self._drop(connection)

    def _drop(self, connection: Any) -> None:
        if connection.transport is not None:
            connection.transport.abort()
