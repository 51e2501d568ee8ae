"""Parcels that fell silent days ago, and live workers that say so: what the tests of broker faults are made of."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Collection, Iterable
from contextlib import asynccontextmanager

from schemas.times import DAY, render
from streams.engine.clock import system_now
from tests.connected.marketplace import APP, OUTPUTS, alerts, end, said
from tests.connected.mortals import Mortal
from tests.kafka_broker import Broker
from tests.patience import PATIENCE

SCANS = "logistics-scans"
ONE = {"orders": 1, "chats": 1, SCANS: 1}

#: Key and value of a record.
Event = tuple[bytes, bytes]


def silent_since(days: float, parcels: Iterable[str]) -> list[Event]:
    """The last scan of each parcel, so many days ago: behind seven of them it is stalled."""
    at = system_now() - round(days * DAY)
    return [scan(parcel, at) for parcel in parcels]


def scan(parcel: str, at: int) -> Event:
    value = {"event_id": f"{parcel}-{at}", "occurred_at": render(at), "type": "scan", "carrier": "SF",
             "tracking_no": parcel, "status": "in_transit"}  # fmt: skip
    return parcel.encode(), json.dumps(value).encode()


def named(letter: str, count: int) -> list[str]:
    """So many names of parcels, other than those of another letter."""
    return [f"{letter}{number:03}" for number in range(count)]


async def make_topics(kafka: Broker, partitions: int = 1) -> None:
    """Inputs keep what they have, whatever its timestamps."""
    kept = {topic: {"retention.ms": "-1"} for topic in ONE}
    await kafka.create_topics({**dict.fromkeys(ONE, partitions), **OUTPUTS}, kept)


def live(kafka: Broker, *options: str, app: str = APP) -> Mortal:
    """A worker by the wall clock; not started yet."""
    fixed = ("--broker", f"kafka://{kafka.bootstrap}", "--app-id", app, "--commit-interval", "0.1")
    return Mortal("worker", *fixed, "--session-timeout", "3", *options)


@asynccontextmanager
async def working(kafka: Broker, *options: str, app: str = APP) -> AsyncIterator[Mortal]:
    """A live worker; nothing is left of it behind the block."""
    worker = live(kafka, *options, app=app)
    await worker.start()
    try:
        yield worker
    finally:
        await end(worker.running)


async def stalled(kafka: Broker) -> set[str]:
    """The parcels of which a stall has been raised; none of them twice."""
    raised = [json.loads(value) for value in await alerts(kafka, "alerts.platform")]
    found = [each["subject"] for each in raised if "stalled" in each["type"] and each["data"]["status"] == "raised"]
    assert len(found) == len(set(found))
    return set(found)


async def until_stalled(kafka: Broker, parcels: Collection[str]) -> None:
    """Waits until these parcels, and no others, are told to be stalled."""
    wanted = set(parcels)
    async with asyncio.timeout(PATIENCE):
        while (found := await stalled(kafka)) < wanted:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert found == wanted


async def refused(worker: Mortal) -> str:
    """Waits for the worker's end, which is with status 2; the one line that says why."""
    text = await said(worker.running)
    assert worker.running.returncode == 2, text[-4000:]
    (line,) = [line for line in text.splitlines() if line.startswith("parcelwatch: ")]
    return line
