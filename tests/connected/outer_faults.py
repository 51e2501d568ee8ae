"""Faults of what stands around the workers: a notifier whose channel takes nothing, an ingest that takes no pushes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import count
from pathlib import Path

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from schemas.times import render
from streams.engine.clock import system_now
from tests.connected.faults import Course, Records, writing
from tests.connected.mortals import Mortal, until_true
from tests.connected.pushes import SALT, signed
from tests.kafka_broker import Broker
from tests.kafka_broker.certificates import AUTHORITY, CERTIFICATE, KEY, Authority, Secret
from tests.ports import free_port

NOTIFY = """\
wait = "0s"
[channels.chat]
webhook = "http://127.0.0.1:{port}/"
patience = "0s"
[[routes]]
channels = ["chat"]
"""


class Notifier(Mortal):
    """One with a channel to `chat`, a port on which nobody listens yet."""

    def __init__(self, kafka: Broker, app: str, folder: Path) -> None:
        self.chat = free_port()
        config = folder / "notify.toml"
        config.write_text(NOTIFY.format(port=self.chat))
        super().__init__(
            "notify", "--broker", f"kafka://{kafka.bootstrap}", "--app-id", app, "--topic-prefix", f"{app}-",
            "--config", str(config),
        )  # fmt: skip


async def dead_channel(kafka: Broker, course: Course, one: Notifier) -> None:
    async def take(_: web.Request) -> web.Response:
        return web.Response(status=204)

    numbers = count()

    def more() -> Records:
        """An alert, each of another parcel."""
        number = next(numbers)
        value = {"id": f"a{number}", "type": "parcelwatch.shipment.slow.v1", "subject": f"P{number}",
                 "time": render(system_now()),
                 "data": {"status": "raised", "severity": "warning", "audience": "merchant", "episode": "e",
                          "shop_id": "s", "message": {"en": "It is slow."}}}  # fmt: skip
        return [(b"s", json.dumps(value).encode())]

    await one.start()
    async with writing(kafka, "tell-alerts.merchant", more):
        await course.fires("ParcelwatchChannelDead", channel="chat")
        app = web.Application()
        app.router.add_post("/", take)
        async with TestServer(app, port=one.chat):
            await course.clears("ParcelwatchChannelDead")


class Certified(Mortal):
    """A notifier with a certificate that runs out in minutes, of which it tells although it has no brokers."""

    def __init__(self, folder: Path) -> None:
        self._authority = Authority()
        self._secret = Secret(folder / "certificates", self._issued(minutes=5))
        config = folder / "certified.toml"
        config.write_text(NOTIFY.format(port=free_port()))
        super().__init__(
            "notify", "--broker", f"kafka://127.0.0.1:{free_port()}", "--config", str(config),
            "--security-protocol", "SSL", "--ssl-cafile", self._secret / AUTHORITY,
            "--ssl-certfile", self._secret / CERTIFICATE, "--ssl-keyfile", self._secret / KEY,
        )  # fmt: skip

    def _issued(self, minutes: float) -> dict[str, str]:
        certificate, key = self._authority.issue("notifier", minutes * 60)
        return {CERTIFICATE: certificate, KEY: key, AUTHORITY: self._authority.pem}

    def renew(self) -> None:
        """For forty days."""
        self._secret.hold(self._issued(minutes=40 * 24 * 60))


async def certificate_expires(course: Course, one: Certified) -> None:
    await one.start()
    await course.fires("ParcelwatchCertificateExpires", certificate="client")
    one.renew()
    await course.clears("ParcelwatchCertificateExpires")
    await one.stop()


class Ingest(Mortal):
    """One that takes pushes of kuaidi100's; `salt` is what they are signed with."""

    def __init__(self, kafka: Broker, app: str) -> None:
        self.salt = SALT
        listen = f"127.0.0.1:{free_port()}"
        self._address = f"http://{listen}/push/kuaidi100"
        super().__init__(
            "ingest", "--broker", f"kafka://{kafka.bootstrap}", "--topic-prefix", f"{app}-", "--listen", listen,
            PARCELWATCH_INGEST_SECRET_KUAIDI100=SALT,
        )  # fmt: skip

    @asynccontextmanager
    async def pushed_to(self) -> AsyncIterator[None]:
        """Pushes, some a second, while the block lasts."""

        async def push() -> None:
            async with aiohttp.ClientSession() as session:
                for number in count():
                    with suppress(aiohttp.ClientError):
                        async with session.post(self._address, data=signed(f"P{number}", 1, self.salt)) as answer:
                            await answer.read()
                    await asyncio.sleep(0.2)

        task = asyncio.create_task(push())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])


async def refusing_ingest(course: Course, one: Ingest) -> None:
    """It knows another secret than who pushes; then it is down."""
    await one.start()
    await until_true(one.works)
    one.salt = "another"
    async with one.pushed_to():
        await course.fires("ParcelwatchIngestRefuses", job="ingest")
        one.salt = SALT
        await course.clears("ParcelwatchIngestRefuses")
    await one.stop()
    await course.fires("ParcelwatchIngestDown", job="ingest")
    await one.start()
    await course.clears("ParcelwatchIngestDown")
    await until_true(one.works)
