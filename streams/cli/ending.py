"""How a process is told to end, and that it does: whatever it hangs in meanwhile, it says where, and ends."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from threading import Timer

from streams.cli.faults import innermost
from streams.cli.logging import last_word

#: Seconds that a process may take to end, where it does not say otherwise: more than all of its own waits together.
WITHIN = 120.0
#: Places that are told.
_TOLD = 8


def when_told_to_end(call: Callable[[], object], within: float = WITHIN) -> None:
    """Has SIGINT and SIGTERM call it in the running event loop, in place of ending the process.

    From the first signal on, the loop is `bound_to_end` within these seconds.
    """
    bound = bound_to_end(within)

    def told() -> None:
        bound()
        call()

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, told)


def bound_to_end(within: float, end: Callable[[int], object] = os._exit) -> Callable[[], None]:
    """A function to call once the running event loop is to end; only the first call counts.

    A loop that is not closed `within` seconds later hangs: a library may take a cancellation for something else, and
    wait for ever. Then `end` gets status 1, after a line that says what is being waited for.
    """
    loop = asyncio.get_running_loop()
    begun = False

    def over() -> None:
        if not loop.is_closed():
            last_word(f"has not ended within {within:g} s, and is at {', '.join(_places(loop))}: it ends now")
            end(1)

    def begin() -> None:
        nonlocal begun
        if not begun:
            begun = True
            # In a thread: the loop may be what hangs.
            limit = Timer(within, over)
            limit.daemon = True
            limit.start()

    return begin


def _places(loop: asyncio.AbstractEventLoop) -> list[str]:
    """Where the loop's tasks are, innermost in our own code: files and lines, never what is worked on."""
    found = {innermost([*_stack(task.get_coro())]) for task in asyncio.all_tasks(loop)}
    return sorted(found)[:_TOLD] or ["its end"]


def _stack(waiting: object) -> Iterator[tuple[str, int]]:
    """Files and lines of a coroutine and of what it awaits, the innermost last."""
    while (frame := getattr(waiting, "cr_frame", None)) is not None:
        yield frame.f_code.co_filename, frame.f_lineno
        waiting = getattr(waiting, "cr_await", None)
