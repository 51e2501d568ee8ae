"""An ingest in this process, whose deliveries a test holds in its hand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import aiohttp

from schemas.topics import PLAIN
from streams.adapt import format_of, settings_for
from streams.engine.listening import address_of, listening
from streams.ingest.delivery import Undelivered
from streams.ingest.handling import Bounds, Handling, Served
from streams.ingest.metrics import IngestMetrics
from streams.ingest.senders import sender_of
from streams.ingest.server import Health, taking
from streams.produce.writer import Outgoing

BODY = json.dumps(
    {
        "lastResult": {
            "nu": "7830001",
            "com": "zhongtong",
            "data": [{"ftime": "2026-03-04 18:10:00", "context": "【杭州转运中心】已发出", "statusCode": "1002"}],
        }
    }
).encode()
TOKEN = "sixteen-letters-"  # noqa: S105


class Hand:
    """Takes what is sent, or not."""

    def __init__(self) -> None:
        self.sent: list[Outgoing] = []
        self.wrong: str | None = None
        self.open = asyncio.Event()
        self.open.set()

    async def send(self, records: Sequence[Outgoing]) -> None:
        await self.open.wait()
        if self.wrong is not None:
            raise Undelivered
        self.sent.extend(records)


class Ingest:
    """One that listens at `address`."""

    def __init__(self, hand: Hand, metrics: IngestMetrics, health: Health, address: str) -> None:
        self.hand, self.metrics, self.health, self.address = hand, metrics, health, address

    async def post(
        self, name: str, body: bytes | AsyncIterator[bytes] = BODY, **headers: str
    ) -> tuple[int, Any, dict[str, str]]:
        """Status, body and headers of the answer; with the token unless told otherwise."""
        given = {"Authorization": f"Bearer {TOKEN}", **{key.replace("_", "-"): text for key, text in headers.items()}}
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{self.address}push/{name}", data=body, headers=given) as answer,
        ):
            text = await answer.text()
            return answer.status, json.loads(text) if text.startswith("{") else text, dict(answer.headers)

    def count(self, name: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(name, labels) or 0.0


@asynccontextmanager
async def ingesting(
    bounds: Bounds = Bounds(),  # noqa: B008 - frozen
    *,
    secrets: dict[str, tuple[bytes, ...]] | None = None,
    with_payload: bool = False,
) -> AsyncIterator[Ingest]:
    """Serves kuaidi100's bodies under the names of these formats, each with its secrets."""
    served = [
        Served(name, format_of("kuaidi100"), settings_for(format_of("kuaidi100")), sender_of(name), found)
        for name, found in (secrets or {"any": (TOKEN.encode(),)}).items()
    ]
    hand, metrics = Hand(), IngestMetrics([one.name for one in served])
    handling = Handling(hand, metrics, PLAIN, bounds, with_payload=with_payload, now=lambda: 1_772_625_600_000_000)  # type: ignore[arg-type]
    health = Health(hand)  # type: ignore[arg-type]
    with listening("127.0.0.1", 0) as listens:
        address = address_of(listens)
        async with taking(listens, handling, served, bounds, health):
            yield Ingest(hand, metrics, health, address)


def form(**fields: str | bytes) -> bytes:
    return urlencode(fields).encode()
