"""Workers over a stream on a real Kafka, which can be killed, frozen, stopped and started again."""

from __future__ import annotations

import asyncio
import json
import math
import re
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from random import Random

import aiohttp

from tests.connected.feed import Feed
from tests.connected.marketplace import APP, command, end, ended_well, heard_of, progress, run, said, worker
from tests.kafka_broker import Broker
from tests.patience import PATIENCE
from tests.ports import free_port

#: Seconds after which the group takes a silent worker for dead.
SESSION = 3
#: Small batches, so that there are many points to be killed at.
PACE = ("--fetch-records", "8", "--session-timeout", str(SESSION), "--commit-interval", "0.2")


class Mortal:
    """A worker that can be killed and started again. `running` is its process now."""

    running: asyncio.subprocess.Process

    def __init__(self, *arguments: str, **variables: str) -> None:
        self.port = free_port()
        self._command = (*arguments, "--metrics-port", str(self.port))
        self._variables = variables

    async def start(self) -> None:
        self._started = time.monotonic()
        self.running = await command(*self._command, **self._variables)

    async def kill(self) -> None:
        assert self.running.returncode is None, (await end(self.running))[-4000:]
        await end(self.running)
        assert self.running.returncode == -signal.SIGKILL

    async def stop(self) -> None:
        """Asks it to stop, and waits until it has, with status 0."""
        if self.running.returncode is None:
            self.running.terminate()
        await ended_well(self.running)

    @property
    def minutes(self) -> float:
        """Minutes since it was started: what goes on being wrong is logged once a minute."""
        return (time.monotonic() - self._started) / 60

    def heard(self, text: str) -> str:
        """The first line with this text that it has said so far."""
        return next(line for line in heard_of(self.running) if text in line)

    async def works(self) -> bool:
        """Whether it has its share of the tasks, and all of them have been restored and run; it must not have ended."""
        assert self.running.returncode is None, (await said(self.running))[-4000:]
        return await self._ask("readyz") is not None

    async def lives(self) -> bool:
        """Whether it says that it need not be started again."""
        return await self._ask("livez") is not None

    async def reasons(self) -> dict[str, str]:
        """Why it is not ready, by kind; nothing where it is, or does not answer."""
        told = await self._ask("readyz", status=503)
        return json.loads(told)["reasons"] if told else {}

    async def tasks(self) -> float:
        """How many tasks it says that it has."""
        return await self.told("parcelwatch_tasks")

    async def told(self, metric: str) -> float:
        """A metric's sum over its labels; not a number, so neither 0 nor more, where there is no answer."""
        found = await self.series(metric)
        return math.nan if found is None else sum(found.values())

    async def series(self, metric: str) -> dict[str, float] | None:
        """A metric's values by their labels, as they are written; None where there is no answer."""
        told = await self._ask("metrics")
        if told is None:
            return None
        found = re.findall(rf"^{metric}(?:{{(.*)}})? (\S+)$", told, re.MULTILINE)
        return {labels: float(number) for labels, number in found}

    async def _ask(self, path: str, status: int = 200) -> str | None:
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE)) as session,
                session.get(f"http://127.0.0.1:{self.port}/{path}") as answer,
            ):
                return await answer.text() if answer.status == status else None
        except aiohttp.ClientConnectionError:
            return None


def streaming(kafka: Broker, *options: str) -> Mortal:
    """A worker that follows the events' own time until it is stopped; not started yet."""
    broker = f"kafka://{kafka.bootstrap}"
    return Mortal("worker", "--broker", broker, "--app-id", APP, "--clock", "stream", *PACE, *options)


@asynccontextmanager
async def alive(*workers: Mortal) -> AsyncIterator[None]:
    """Starts the workers; nothing is left of them behind the block."""
    try:
        for each in workers:
            await each.start()
        yield
    finally:
        for each in workers:
            await end(each.running)


@asynccontextmanager
async def pair(kafka: Broker, *options: str) -> AsyncIterator[list[Mortal]]:
    """Two running workers: the tasks of one, a static member, wait for it; those of the other go to who is there."""
    both = [streaming(kafka, *options, "--instance-id", "one"), streaming(kafka, *options)]
    async with alive(*both):
        yield both


async def until_true(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await condition():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def at_work(workers: Sequence[Mortal]) -> list[Mortal]:
    """Those that have their tasks and work on them; waits until there is one."""
    async with asyncio.timeout(PATIENCE):
        while not (found := [each for each in workers if await each.works()]):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    return found


async def until_all_work(workers: Sequence[Mortal]) -> None:
    """Waits until each of them has its tasks and works on them."""

    async def all_work() -> bool:
        return all([await each.works() for each in workers])

    await until_true(all_work)


async def kill_often(kafka: Broker, workers: Sequence[Mortal], stream: Feed, random: Random, kills: int) -> None:
    """Kills workers at random points of a stream that goes on meanwhile, and starts them again."""
    part = (len(stream.events) - stream.written) * 9 // 10 // kills
    for number in range(kills):
        # Two of three are killed at work; the others wherever they are: starting, restoring, waiting for the group.
        hit_at_work = number % 3 > 0
        if hit_at_work:
            await at_work(workers)
        begun = stream.written
        flowing = asyncio.create_task(stream.flow(part))
        try:
            await asyncio.sleep(0)
            # At the latest while there is still something of this part to be written.
            reached = await progress(kafka) + random.randrange(part)
            await stream.read_beyond(min(reached, begun + part * 6 // 10))
            victim = random.choice(await at_work(workers) if hit_at_work else workers)
            await victim.kill()
        finally:
            await flowing
        await victim.start()


async def finish(kafka: Broker, workers: Sequence[Mortal], stream: Feed, *options: str) -> None:
    """Writes the rest of the stream, stops the workers, and lets others go on to the end of all time."""
    await stream.rest()
    await until_all_work(workers)
    await asyncio.gather(*(each.stop() for each in workers))
    # Static members are waited for until their sessions run out.
    await kafka.expel(APP)
    await asyncio.gather(*(run(*worker(kafka, stream.until, *options)) for _ in range(2)))
