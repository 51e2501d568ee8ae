"""A due-time index that stores keys only: the due time of a key comes from its state.

Keys lie packed in buckets of an hour: a waiting key takes its own length and two bytes, and no work until its hour
comes. Insertion is O(1). A key that becomes due sooner is put in again. One that may wait longer keeps its entry, which
moves to the hour of its due time when its own hour comes: postponing a deadline costs nothing, and the due time in a
key's state is that of the state alone, whatever entries it has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from heapq import heappop, heappush
from typing import Protocol

BUCKET = 3_600_000_000
#: Entries examined between two pauses.
_STRIDE = 5_000


class DueIndex(Protocol):
    """Keys and when they are due."""

    @property
    def size(self) -> int:
        """Bytes that waiting keys take; those of the current hour that were examined are left out."""

    def put(self, moment: int, key: bytes, /) -> None:
        """`key` is due at `moment`, as its state says too before time goes on."""

    def pop(self, before: int, /) -> Iterator[bytes | None]:
        """Takes out the keys due before that moment, ordered by hour only.

        The caller updates each key's due time, and puts the key in again, before it takes the next. None is a pause:
        many entries were examined and none was due. The iteration may be abandoned and restarted at any time.
        """


class DueKeys:
    """Keys by the hour in which they are due; see `DueIndex`.

    `moment_of` tells when a key is due (microseconds), or None.
    """

    def __init__(self, moment_of: Callable[[bytes], int | None]) -> None:
        self._moment_of = moment_of
        self._buckets: dict[int, bytearray] = {}
        self._order: list[int] = []
        #: The current hour: entries examined and not due yet, and those not examined.
        self._number = -(1 << 62)
        self._current: list[tuple[int, bytes]] = []
        self._unread = bytearray()
        self._place = 0
        #: The keys examined in the current hour: of several entries that have met there, one is enough.
        self._seen: set[bytes] = set()

    @property
    def size(self) -> int:
        return sum(map(len, self._buckets.values())) + len(self._unread) - self._place

    def put(self, moment: int, key: bytes) -> None:
        number = moment // BUCKET
        if number <= self._number:
            heappush(self._current, (moment, key))
            return
        bucket = self._buckets.get(number)
        if bucket is None:
            bucket = self._buckets[number] = bytearray()
            heappush(self._order, number)
        bucket += len(key).to_bytes(2) + key

    def pop(self, before: int) -> Iterator[bytes | None]:
        while True:
            while self._current and self._current[0][0] < before:
                moment, key = heappop(self._current)
                now = self._moment_of(key)
                if now is None:
                    continue
                if now <= moment:
                    yield key
                else:
                    self.put(now, key)
            yield from self._open(before)
            if self._current:
                if self._current[0][0] < before:
                    continue
                return
            if not self._order or self._order[0] * BUCKET >= before:
                return
            self._number = heappop(self._order)
            self._unread, self._place = self._buckets.pop(self._number), 0
            self._seen.clear()

    def _open(self, before: int) -> Iterator[bytes | None]:
        """Examines the rest of the current hour."""
        passed = 0
        while self._place < len(self._unread):
            start = self._place + 2
            self._place = start + int.from_bytes(self._unread[start - 2 : start])
            key = bytes(self._unread[start : self._place])
            moment = None if key in self._seen else self._moment_of(key)
            if moment is not None:
                self._seen.add(key)
                if moment < before:
                    yield key
                    continue
                self.put(moment, key)
            passed += 1
            if passed % _STRIDE == 0:
                yield None
        if self._unread:
            self._unread, self._place = bytearray(), 0
            self._seen.clear()
