"""`parcelwatch` in a process with a fault of its own, from the start until SIGUSR2, and again from SIGUSR1 on.

`python -m tests.connected.faulty_worker FAULT ARGUMENTS`, with WATCHED_SOON=SECONDS for what is noticed after 30 s
otherwise, where FAULT is one of

- `commits`: every commit takes three seconds more;
- `refusals`: every commit fails;
- `fetches`: every fetch fails;
- `restores`: a restore stands still behind its first batch of rows;
- `standbys`: standbys read nothing;
- `start`: it has read its code, and waits before it begins;
- `deaf`: the first membership reads nothing, and `dead`: none does;
- `idle`: each task takes nothing of what is read until it is begun again;
- `hanging`: the commits of each task's first writer never end;
- `loop`: the event loop hangs as soon as a task takes something;
- `none`: all is well;
- `clock`: the machine's clock was a minute ahead when the process started. No signal mends that.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from typing import Any

from streams.engine.errors import LogError
from streams.engine.log import kafka, kafka_rows
from streams.engine.log.kafka_group import KafkaMember
from streams.engine.log.kafka_tail import KafkaTail
from streams.engine.log.kafka_writer import KafkaWriter
from streams.engine.runner import Runner
from streams.engine.task import Task
from streams.engine.topology import TaskId
from streams.worker import health, standstill

_faulty = True


def _signalled(number: int, _: Any) -> None:
    global _faulty  # noqa: PLW0603
    _faulty = number == signal.SIGUSR1


def commits() -> None:
    commit = KafkaWriter.commit

    async def slow(self: Any, transaction: Any) -> Any:
        if _faulty:
            await asyncio.sleep(3)
        return await commit(self, transaction)

    KafkaWriter.commit = slow  # type: ignore[method-assign]


def refusals() -> None:
    commit = KafkaWriter.commit

    async def failing(self: Any, transaction: Any) -> Any:
        if _faulty:
            raise LogError("a commit of no use")
        return await commit(self, transaction)

    KafkaWriter.commit = failing  # type: ignore[method-assign]


def fetches() -> None:
    fetch = KafkaMember.fetch

    async def failing(self: Any, *arguments: Any) -> Any:
        if _faulty:
            raise LogError("a fetch of no use")
        return await fetch(self, *arguments)

    KafkaMember.fetch = failing  # type: ignore[method-assign]


def restores() -> None:
    read = kafka_rows.read_rows
    kafka_rows._BYTES = 1_000

    async def standing(*arguments: Any) -> AsyncIterator[Any]:
        async for rows in read(*arguments):
            yield rows
            while _faulty:  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    kafka.read_rows = standing  # type: ignore[assignment]


def standbys() -> None:
    read = KafkaTail.read

    async def idle(self: Any, seconds: float) -> Any:
        if _faulty:
            await asyncio.sleep(seconds)
            return []
        return await read(self, seconds)

    KafkaTail.read = idle  # type: ignore[method-assign]


def deaf() -> None:
    fetch = KafkaMember.fetch
    first: list[Any] = []

    async def nothing(self: Any, sources: Any, records: int, seconds: float) -> Any:
        if self is not _first(first, self):
            return await fetch(self, sources, records, seconds)
        await asyncio.sleep(seconds)
        return ()

    KafkaMember.fetch = nothing  # type: ignore[method-assign]


def dead() -> None:
    async def nothing(_: Any, __: Any, ___: int, seconds: float) -> Any:
        await asyncio.sleep(seconds)
        return ()

    KafkaMember.fetch = nothing  # type: ignore[method-assign]


def idle() -> None:
    feed = Runner._feed
    begun: set[TaskId] = set()

    async def asleep(self: Any, task: Any) -> None:
        if self.id not in begun:
            begun.add(self.id)
            await asyncio.Event().wait()
        await feed(self, task)

    Runner._feed = asleep  # type: ignore[method-assign]


def hanging() -> None:
    commit = KafkaWriter.commit
    first: dict[str, list[Any]] = {}

    async def endless(self: Any, transaction: Any) -> Any:
        if self is _first(first.setdefault(self._id, []), self):
            await asyncio.Event().wait()
        return await commit(self, transaction)

    KafkaWriter.commit = endless  # type: ignore[method-assign]


def _first(known: list[Any], this: Any) -> Any:
    """The first of those that were ever asked for."""
    if not known:
        known.append(this)
    return known[0]


def loop() -> None:
    accept = Task.portions

    def standing(self: Any, fetched: Any) -> Any:
        while _faulty:
            time.sleep(0.02)
        return accept(self, fetched)

    Task.portions = standing  # type: ignore[method-assign]


def start() -> None:
    importlib.import_module("streams.cli.main")
    importlib.import_module("streams.worker.run")
    print("waiting to be let go", file=sys.stderr, flush=True)
    while _faulty:
        time.sleep(0.02)


def none() -> None:
    """WATCHED_SOON alone."""


def clock() -> None:
    real = time.time_ns
    time.time_ns = lambda: real() + 60_000_000_000


if __name__ == "__main__":
    for each in (signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(each, _signalled)
    faults = (commits, refusals, fetches, restores, standbys, deaf, dead, idle, hanging, loop, none, start, clock)
    {each.__name__: each for each in faults}[sys.argv[1]]()
    if (soon := os.environ.get("WATCHED_SOON")) is not None:
        standstill.STANDSTILL, standstill.REJOIN, standstill.COMMIT = float(soon), 2 * float(soon), float(soon)
        health.LATE, health.HUNG = float(soon), 2 * float(soon)
    from streams.cli.main import main

    sys.argv = ["parcelwatch", *sys.argv[2:]]
    sys.exit(main())
