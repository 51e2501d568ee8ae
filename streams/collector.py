"""Python's garbage collector, for processes whose state is large and holds no cycles."""

from __future__ import annotations

import gc


def spare() -> None:
    """Collects seldom: the state is millions of small objects that live for days and are in no cycles, and collections
    that walk them all, again and again, would cost a third of the time.
    """
    gc.freeze()
    gc.set_threshold(200_000, 50, 1_000)
