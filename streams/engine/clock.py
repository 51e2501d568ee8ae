"""Clocks: what moves event time, above all once a partition has been read to its end."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

#: Gives the present in microseconds since the epoch.
Now = Callable[[], int]


def system_now() -> int:
    """The machine's clock, in microseconds since the epoch."""
    return time.time_ns() // 1000


class Mode(Enum):
    """The three ways in which event time moves."""

    WALL = "wall"
    STREAM = "stream"
    END = "end"


@dataclass(slots=True)
class Gate:
    """While closed, keeps a wall clock from moving event time; opened once."""

    open: bool = False


@dataclass(frozen=True, slots=True)
class Clock:
    """How event time moves; make one with `wall`, `catching_up`, `stream` or `end`.

    `until` is set for `end` alone: microseconds since the epoch.
    """

    mode: Mode
    until: int | None = None
    gate: Gate | None = None

    @property
    def held(self) -> bool:
        """Whether the gate still holds the clock."""
        return self.gate is not None and not self.gate.open

    @classmethod
    def wall(cls) -> Clock:
        """A partition read to its end follows the machine's clock, less the lateness."""
        return cls(Mode.WALL)

    @classmethod
    def catching_up(cls) -> Clock:
        """Like `wall`, but until its gate opens only events move a partition, and one without events holds all back."""
        return cls(Mode.WALL, gate=Gate())

    @classmethod
    def stream(cls) -> Clock:
        """Only events move event time; a partition that never had a record holds nothing back."""
        return cls(Mode.STREAM)

    @classmethod
    def end(cls, until: int) -> Clock:
        """A partition read to its end goes to `until` and is final; later events are left out."""
        return cls(Mode.END, until)
