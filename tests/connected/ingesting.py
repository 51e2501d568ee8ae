"""An `ingest` as the process that a user starts, and pushes to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import aiohttp

from tests.connected.marketplace import command, end, said
from tests.connected.mortals import until_true
from tests.connected.pushes import SALT, signed
from tests.kafka_broker import Broker
from tests.patience import PATIENCE
from tests.ports import free_port

#: Shopify's, as SALT is kuaidi100's.
SECRET = "shop-secret"  # noqa: S105


class Ingest:
    """An ingest that can be killed and started again. `running` is its process now."""

    running: asyncio.subprocess.Process

    def __init__(self, address: str, *options: str, **variables: str) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        listen = self.url.removeprefix("http://")
        self._command = ("ingest", "--broker", f"kafka://{address}", "--listen", listen,
                         "--delivery-timeout", "60", *options)  # fmt: skip
        self._variables = {
            "PARCELWATCH_INGEST_SECRET_KUAIDI100": SALT, "PARCELWATCH_INGEST_SECRET_SHOPIFY": SECRET, **variables,
        }  # fmt: skip

    async def start(self) -> None:
        self.running = await command(*self._command, **self._variables)

    async def ready(self, session: aiohttp.ClientSession, status: int = 200) -> None:
        """Waits until it says so; or that it is not."""

        async def told() -> bool:
            with suppress(aiohttp.ClientError):
                async with session.get(f"{self.url}/readyz") as answer:
                    return answer.status == status
            assert self.running.returncode is None, await said(self.running)
            return False

        await until_true(told)

    async def push(self, session: aiohttp.ClientSession, number: str, scans: int = 2) -> tuple[int, object]:
        """Status and answer to a push of kuaidi100's; 0 where there was none."""
        try:
            async with session.post(f"{self.url}/push/kuaidi100", data=signed(number, scans)) as answer:
                return answer.status, await answer.json()
        except aiohttp.ClientError:
            return 0, None


@asynccontextmanager
async def ingesting(
    kafka: Broker, *options: str, **variables: str
) -> AsyncIterator[tuple[Ingest, aiohttp.ClientSession]]:
    """One that is ready; nothing is left of it behind the block."""
    ingest = Ingest(kafka.bootstrap, *options, **variables)
    timeout = aiohttp.ClientTimeout(total=PATIENCE)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        await ingest.start()
        try:
            await ingest.ready(session)
            yield ingest, session
        finally:
            await end(ingest.running)
