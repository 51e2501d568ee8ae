"""Partitions without records, idle ones and one far behind: who holds the others back is told by name."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable

from aiohttp import ClientConnectionError, ClientSession

from schemas.times import DAY, parse, render
from streams.engine.partitioner import partition_for
from tests.connected.marketplace import APP, OUTPUTS, THREE, alerts, running
from tests.kafka_broker import Broker
from tests.patience import PATIENCE
from tests.ports import free_port

T0 = parse("2026-03-01T00:00:00Z")

Series = dict[tuple[str, str], tuple[str, ...]]


def scan(time: int, tracking_no: str) -> tuple[bytes, bytes]:
    value = {"event_id": f"{tracking_no}-{time}", "occurred_at": render(time), "type": "scan", "carrier": "SF",
             "tracking_no": tracking_no, "status": "in_transit"}  # fmt: skip
    return tracking_no.encode(), json.dumps(value).encode()


async def holders(port: int) -> Series:
    """By task and input, all that are named."""
    try:
        async with ClientSession() as session, session.get(f"http://127.0.0.1:{port}/metrics") as answer:
            told = await answer.text()
    except ClientConnectionError:
        return {}
    found: Series = {}
    for labels in re.findall(r"^parcelwatch_watermark_holder{(.*)} 1\.0$", told, re.MULTILINE):
        named = dict(re.findall(r'(\w+)="([^"]*)"', labels))
        place = named["task"], named["input"]
        found[place] = (*found.get(place, ()), named["holder"])
    return found


async def told(port: int, condition: Callable[[Series], bool]) -> Series:
    async with asyncio.timeout(PATIENCE):
        while not condition(found := await holders(port)):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    return found


async def test_the_partition_that_holds_all_others_back_is_named(kafka: Broker) -> None:
    await kafka.create_topics({**THREE, **OUTPUTS})
    # Partition 0 of the scans never has a record; 1 is far ahead; 2 is ten days behind. By events alone, an input
    # without any record holds nothing back.
    await kafka.produce("logistics-scans", [scan(T0 + 10 * DAY, key) for key in in_partition(1)[:1]])
    behind = in_partition(2)[0]
    await kafka.produce("logistics-scans", [scan(T0, behind)])
    port = free_port()
    options = ("--broker", f"kafka://{kafka.bootstrap}", "--app-id", APP, "--clock", "stream",
               "--commit-interval", "0.1", "--metrics-port", str(port))  # fmt: skip
    async with running("worker", *options) as process:
        # Scans of all partitions reach every task of the shipments, and links every task of the orders.
        places = [(f"shipments-{n}", "carrier-hours") for n in range(3)] + [(f"orders-{n}", "links") for n in range(3)]
        places.append(("shipments-2", "logistics-scans"))
        found = await told(port, lambda all_: all(all_.get(place) == ("logistics-scans-2",) for place in places))
        assert ("shipments-0", "logistics-scans") not in found
        assert not await alerts(kafka, "alerts.platform")

        # It catches up, and is the one that is furthest ahead; what it held back is said.
        await kafka.produce("logistics-scans", [scan(T0 + 20 * DAY, behind)])
        places.pop()
        await told(port, lambda all_: all(all_.get(place) == ("logistics-scans-1",) for place in places))
        # What it held back is said: its own silence of more than a week.
        async with asyncio.timeout(PATIENCE):
            while not any(behind.encode() in alert for alert in await alerts(kafka, "alerts.platform")):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        assert process.returncode is None


def in_partition(partition: int) -> list[str]:
    """Tracking numbers that belong there."""
    return [key for key in (f"SF{number}" for number in range(50)) if partition_for(key.encode(), 3) == partition]
