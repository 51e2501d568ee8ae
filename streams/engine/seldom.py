"""Says the same thing seldom, however often there is reason to, and counts what it has left out."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from typing import Generic, TypeVar

What = TypeVar("What", bound=Hashable)

#: Seconds between two times.
PAUSE = 30.0


class Seldom(Generic[What]):
    """`now`: a clock in seconds; if it goes back, everything is due. How many things there are is up to the caller."""

    def __init__(self, now: Callable[[], float], pause: float = PAUSE) -> None:
        self._now = now
        self._pause = pause
        #: The last time, and how often it was left out since.
        self._said: dict[What, tuple[float, int]] = {}

    def due(self, what: What) -> int | None:
        """If it is to be said now, how often it was left out since the last time; None: it is left out, too."""
        now = self._now()
        said = self._said.get(what)
        if said is not None and 0 <= now - said[0] < self._pause:
            self._said[what] = said[0], said[1] + 1
            return None
        self._said[what] = now, 0
        return 0 if said is None else said[1]

    def overdue(self) -> Iterator[tuple[What, int]]:
        """What was left out for longer than the pause, and how often. Whoever asks is to say it: it counts as said."""
        now = self._now()
        for what, (last, left_out) in list(self._said.items()):
            if left_out and not 0 <= now - last < self._pause:
                self._said[what] = now, 0
                yield what, left_out
