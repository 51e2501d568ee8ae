"""What happens to requests between a process and the brokers: latency, loss, and traps that stop the process there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from streams.engine.errors import LogError
from tests.simulation.loop import Process, SimulatedLoop


@dataclass(slots=True)
class Weather:
    """How the network is now, for all. Seconds, and chances of each request."""

    latency: float = 0.005
    lost_requests: float = 0.0
    lost_answers: float = 0.0
    #: Whether brokers answer at all.
    up: bool = True


@dataclass(slots=True)
class Trap:
    """Springs at the next request of a kind: before it leaves, or once it has left."""

    kind: str
    before: bool
    spring: Callable[[Process], None]


@dataclass(slots=True)
class Link:
    """The connections of one process. Requests that have left arrive though the process is killed or stopped."""

    loop: SimulatedLoop
    random: Random
    weather: Weather
    process: Process
    request_timeout: float
    cut: bool = False
    trap: Trap | None = None
    requests: dict[str, int] = field(default_factory=dict)

    async def ask(self, kind: str, question: Callable[[], Any], *, repeats: bool = False) -> Any:
        """Asks a broker: `question` runs there, in one step. Raises what it raises, `LogError` where nothing answers.

        `repeats`: the client sends it again where no answer has come.
        """

        def asked(reply: Callable[[Any], None]) -> None:
            reply(question())

        return await self.ask_for(kind, asked, repeats=repeats)

    async def ask_for(
        self, kind: str, question: Callable[[Callable[[Any], None]], None], *, repeats: bool = False
    ) -> Any:
        """As `ask`, but the answer, or an exception, is given to the callback, perhaps later."""
        process, loop = self.process, self.loop
        self.requests[kind] = self.requests.get(kind, 0) + 1
        trap = self.trap
        if trap is not None and trap.kind == kind:
            self.trap = None
            if trap.before:
                trap.spring(process)
                await asyncio.sleep(0)
        else:
            trap = None
        answer = loop.create_future()
        sent = loop.time()

        def fail() -> None:
            _settle(answer, LogError(f"{kind}: no answer"))

        def reply(found: Any) -> None:
            weather = self.weather
            if self.random.random() < weather.lost_answers or self._away:
                if repeats and self.random.random() < 0.7:
                    loop.later(self.random.random() * self.request_timeout, arrive)
                else:
                    loop.later(max(sent + self.request_timeout - loop.time(), 0), fail)
                return
            loop.later(self._latency(), _settle, answer, found)

        def arrive() -> None:
            if self._away:
                loop.later(max(sent + self.request_timeout - loop.time(), 0), fail)
                return
            try:
                question(reply)
            except Exception as error:
                reply(error)

        if self._away or self.random.random() < self.weather.lost_requests:
            if repeats and not self._away and self.random.random() < 0.7:
                loop.later(self.random.random() * self.request_timeout, arrive)
            else:
                loop.later(self.request_timeout, fail)
        else:
            loop.later(self._latency(), arrive)
        if trap is not None and not trap.before:
            trap.spring(process)
        return await answer

    @property
    def _away(self) -> bool:
        return self.cut or not self.weather.up

    def _latency(self) -> float:
        return self.random.random() ** 3 * self.weather.latency


def _settle(answer: asyncio.Future[Any], found: Any) -> None:
    if answer.done():
        return
    if isinstance(found, Exception):
        answer.set_exception(found)
    else:
        answer.set_result(found)
