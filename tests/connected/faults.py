"""Workers with faults of their own, and what Prometheus was seen to say of them in the course of a test."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

from schemas.times import render
from streams.engine.clock import system_now
from tests.connected.marketplace import INPUTS, OUTPUTS, heard, said
from tests.connected.mortals import Mortal, until_true
from tests.connected.prometheus import Prometheus
from tests.kafka_broker import Broker
from tests.patience import PATIENCE

#: Keys and values.
Records = list[tuple[bytes, bytes]]


class Worker(Mortal):
    """A worker of one of the applications, with the fault of `faulty_worker` of that name, if any."""

    fault: str | None = None

    def __init__(self, kafka: Broker, app: str, *options: str) -> None:
        self.arguments = [
            "worker",
            "--broker",
            f"kafka://{kafka.bootstrap}",
            "--app-id",
            app,
            "--topic-prefix",
            f"{app}-",
        ]
        super().__init__()
        self.arguments += ["--metrics-port", str(self.port), "--commit-interval", "0.1", *options]

    async def start(self) -> None:
        module = ("tests.connected.faulty_worker", self.fault) if self.fault else ("streams",)
        self.running = await heard(sys.executable, "-m", *module, *self.arguments)

    async def again(self, *options: str) -> None:
        """Stops it, and starts it with further options."""
        await self.stop()
        self.arguments += options
        await self.start()
        await until_true(self.works)


class Course:
    """What was seen to fire and to clear, and when."""

    def __init__(self, server: Prometheus) -> None:
        self._server = server
        self._began = time.monotonic()
        self.fired: dict[str, float] = {}
        self.cleared: dict[str, float] = {}
        self._labels: dict[str, dict[str, str]] = {}

    async def fires(self, name: str, **labels: str) -> None:
        """Waits until the alert fires. Its annotations must tell something."""
        async with asyncio.timeout(PATIENCE):
            while not (found := await self._server.firing(name, **labels)):  # noqa: ASYNC110
                await asyncio.sleep(0.2)
        print(f"{time.monotonic() - self._began:4.0f} s {name} fires")
        for text in found[0].values():
            assert text, name
            assert "error" not in text, text
            assert "<no value>" not in text, text
        self.fired.setdefault(name, time.monotonic() - self._began)
        self._labels[name] = labels

    async def clears(self, name: str) -> None:
        """Waits until the one that has fired does not fire any more."""
        labels = self._labels[name]
        async with asyncio.timeout(PATIENCE):
            while await self._server.firing(name, **labels):  # noqa: ASYNC110
                await asyncio.sleep(0.2)
        self.cleared[name] = time.monotonic() - self._began
        print(f"{self.cleared[name]:4.0f} s {name} clears")


async def make_topics(kafka: Broker, app: str, partitions: int = 1) -> None:
    topics = {**dict.fromkeys(INPUTS, partitions), **OUTPUTS}
    kept = {f"{app}-{topic}": {"retention.ms": "-1"} for topic in INPUTS}
    await kafka.create_topics({f"{app}-{topic}": count for topic, count in topics.items()}, kept)


def scans(letter: str, times: Iterable[int], carrier: str = "SF") -> list[tuple[bytes, bytes]]:
    """One scan of a parcel of its own at each of the times."""
    found = []
    for number, time_ in enumerate(times):
        value = {"event_id": f"{letter}{number}", "occurred_at": render(time_), "type": "scan", "carrier": carrier,
                 "tracking_no": f"{letter}{number}", "status": "in_transit"}  # fmt: skip
        found.append((f"{letter}{number}".encode(), json.dumps(value).encode()))
    return found


def completed(count: int) -> list[tuple[bytes, bytes]]:
    """Orders of which nothing is known but that they were completed now."""
    value = {"occurred_at": render(system_now()), "type": "order.completed", "shop_id": "S"}
    return [
        (f"O{number}".encode(), json.dumps(value | {"event_id": f"c{number}", "order_id": f"O{number}"}).encode())
        for number in range(count)
    ]


@asynccontextmanager
async def writing(
    kafka: Broker, topic: str, more: Callable[[], Records] = lambda: [(b"?", b"no event")]
) -> AsyncIterator[None]:
    """Writes records, some a second, while the block lasts: `more`, or some that are no events."""

    async def write() -> None:
        while True:
            await kafka.produce(topic, more())
            await asyncio.sleep(0.2)

    task = asyncio.create_task(write())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def ended(worker: Mortal) -> None:
    if hasattr(worker, "running"):
        if worker.running.returncode is None:
            worker.running.kill()
        await said(worker.running)
