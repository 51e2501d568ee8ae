"""`parcelwatch` in a process that dies or stands still at a named point, if it is told to.

`python -m tests.faults.child FILE SLOW ARGUMENTS`: where FILE exists when a point of that name is passed, it is removed
and the process gets the signal that it names: "POINT SIGNAL". SLOW: seconds that each batch of a restore takes more.
SIGUSR1 sets the machine's clock two days ahead for this process, SIGRTMIN all its clocks, SIGUSR2 both back.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
from collections.abc import AsyncGenerator
from pathlib import Path
from random import Random
from typing import Any

from aiokafka import AIOKafkaProducer

from streams.engine.log import kafka, kafka_rows
from streams.engine.log.kafka import KafkaLog
from streams.engine.log.kafka_sending import Sending
from streams.engine.store.rocks import RocksCopy
from streams.worker.group import TaskGroup
from tests.kafka_broker.java import end_with_parent

_DAYS = 2 * 86_400
_file = Path()
_random = Random()


def asked_for(point: str) -> int | None:
    """The signal that is asked for at this point, if any; it is asked for once."""
    try:
        where, number = _file.read_text().split()
    except (OSError, ValueError):
        return None
    if where != point:
        return None
    _file.unlink(missing_ok=True)
    return int(number)


def passes(point: str) -> None:
    if (number := asked_for(point)) is not None:
        os.kill(os.getpid(), number)


async def amid(point: str, work: Any) -> Any:
    """The point is anywhere within the work, which takes some milliseconds."""
    if (number := asked_for(point)) is None:
        return await work
    threading.Timer(_random.uniform(0, 0.02), os.kill, (os.getpid(), number)).start()
    return await work


def around(owner: Any, name: str, before: str | None, after: str | None) -> None:
    real = getattr(owner, name)

    async def wrapped(*arguments: Any, **options: Any) -> Any:
        if before is not None:
            passes(before)
        result = await real(*arguments, **options)
        if after is not None:
            passes(after)
        return result

    setattr(owner, name, wrapped)


def points() -> None:
    around(Sending, "by_partition", "begun", None)
    around(Sending, "send", None, "sending")
    around(Sending, "arrived", "sent", "acknowledged")
    around(AIOKafkaProducer, "send_offsets_to_transaction", None, "offsets")
    around(KafkaLog, "writer", None, "opened")
    around(TaskGroup, "_revoke", "revoking", "revoked")
    commit, write = AIOKafkaProducer.commit_transaction, RocksCopy.write

    async def committing(self: Any) -> None:
        await amid("committing", commit(self))
        passes("committed")

    def storing(self: Any, *arguments: Any) -> None:
        if (number := asked_for("storing")) is not None:
            threading.Timer(_random.uniform(0, 0.002), os.kill, (os.getpid(), number)).start()
        write(self, *arguments)
        passes("stored")

    AIOKafkaProducer.commit_transaction = committing
    RocksCopy.write = storing  # type: ignore[method-assign]


def restores(slow: float) -> None:
    read = kafka_rows.read_rows
    if slow:
        kafka_rows._BYTES = 2_000

    async def reading(*arguments: Any) -> AsyncGenerator[Any, None]:
        async for rows in read(*arguments):
            passes("restoring")
            await asyncio.sleep(slow)
            yield rows

    kafka.read_rows = reading


def clocks() -> None:
    """All read what they really read, and what this process has been set ahead."""
    ahead = {"time": 0, "monotonic": 0}

    def jump(number: int, _: Any) -> None:
        ahead["time"] = 0 if number == signal.SIGUSR2 else _DAYS
        ahead["monotonic"] = _DAYS if number == signal.SIGRTMIN else 0

    for each in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGRTMIN):
        signal.signal(each, jump)
    for name in ahead:
        seconds, precise = getattr(time, name), getattr(time, f"{name}_ns")
        setattr(time, name, lambda name=name, real=seconds: real() + ahead[name])
        setattr(time, f"{name}_ns", lambda name=name, real=precise: real() + ahead[name] * 1_000_000_000)


if __name__ == "__main__":
    end_with_parent()
    _file = Path(sys.argv[1])
    points()
    restores(float(sys.argv[2]))
    clocks()
    from streams.cli.main import main

    sys.argv = ["parcelwatch", *sys.argv[3:]]
    sys.exit(main())
