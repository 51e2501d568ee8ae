"""A due-time index: which keys are to be looked at once time has passed a moment.

Entries lie in buckets of an hour; only the bucket that time is in is sorted. Putting one in is O(1), and time that
passes touches nothing that is not due, so waiting costs nothing however many wait. A key whose moment moved back keeps
its early entry: it is found not to be due then, and put in again.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heapify, heappop, heappush
from typing import Generic, TypeVar

Key = TypeVar("Key")

BUCKET = 3_600_000_000


class DueIndex(Generic[Key]):
    """Keys by the moment (microseconds) at which they are due."""

    def __init__(self) -> None:
        self._buckets: dict[int, list[tuple[int, int, Key]]] = {}
        self._order: list[int] = []
        self._current: list[tuple[int, int, Key]] = []
        self._current_bucket = -(1 << 62)
        self._count = 0

    def __len__(self) -> int:
        return len(self._current) + sum(len(bucket) for bucket in self._buckets.values())

    def put(self, moment: int, key: Key) -> None:
        """`key` is due at `moment`."""
        # The running number breaks ties, so that keys need no order.
        self._count += 1
        number = moment // BUCKET
        if number <= self._current_bucket:
            heappush(self._current, (moment, self._count, key))
            return
        bucket = self._buckets.get(number)
        if bucket is None:
            self._buckets[number] = [(moment, self._count, key)]
            heappush(self._order, number)
        else:
            bucket.append((moment, self._count, key))

    def pop(self, before: int) -> Iterator[tuple[int, Key]]:
        """Takes out, in order, what is due before that moment; what is put in meanwhile comes too, if it is due."""
        while True:
            while self._current and self._current[0][0] < before:
                moment, _, key = heappop(self._current)
                yield moment, key
            if self._current or not self._order or self._order[0] * BUCKET >= before:
                return
            self._current_bucket = heappop(self._order)
            self._current = self._buckets.pop(self._current_bucket)
            heapify(self._current)
