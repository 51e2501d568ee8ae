"""Watches the event loop from a thread: says where it hangs, and ends a process whose loop never comes round.

Only a process's own worker has one: who embeds a worker in a loop of theirs looks after that loop.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from types import TracebackType

import structlog

from streams.cli.faults import innermost
from streams.cli.logging import last_word
from streams.worker import health

log = structlog.get_logger(__name__)

#: Seconds between looks, and between two lines about a loop that goes on hanging.
_LOOK, _AGAIN = 1.0, 60.0
#: Seconds between two signs of the loop.
_BEAT = 0.2


class LoopGuard:
    """Guards while its block runs; `beat` runs in the loop. After `hung` seconds without a turn, `end` gets status 1.

    The time for which the whole process stands (a signal, a frozen machine) does not count.
    """

    def __init__(
        self, late: float | None = None, hung: float | None = None, end: Callable[[int], object] = os._exit
    ) -> None:
        """`late`, `hung`: seconds without a turn, if not those of `health`."""
        self._late = health.LATE if late is None else late
        self._hung = health.HUNG if hung is None else hung
        self._end = end
        self._beats = 0
        self._over = threading.Event()
        self._looping = threading.get_ident()
        self._thread = threading.Thread(target=self._watch, name="loop guard", daemon=True)

    def __enter__(self) -> LoopGuard:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    async def beat(self) -> None:
        """Tells that the loop turns, until it is cancelled."""
        while True:
            self._beats += 1
            await asyncio.sleep(_BEAT)

    def _watch(self) -> None:
        seen, silent, told = 0, 0.0, -_AGAIN
        before = time.monotonic()
        look = min(_LOOK, self._late / 2)
        while not self._over.wait(look):
            now = time.monotonic()
            # Whoever was stopped himself cannot tell for how long the loop has been silent.
            silent += min(now - before, 2 * look)
            before = now
            if self._beats != seen or not self._beats:
                seen, silent, told = self._beats, 0.0, -_AGAIN
            elif silent > self._hung:
                last_word(f"one step has taken {silent:.0f} s so far, at {self._place()}: the worker ends")
                self._end(1)
                return
            elif silent > self._late and silent - told >= _AGAIN:
                told = silent
                log.warning("the event loop does not come round", seconds=round(silent), at=self._place())

    def _place(self) -> str:
        """Where the loop's thread is, innermost in our own code: a file and a line, never what is worked on."""
        frame = sys._current_frames().get(self._looping)
        stack = traceback.extract_stack(frame) if frame is not None else []
        return innermost([(each.filename, each.lineno) for each in stack])
