"""An ingest and a notifier under load, with all that can become of pushes and messages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import count
from pathlib import Path

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.connected.ingesting import ingesting
from tests.connected.marketplace import running
from tests.connected.pushes import signed
from tests.kafka_broker import Broker

#: What is for the platform no route takes; of the channels one takes all, one nothing, and one refuses each message.
_CONFIG = """
wait = "0s"
[channels.steady]
webhook = "{url}/204"
[channels.picky]
webhook = "{url}/422"
[channels.down]
webhook = "{url}/500"
patience = "2s"
[[routes]]
audience = "merchant"
channels = ["steady", "picky", "down"]
"""


async def _answer(request: web.Request) -> web.Response:
    return web.Response(status=int(request.match_info["status"]))


@asynccontextmanager
async def doors(kafka: Broker, folder: Path, ports: tuple[int, int]) -> AsyncIterator[None]:
    """Pushes to an ingest, and lets a notifier tell of the alerts, while the block runs. `ports`: of their metrics."""
    app = web.Application()
    app.router.add_post("/{status}", _answer)
    ingest_port, notify_port = ports
    config = folder / "notify.toml"
    async with TestServer(app) as server, ingesting(kafka, "--metrics-port", str(ingest_port)) as (ingest, session):
        config.write_text(_CONFIG.format(url=str(server.make_url("")).rstrip("/")))
        told = ("--config", str(config), "--offset-reset", "earliest", "--metrics-port", str(notify_port))
        async with running("notify", "--broker", f"kafka://{kafka.bootstrap}", *told):
            pushing = asyncio.create_task(_push(f"{ingest.url}/push/kuaidi100", session))
            try:
                yield
            finally:
                pushing.cancel()
                await asyncio.gather(pushing, return_exceptions=True)


async def _push(address: str, session: aiohttp.ClientSession) -> None:
    """What is well, what is not signed, and what is none, for as long as it is not cancelled."""
    for number in count():
        for form in (signed(f"D{number}", 2), signed("D", 1, "another salt"), signed("", 1)):
            with suppress(aiohttp.ClientError):
                async with session.post(address, data=form) as answer:
                    await answer.read()
        await asyncio.sleep(0.1)
