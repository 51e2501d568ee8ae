"""Two workers over a marketplace on a real Kafka, which can be killed and frozen at points of the stream."""

from __future__ import annotations

import asyncio
import re
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
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

    async def works(self) -> bool:
        """Whether it has its share of the tasks, and all of them have been restored and run."""
        return await self._ask("healthz") is not None

    async def tasks(self) -> int:
        """How many tasks it says that it has."""
        return int(await self.told("parcelwatch_tasks"))

    async def told(self, metric: str) -> float:
        """A metric's sum over its labels; 0 where it does not answer."""
        told = await self._ask("metrics") or ""
        return sum(float(number) for number in re.findall(rf"^{metric}(?:{{.*}})? (\S+)$", told, re.MULTILINE))

    async def _ask(self, path: str) -> str | None:
        try:
            async with (
                aiohttp.ClientSession() as session,
                session.get(f"http://127.0.0.1:{self._port}/{path}") as answer,
            ):
                return await answer.text() if answer.status == 200 else None
        except aiohttp.ClientConnectionError:
            return None


@asynccontextmanager
async def pair(kafka: Broker, until: str, *options: str) -> AsyncIterator[list[Mortal]]:
    """Two running workers: the tasks of one, a static member, wait for it; those of the other go to who is there."""
    both = [
        Mortal(*worker(kafka, until, *PACE, *options, "--instance-id", "one")),
        Mortal(*worker(kafka, until, *PACE, *options)),
    ]
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
            assert reached < len(events), "all was read before the last fault"
            await asyncio.sleep(0.02)
    return reached


async def until_true(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await condition():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def written(kafka: Broker, folder: Path) -> tuple[Produced, str, Path]:
    """Events that are in Kafka, the time at which all is over, and what the replay says of them."""
    events = valid(generated(days=55, orders_per_day=40))
    until = some_days_after(events)
    out = await replay(events, until, folder)
    await produce(kafka, events, THREE)
    return events, until, out


async def kill_often(kafka: Broker, workers: Sequence[Mortal], events: Produced, random: Random, kills: int) -> None:
    """Kills workers at random points of the stream and starts them again; then waits until all is done."""
    reached = midst = 0
    for _ in range(kills):
        reached = await beyond(kafka, reached + random.randrange(len(events) // (3 * kills)), events)
        # One in the midst of its work, where there is one: the others are starting, or wait for the group.
        victim = random.choice([each for each in workers if await each.works()] or workers)
        midst += await victim.works()
        await victim.kill()
        await victim.start()
    await asyncio.gather(*(ended_well(each.running) for each in workers))
    assert midst > kills / 2
