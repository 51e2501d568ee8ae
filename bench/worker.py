"""A running worker: its process, its metrics, and its topics."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from bench.child import Child
from bench.contenders import ALERTS_TOPIC, SCANS_TOPIC, Run, worker
from bench.throughput import KEEP, WrongError, make_topics
from tests.kafka_broker import Broker
from tests.ports import free_port

#: Seconds that a worker gets to be at work.
PATIENCE = 240.0
#: Offsets that a standby may be behind while scans keep coming.
_NEAR = 500
_SAMPLE = re.compile(r"^(?P<name>\w+)(?P<labels>{[^}]*})? (?P<value>\S+)$", re.MULTILINE)

#: Series of one metric by their labels as they are written.
Series = dict[str, float]


class Worker:
    """A worker's process. Its metrics are asked for by HTTP."""

    def __init__(self, child: Child, port: int) -> None:
        self.child = child
        self._port = port

    async def metrics(self) -> dict[str, Series]:
        """All that it tells; nothing while nobody answers."""
        found: dict[str, Series] = {}
        for match in _SAMPLE.finditer(await self._ask("metrics") or ""):
            found.setdefault(match["name"], {})[match["labels"] or ""] = float(match["value"])
        return found

    async def works(self) -> bool:
        """Whether it has its share of the tasks, and all of them run."""
        return await self._ask("healthz") is not None

    async def until_it_works(self) -> float:
        """Waits for that; when it was, by the monotonic clock."""
        limit = time.monotonic() + PATIENCE
        while not await self.works():
            if self.child.ended() is not None or time.monotonic() > limit:
                raise WrongError(f"a worker is not at work: {self.child.said()}")
            await asyncio.sleep(0.02)
        return time.monotonic()

    async def follows(self) -> bool:
        """Whether it has standbys, and all of them are about as far as their changelogs."""
        behind = (await self.metrics()).get("parcelwatch_standby_lag_offsets", {})
        return bool(behind) and max(behind.values()) < _NEAR

    async def restored(self) -> int:
        """Rows of changelogs that it has read to restore its tasks."""
        return round(total((await self.metrics()).get("parcelwatch_restored_rows_total")))

    async def _ask(self, path: str) -> str | None:
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(10)) as session,
                session.get(f"http://127.0.0.1:{self._port}/{path}") as answer,
            ):
                return await answer.text() if answer.status == 200 else None
        except (aiohttp.ClientError, TimeoutError):
            return None


@asynccontextmanager
async def started(kafka: Broker, group: str, folder: Path, *options: str) -> AsyncIterator[Worker]:
    """A worker that runs as long as the block does, and is stopped in an orderly way behind it."""
    port = free_port()
    log = folder / f"{group}-{port}.log"
    run = Run(kafka.bootstrap, group, SCANS_TOPIC, ALERTS_TOPIC, folder)
    with Child(worker(run, "--metrics-port", str(port), *options), log) as child:
        yield Worker(child, port)
        await asyncio.to_thread(child.stop)


async def ready(kafka: Broker, group: str, partitions: int) -> None:
    """All topics, with their leaders: they are read and written before anyone would have waited for those."""
    # Scans of long ago would be deleted at once.
    await kafka.create_topics({SCANS_TOPIC: partitions, ALERTS_TOPIC: partitions}, {SCANS_TOPIC: KEEP})
    await make_topics(kafka, group, partitions)


def total(series: Series | None) -> float:
    """The sum over all labels."""
    return sum((series or {}).values())


def quantile(found: Sequence[float], part: float) -> float:
    """The least that so large a part is not above."""
    return sorted(found)[min(len(found) - 1, int(part * len(found)))]
