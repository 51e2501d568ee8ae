"""The texts that are committed with offsets: what others have to know of them."""

from __future__ import annotations

from streams.engine.clock import Clock
from streams.engine.watermarks import IDLE

#: Of an offset that a task without any state begins at: somebody has put it there for that.
BEGIN = "begin"
_CATCHING_UP = "catching-up:"


def final_text(clock: Clock) -> str:
    """Of the marker partition of a task that is final."""
    return f"final:{clock.until}"


def catching_up_text(greatest: int, unsettled: int) -> str:
    """Of an input while the clock is held: how far it has come.

    `greatest`: its greatest event time; `unsettled`: entries that its task keeps.
    """
    return f"{_CATCHING_UP}{greatest}:{unsettled}"


def catching_up_of(text: str) -> tuple[int, int]:
    """What `catching_up_text` says; with any other text the input is of the present."""
    if not text.startswith(_CATCHING_UP):
        return IDLE, 0
    greatest, _, unsettled = text.removeprefix(_CATCHING_UP).partition(":")
    return int(greatest), int(unsettled)
