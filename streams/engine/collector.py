"""Python's cycle collector, for processes whose state is large and holds no cycles."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock


def collect_seldom() -> None:
    """Makes collections rare for the rest of the process.

    The state is millions of small objects that live for days and are in no cycles; collections that walk them all,
    again and again, would cost a third of the time.
    """
    gc.freeze()
    gc.set_threshold(200_000, 50, 1_000)


def free_given_up() -> None:
    """Collects what has been given up, all of it.

    What a compiled object refers to shows as held from outside, until that object is gone itself: with the first time.
    """
    gc.collect()
    gc.collect()


class _Pauses:
    """How many blocks pause the collector now; several threads may build at once."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._count = 0
        self._ours = False

    def enter(self) -> None:
        with self._lock:
            if self._count == 0:
                # Re-enable only if we disabled it.
                self._ours = gc.isenabled()
                gc.disable()
            self._count += 1

    def leave(self) -> None:
        with self._lock:
            self._count -= 1
            if self._count == 0 and self._ours:
                gc.enable()


_pauses = _Pauses()


@contextmanager
def paused() -> Iterator[None]:
    """Pauses automatic collection while any such block runs.

    All that is built lives on, and to walk it again and again is waste: a third of the time that a task with 200,000
    shipments takes to build.
    """
    _pauses.enter()
    try:
        yield
    finally:
        _pauses.leave()
