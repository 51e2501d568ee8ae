"""A stream that goes on for as long as a test wants it to: its events are written while the workers read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiokafka import AIOKafkaProducer

from tests.connected.marketplace import (
    OUTPUTS,
    THREE,
    Produced,
    generated,
    progress,
    replay,
    some_days_after,
    valid,
)
from tests.kafka_broker import Broker
from tests.patience import PATIENCE

#: Events that are written at once while the stream flows, and seconds between two such portions.
_PORTION, _PAUSE = 20, 0.01


class Feed:
    """Writes the events of a stream in their order, as far as it is told to; `written` of them so far.

    How far the workers have got depends on the machine, how much there is to come does not: nothing is over before
    `rest` is called. Workers have to follow the events' own time until then (`--clock stream`).
    """

    def __init__(self, kafka: Broker, producer: AIOKafkaProducer, events: Produced, until: str, out: Path) -> None:
        self.written = 0
        self._goal = 0
        self.events = events
        #: The time at which all is over, and the folder with what the replay says of the events.
        self.until, self.out = until, out
        self._kafka = kafka
        self._producer = producer

    async def write(self, count: int) -> None:
        """The next events, at once."""
        end = min(self.written + count, len(self.events))
        self._goal = max(self._goal, end)
        async with asyncio.timeout(PATIENCE):
            sent = [
                await self._producer.send(topic, value, key=key)
                for topic, key, value in self.events[self.written : end]
            ]
            await asyncio.gather(*sent)
        self.written = end

    async def flow(self, count: int) -> None:
        """The next events, a few at a time: while it lasts, there is something to do for the workers."""
        end = self._goal = self.written + count
        while self.written < end:
            await self.write(min(_PORTION, end - self.written))
            await asyncio.sleep(_PAUSE)

    async def rest(self) -> None:
        """All that is left."""
        assert self.written < len(self.events), "the stream was over before the last fault"
        await self.write(len(self.events) - self.written)

    async def read_beyond(self, mark: int) -> int:
        """Waits until more than `mark` events have been read and committed; how many it are then."""
        assert mark < self._goal
        async with asyncio.timeout(PATIENCE):
            while (reached := await progress(self._kafka)) <= mark:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        return reached

    async def read_all(self) -> None:
        """Waits until all that has been written has been read."""
        await self.read_beyond(self.written - 1)


@asynccontextmanager
async def feed(kafka: Broker, folder: Path, begin: int = 1500, days: int = 20) -> AsyncIterator[Feed]:
    """A marketplace's stream, of which the first events are in Kafka: some in every partition."""
    events = valid(generated(days=days, orders_per_day=40))
    until = some_days_after(events)
    out = await replay(events, until, folder)
    await kafka.create_topics({**THREE, **OUTPUTS})
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, enable_idempotence=True, linger_ms=2)
    await producer.start()
    try:
        found = Feed(kafka, producer, events, until, out)
        await found.write(begin)
        assert all([min((await kafka.end_offsets(topic)).values()) for topic in THREE])
        yield found
    finally:
        await producer.stop()
