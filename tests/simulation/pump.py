"""A worker's batches without Faust, which takes longer to start than most seeds to run.

Some seeds run with Faust's agents, all others with this.
"""

from __future__ import annotations

import asyncio
from typing import Any

from streams.engine.topology import Topology
from streams.worker import service

_with_faust = service.build
#: Whether the seed that runs has Faust.
faust = False


class Pump:
    """In place of the Faust application: hands the engine its batches, one topic after the other."""

    def __init__(self, topology: Topology, engine: Any) -> None:
        self._topics = sorted(topology.topics())
        self._engine = engine
        self._pumping: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await self._engine.subscribe(self._topics, _assigned)
        self._pumping = asyncio.create_task(self._pump())

    async def _pump(self) -> None:
        while True:
            for batch in await self._engine.next():
                await self._engine.accept(batch)

    async def stop(self) -> None:
        if self._pumping is not None:
            self._pumping.cancel()
            await asyncio.wait([self._pumping])


async def _assigned(partitions: Any) -> None:
    """Nobody waits for it."""


def _build(topology: Topology, engine: Any) -> Any:
    return _with_faust(topology, engine) if faust else Pump(topology, engine)


service.build = _build
