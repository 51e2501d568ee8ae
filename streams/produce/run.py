"""From events to acknowledged records, at the pace that is asked for."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from schemas.times import SECOND
from schemas.topics import TopicNames
from streams.engine.errors import LogError
from streams.produce.events import BadLine, Event
from streams.produce.writer import EventWriter, Outgoing

#: Records that are on their way at once, and seconds that brokers may take to have them.
_FLIGHT, _ARRIVED = 10_000, 60.0
#: Events between two turns of the event loop, for signals.
_TURN = 200


class Pace:
    """When an event is due. `speed`: seconds of event time in a second of ours; None: at once."""

    def __init__(self, speed: float | None) -> None:
        self._speed = speed
        self._began: float | None = None
        self._first = 0

    def ahead(self, at: int, now: float) -> float:
        """Seconds from `now` (of a monotonic clock) until an event of that time (microseconds) is due.

        The first one that is asked about is due then. Not above 0: it is due.
        """
        if self._speed is None:
            return 0.0
        if self._began is None:
            self._began, self._first = now, at
        return (at - self._first) / SECOND / self._speed - (now - self._began)


class Producing:
    """One run over the events; `told` is called with each bad line.

    `sent`: acknowledged records by topic, as the program knows it. `failure`: why the brokers took no more.
    """

    def __init__(self, writer: EventWriter, topics: TopicNames, pace: Pace, told: Callable[[BadLine], None]) -> None:
        self.topics = topics
        self.sent: Counter[str] = Counter()
        self.failure: LogError | None = None
        self._writer, self._pace, self._told = writer, pace, told
        self._stop = asyncio.Event()
        self._flight: list[tuple[str, asyncio.Future[Any]]] = []

    def stop(self) -> None:
        """Ends the run early; what has been handed over is waited for."""
        self._stop.set()

    @property
    def stopped(self) -> bool:
        """Whether it has been ended early."""
        return self._stop.is_set()

    async def run(self, found: Iterator[Event | BadLine]) -> None:
        """Sends all of them. Raises what the iterator raises."""
        try:
            await self._run(found)
        except LogError as error:
            self.failure = error

    async def _run(self, found: Iterator[Event | BadLine]) -> None:
        loop = asyncio.get_running_loop()
        for number, each in enumerate(found):
            if number % _TURN == 0:
                await asyncio.sleep(0)
            if isinstance(each, BadLine):
                self._told(each)
                continue
            while not self.stopped and (ahead := self._pace.ahead(each.at, loop.time())) > 0:
                await self._arrived()
                await _wait(self._stop, ahead)
            if self.stopped:
                break
            await self._append(each)
        await self._arrived()

    async def _append(self, event: Event) -> None:
        record = Outgoing(self.topics[event.topic], event.key, event.value)
        try:
            async with asyncio.timeout(_ARRIVED):
                self._flight.append((event.topic, await self._writer.append(record)))
        except TimeoutError:
            raise LogError(f"no broker has taken anything for {_ARRIVED:.0f} s") from None
        if len(self._flight) >= _FLIGHT:
            await self._arrived()

    async def _arrived(self) -> None:
        flight, self._flight = self._flight, []
        try:
            async with asyncio.timeout(_ARRIVED):
                await self._writer.arrived([future for _, future in flight])
        except TimeoutError:
            raise LogError(f"no broker has taken anything for {_ARRIVED:.0f} s") from None
        finally:
            self.sent.update(topic for topic, future in flight if _is_there(future))


def _is_there(future: asyncio.Future[Any]) -> bool:
    return future.done() and not future.cancelled() and future.exception() is None


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
