"""Metadata texts of committed offsets, by which other workers learn a task's progress."""

from __future__ import annotations

from streams.engine.clock import Clock
from streams.engine.processor import BEGINNING
from streams.engine.watermarks import IDLE

#: Marks an offset that was put there for a task without state to begin at.
BEGIN = "begin"
_CATCHING_UP = "catching-up:"


def final_text(clock: Clock) -> str:
    """For the marker partition of a task that is final."""
    return f"final:{clock.until}"


def catching_up_text(greatest: int, unsettled: int) -> str:
    """For an input while the clock is held: its progress.

    `greatest`: its greatest event time; `unsettled`: entries that its task keeps.
    """
    return f"{_CATCHING_UP}{greatest}:{unsettled}"


def catching_up_of(text: str) -> tuple[int, int]:
    """Decodes `catching_up_text`; any other text but `BEGIN` means that the input has reached the present."""
    if text == BEGIN:
        return BEGINNING, 0
    if not text.startswith(_CATCHING_UP):
        return IDLE, 0
    greatest, _, unsettled = text.removeprefix(_CATCHING_UP).partition(":")
    try:
        return int(greatest), int(unsettled)
    except ValueError:
        # Whoever may join the group may write any text there.
        return IDLE, 0
