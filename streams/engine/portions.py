"""Cuts work into portions of some milliseconds, between which an event loop may do something else."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import TypeVar

#: Portion size: maximum and initial. Seconds that one should take: at most and at least.
_MOST, _FIRST, _LONG, _SHORT = 128, 16, 0.05, 0.01

_T = TypeVar("_T")


class Portions:
    """Adapts the portion size to the time the last one took: the cost of an item varies by orders of magnitude."""

    def __init__(self) -> None:
        self._size = _FIRST
        self._began = 0.0

    def cut(self, items: Sequence[_T]) -> Iterator[Sequence[_T]]:
        """The items in order, cut into portions. The time from a portion to `done` is measured."""
        start = 0
        while start < len(items):
            portion = items[start : start + self._size]
            start += len(portion)
            self._began = time.perf_counter()
            yield portion

    def done(self) -> None:
        """The portion has been processed."""
        took = time.perf_counter() - self._began
        if took > _LONG:
            self._size = max(int(self._size * _LONG / took), 1)
        elif took < _SHORT:
            self._size = min(self._size * 2, _MOST)
