"""Sends the stream to Kafka, and remembers when which event time was sent."""

from __future__ import annotations

import asyncio
import time
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any

from aiokafka import AIOKafkaProducer

from bench.soak.orders import Event
from bench.soak.pace import Pace

#: Seconds between two looks at what is due.
_TICK = 0.01
#: Events between two waits for the broker, where they are sent as fast as can be.
_AT_ONCE = 5_000


class Sender:
    """To be used in an `async with`. `sent`: events so far; `behind`: the most seconds that a tick came too late."""

    def __init__(self, bootstrap: str, events: Iterator[Event]) -> None:
        self._events = events
        self._producer = AIOKafkaProducer(bootstrap_servers=bootstrap, max_batch_size=1 << 20)
        self._times = array("q")
        self._walls = array("d")
        self.sent = 0
        self.behind = 0.0

    async def __aenter__(self) -> Sender:
        await self._producer.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._producer.stop()

    async def send(self, count: int) -> None:
        """The next events, all at once; acknowledged when it returns."""
        for first in range(0, count, _AT_ONCE):
            await asyncio.gather(*await self._batches(min(_AT_ONCE, count - first)))

    async def by_the_clock(self, pace: Pace, begin: float, seconds: float, enough: Callable[[], bool]) -> float:
        """Events as the pace has them due, from `begin` (seconds since 1970) on for so long; for how long it was.

        Asked before each burst, `enough` ends it sooner.
        """
        under_way: list[asyncio.Future[Any]] = []
        first = self.sent
        before = begin
        asked = begin + pace.period - pace.burst
        while (now := time.time()) < begin + seconds:
            if now >= asked:
                if enough():
                    break
                asked += pace.period
            if now >= begin:
                self.behind = max(self.behind, now - before - _TICK)
                under_way += await self._batches(first + pace.due(now - begin) - self.sent)
                before = now
            under_way = [one for one in under_way if not (one.done() and one.result())]
            await asyncio.sleep(max(0.0, _TICK - (time.time() - now)))
        await asyncio.gather(*under_way)
        return min(time.time() - begin, seconds)

    def sent_at(self, time_ms: int) -> float | None:
        """When (seconds since 1970) the first event of that event time or later was sent; None: not yet."""
        place = bisect_left(self._times, -(-time_ms // 1000))
        return self._walls[place] if place < len(self._walls) else None

    @property
    def reached(self) -> int:
        """The event time of the last event, in seconds since 1970."""
        return self._times[-1] if self._times else 0

    async def _batches(self, count: int) -> list[asyncio.Future[Any]]:
        under_way: list[asyncio.Future[Any]] = []
        builders: dict[tuple[str, int], Any] = {}
        now = time.time()
        stamp = round(now * 1000)
        at = 0
        for _ in range(count):
            topic, partition, at, key, value = next(self._events)
            builder = builders.get((topic, partition))
            while builder is None or builder.append(timestamp=stamp, key=key, value=value) is None:
                if builder is not None:
                    under_way.append(await self._producer.send_batch(builder, topic, partition=partition))
                builder = builders[topic, partition] = self._producer.create_batch()
        for (topic, partition), builder in builders.items():
            under_way.append(await self._producer.send_batch(builder, topic, partition=partition))
        if count > 0:
            self.sent += count
            self._times.append(at)
            self._walls.append(now)
        return under_way
