"""An event loop in virtual time: nothing waits, what is ready runs in an order that the seed decides.

All processes of a simulation share it. A process is told by the context of a callback, so it can be killed between any
two steps (nothing of it runs any more), and stopped and continued like by SIGSTOP and SIGCONT (its callbacks wait).
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import heapq
import itertools
import zlib
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any


class Process:
    """One process; `fuse` kills it after so many steps."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.number = zlib.crc32(name.encode())
        self.alive = True
        self.stopped = False
        self.fuse: int | None = None
        self.held: list[asyncio.Handle] = []
        self.on_kill: Callable[[], None] | None = None

    def kill(self) -> None:
        """Ends it at once, as kill -9 does."""
        if self.alive:
            self.alive = False
            self.held.clear()
            if self.on_kill is not None:
                self.on_kill()


#: The process that a callback belongs to; None: the brokers, and whoever runs the simulation.
PROCESS: contextvars.ContextVar[Process | None] = contextvars.ContextVar("process", default=None)


class Stuck(Exception):
    """Nothing is left that could ever happen, or it goes on and on at one moment."""


class _Numbered:
    """Sets of tasks and futures are walked in the order of their hashes: these do not depend on addresses."""

    _loop: Any
    _number: int

    def __hash__(self) -> int:
        try:
            return self._number
        except AttributeError:
            self._number = next(self._loop.numbers)
            return self._number


class SimulatedTask(_Numbered, asyncio.Task):  # type: ignore[type-arg]
    """A task."""


class SimulatedFuture(_Numbered, asyncio.Future):  # type: ignore[type-arg]
    """A future."""


class SimulatedLoop(asyncio.BaseEventLoop):
    """The loop. `shuffle`: the chance that what runs next is drawn from all that is ready."""

    def __init__(self, random: Random, shuffle: float, most_steps: int) -> None:
        super().__init__()
        self._random = random
        self._shuffle = shuffle
        self._most = most_steps
        self._clock = 0.0
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self.steps = 0
        #: What happened so far, in short: the same for two runs of one seed.
        self.trace = 0
        self.numbers = itertools.count(1)
        self.tasks: list[asyncio.Task[Any]] = []
        self.outside = contextvars.Context()
        self.set_task_factory(self._make_task)
        self.set_exception_handler(lambda _loop, _context: None)

    # -- what asyncio asks of a loop

    def time(self) -> float:
        return self._clock

    def create_future(self) -> SimulatedFuture:
        return SimulatedFuture(loop=self)

    def _make_task(self, loop: Any, coroutine: Coroutine[Any, Any, Any], **options: Any) -> asyncio.Task[Any]:
        task = SimulatedTask(coroutine, loop=loop, **options)
        self.tasks.append(task)
        return task

    def run_in_executor(self, executor: Any, function: Callable[..., Any], *args: Any) -> SimulatedFuture:
        """A thread: it begins and ends at moments of its own, and what it does is one step."""
        done = self.create_future()

        def run() -> None:
            try:
                result = function(*args)
            except BaseException as error:
                self.call_later(self._thread_time(), _settle, done, None, error)
            else:
                self.call_later(self._thread_time(), _settle, done, result, None)

        self.call_later(self._thread_time(), run)
        return done

    def _thread_time(self) -> float:
        return self._random.choice((0.0, 0.0, 0.001, 0.02))

    def _process_events(self, event_list: Any) -> None:
        """There are none: no sockets."""

    def _write_to_self(self) -> None:
        """Nobody sleeps."""

    # -- processes

    def spawn(self, process: Process, coroutine: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Starts a process with its first task."""
        context = contextvars.Context()
        context.run(PROCESS.set, process)
        task: asyncio.Task[Any] = self.create_task(coroutine, context=context)
        return task

    def later(self, seconds: float, function: Callable[..., Any], *args: Any) -> asyncio.TimerHandle:
        """Calls a function that belongs to no process."""
        return self.call_later(seconds, function, *args, context=self.outside)

    def proceed(self, process: Process) -> None:
        """Continues a stopped process."""
        process.stopped = False
        held, process.held = process.held, []
        self._ready.extend(held)

    def note(self, what: str) -> None:
        """Adds to the trace."""
        self.trace = zlib.crc32(what.encode(), self.trace)

    # -- time

    def call_soon(self, callback: Any, *args: Any, context: contextvars.Context | None = None) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_at(
        self, when: float, callback: Any, *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        heapq.heappush(self._timers, (when, next(self.numbers), handle))
        return handle

    def _run_once(self) -> None:
        """Runs what is ready at this moment, or else goes to the next."""
        ready, timers, random = self._ready, self._timers, self._random
        if not ready:
            while timers and timers[0][2]._cancelled:
                heapq.heappop(timers)
            if not timers:
                raise Stuck("nothing is left that could happen")
            self._clock = max(self._clock, timers[0][0])
        while timers and timers[0][0] <= self._clock:
            handle = heapq.heappop(timers)[2]
            if not handle._cancelled:
                ready.append(handle)
        while ready and not self._stopping:
            if len(ready) > 1 and random.random() < self._shuffle:
                ready.rotate(-random.randrange(len(ready)))
            handle = ready.popleft()
            if not handle._cancelled:
                self._step(handle)

    def _step(self, handle: asyncio.Handle) -> None:
        process = handle._context.get(PROCESS)
        if process is None:
            handle._run()
            return
        if not process.alive:
            return
        if process.stopped:
            process.held.append(handle)
            return
        self.steps += 1
        if self.steps > self._most:
            raise Stuck(f"{self.steps} steps at {self._clock:.3f} s")
        handle._run()
        self.trace = (self.trace * 31 + process.number + self.steps) & 0xFFFFFFFF
        if process.fuse is not None:
            process.fuse -= 1
            if process.fuse <= 0:
                process.kill()

    def dispose(self) -> None:
        """Throws away what killed processes have left: call it once the loop has ended."""
        for task in self.tasks:
            if not task.done():
                task._log_destroy_pending = False  # type: ignore[attr-defined]
        for task in self.tasks:
            if not task.done():
                with contextlib.suppress(BaseException):
                    task.get_coro().close()  # type: ignore[union-attr]
        self.tasks.clear()
        self._ready.clear()
        self._timers.clear()


def _settle(done: SimulatedFuture, result: Any, error: BaseException | None) -> None:
    if done.done():
        return
    if error is not None:
        done.set_exception(error)
    else:
        done.set_result(result)
