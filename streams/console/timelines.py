"""Tells timelines: reads the inputs in a thread of its own, one subject at a time, as `parcelwatch explain` does."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Any

import msgspec
import structlog

from streams.console.inputs import Inputs
from streams.engine.errors import FatalError, LogError
from streams.explain.document import document
from streams.explain.story import stories
from streams.explain.subject import scope_of
from streams.explain.watch import Watch
from streams.policy.model import Policy
from streams.replay.reading import MissingInput

log = structlog.get_logger(__name__)

#: Timelines that are remembered, seconds for which one is shown again, and how many may wait.
_KEPT, _FRESH, _WAITING = 20, 30.0, 8
#: Percents between two signs of progress: each lets every open page ask anew.
_STEP = 5


class _Stopped(Exception):
    """The console ends."""


@dataclass(slots=True)
class Telling:
    """One timeline. `percent`: how much of the inputs has been read; `told`: the document of `explain --json`.

    `error`: why there is none: `nothing`, `busy`, `fault`, or a line about the inputs.
    """

    subject: str
    percent: int = 0
    told: dict[str, Any] | None = None
    error: str = ""
    ended: float = field(default=0.0)

    @property
    def over(self) -> bool:
        """Whether nothing more will come."""
        return self.ended > 0.0


class Timelines:
    """`progressed` is called in the event loop whenever a timeline has come further."""

    def __init__(self, inputs: Inputs, policy: Policy, progressed: Callable[[], None]) -> None:
        self._inputs = inputs
        self._policy = policy
        self._progressed = progressed
        self._tellings: OrderedDict[str, Telling] = OrderedDict()
        self._waiting: asyncio.Queue[Telling] = asyncio.Queue(_WAITING)
        self._stop = Event()

    def ask(self, subject: str, *, again: bool = False) -> Telling:
        """The timeline of a subject, begun if need be. `again`: one that is over for a while is told anew."""
        known = self._tellings.get(subject)
        if known is not None and not (again and known.over and time.monotonic() - known.ended > _FRESH):
            return known
        telling = Telling(subject)
        try:
            self._waiting.put_nowait(telling)
        except asyncio.QueueFull:
            telling.error, telling.ended = "busy", time.monotonic()
            return telling
        self._tellings[subject] = telling
        self._tellings.move_to_end(subject)
        for old in [name for name, one in self._tellings.items() if one.over][: max(0, len(self._tellings) - _KEPT)]:
            del self._tellings[old]
        return telling

    async def run(self) -> None:
        """Tells one after the other until it is cancelled."""
        loop = asyncio.get_running_loop()
        try:
            while True:
                telling = await self._waiting.get()
                done = asyncio.Event()

                def tell(telling: Telling = telling, done: asyncio.Event = done) -> None:
                    try:
                        self._tell(telling, loop)
                    finally:
                        telling.ended = time.monotonic()
                        if not self._stop.is_set():
                            loop.call_soon_threadsafe(done.set)

                Thread(target=tell, name="timeline", daemon=True).start()
                await done.wait()
                self._progressed()
        finally:
            self._stop.set()

    def _tell(self, telling: Telling, loop: asyncio.AbstractEventLoop) -> None:
        read = 0

        def progress(records: int) -> None:
            nonlocal read
            if self._stop.is_set():
                raise _Stopped
            read += records
            # Everything is read twice: once for what the subject names, once for its story.
            percent = min(99, 100 * read // (2 * max(1, opened.size)))
            if percent >= telling.percent + _STEP:
                telling.percent = percent
                loop.call_soon_threadsafe(self._progressed)

        try:
            with self._inputs() as opened:
                scope = scope_of(telling.subject, opened.lines(progress), self._policy)
                if scope.kinds or scope.unreadable:
                    watch = Watch(self._policy, None, scope)
                    watch.run(opened.lines(progress))
                    telling.told = msgspec.json.decode(document(watch, stories(watch)))
                else:
                    telling.error = "nothing"
        except _Stopped:
            return
        except (LogError, FatalError, MissingInput) as error:
            telling.error = str(error)
        except Exception:
            log.exception("a timeline cannot be told")
            telling.error = "fault"
