"""Workers that are killed and frozen again and again put out what the replay does, each alert once."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import aiohttp
from aiohttp.test_utils import unused_port

from tests.connected.marketplace import (
    PATIENCE,
    THREE,
    Produced,
    command,
    compare,
    end,
    ended_well,
    generated,
    produce,
    progress,
    replay,
    some_days_after,
    valid,
    worker,
)
from tests.kafka_broker import Broker

KILLS = 20
#: Seconds after which the group takes a silent worker for dead.
SESSION = 3
#: Small batches, so that there are many points to be killed at.
PACE = ("--fetch-records", "8", "--session-timeout", str(SESSION))


class Mortal:
    """A worker that can be killed and started again. `running` is its process now."""

    running: asyncio.subprocess.Process

    def __init__(self, *arguments: str) -> None:
        self._port = unused_port()
        self._command = (*arguments, "--metrics-port", str(self._port))

    async def start(self) -> None:
        self.running = await command(*self._command)

    async def kill(self) -> None:
        assert self.running.returncode is None
        await end(self.running)
        assert self.running.returncode == -signal.SIGKILL

    async def healthy(self) -> None:
        """Waits until it has its share of the tasks, and all of them have been restored and run."""
        async with asyncio.timeout(PATIENCE), aiohttp.ClientSession() as session:
            while not await self._answers(session):
                assert self.running.returncode is None
                await asyncio.sleep(0.02)

    async def _answers(self, session: aiohttp.ClientSession) -> bool:
        try:
            async with session.get(f"http://127.0.0.1:{self._port}/healthz") as answer:
                return answer.status == 200
        except aiohttp.ClientConnectionError:
            return False


@asynccontextmanager
async def pair(kafka: Broker, until: str) -> AsyncIterator[list[Mortal]]:
    """Two running workers: the tasks of one, a static member, wait for it; those of the other go to who is there."""
    both = [Mortal(*worker(kafka, until, *PACE, "--instance-id", "one")), Mortal(*worker(kafka, until, *PACE))]
    for each in both:
        await each.start()
    try:
        yield both
    finally:
        for each in both:
            await end(each.running)


async def beyond(kafka: Broker, mark: int, events: Produced) -> int:
    """Waits until more than `mark` records have been read and committed; how many it are then, and never all."""
    async with asyncio.timeout(PATIENCE):
        while (reached := await progress(kafka)) <= mark:
            await asyncio.sleep(0.02)
    assert reached < len(events), "all was read before the last fault"
    return reached


async def written(kafka: Broker, folder: Path) -> tuple[Produced, str, Path]:
    """Events that are in Kafka, the time at which all is over, and what the replay says of them."""
    events = valid(generated(days=55, orders_per_day=40))
    until = some_days_after(events)
    out = await replay(events, until, folder)
    await produce(kafka, events, THREE)
    return events, until, out


async def test_twenty_kills_at_any_point_leave_no_trace(kafka: Broker, tmp_path: Path) -> None:
    random = Random(20)
    events, until, out = await written(kafka, tmp_path)
    async with pair(kafka, until) as workers:
        for _ in range(KILLS):
            victim = random.choice(workers)
            if random.random() < 0.7:
                # In the midst of its work; else wherever it is, which may be before it has any.
                await victim.healthy()
            await beyond(kafka, await progress(kafka) + random.randrange(len(events) // (3 * KILLS)), events)
            await victim.kill(); print(await progress(kafka), asyncio.get_running_loop().time())
            await victim.start()
        await asyncio.gather(*(ended_well(each.running) for each in workers))
    await compare(kafka, out)


