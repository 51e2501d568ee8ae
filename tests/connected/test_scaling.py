"""One worker, three, one again, while the stream goes on: nothing is lost, said twice or late."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.connected.feed import feed
from tests.connected.marketplace import compare
from tests.connected.mortals import alive, finish, streaming, until_true
from tests.kafka_broker import Broker
from tests.patience import LONG_SESSION

TASKS = 2 * 3


async def test_workers_that_come_and_go_under_load_leave_no_trace(kafka: Broker, tmp_path: Path) -> None:
    async with feed(kafka, tmp_path) as stream:
        first, *others = (streaming(kafka, "--session-timeout", str(LONG_SESSION)) for _ in range(3))

        async def alone() -> bool:
            return await first.works() and await first.tasks() == TASKS

        async def shared() -> bool:
            return all([await each.works() and await each.tasks() == TASKS // 3 for each in (first, *others)])

        async with alive(first):
            await until_true(alone)
            flowing = asyncio.create_task(stream.flow(1500))
            async with alive(*others):
                await until_true(shared)
                await flowing
                flowing = asyncio.create_task(stream.flow(3000))
                # In the midst of the stream each commits and leaves: nobody waits for the end of their sessions.
                await asyncio.gather(*(each.stop() for each in others))
                await until_true(alone)
            await flowing
            await stream.read_all()
            await finish(kafka, [first], stream)
            await compare(kafka, stream.out)
