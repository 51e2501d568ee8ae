"""A due-time index of keys alone: the moment at which a key is due is told by its state.

Keys lie in buckets of an hour, packed: a key that waits takes its own length and two bytes, and nothing is done for it
until its hour has come. Putting one in is O(1). The moment that a key's state tells is that of its earliest entry: what
has to be looked at sooner is put in again; what may wait longer keeps its moment, and is put in again when it comes
out. So pushing a deadline back costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from heapq import heappop, heappush

BUCKET = 3_600_000_000
#: Entries that are passed over between two pauses.
_STRIDE = 5_000


class DueKeys:
    """Keys by the hour in which they are due. `moment_of` tells when a key is due (microseconds), or None."""

    def __init__(self, moment_of: Callable[[bytes], int | None]) -> None:
        self._moment_of = moment_of
        self._buckets: dict[int, bytearray] = {}
        self._order: list[int] = []
        #: The hour that time is in: what of it has been looked at and is not due yet, and what has not been.
        self._number = -(1 << 62)
        self._current: list[tuple[int, bytes]] = []
        self._unread = bytearray()
        self._place = 0

    def put(self, moment: int, key: bytes) -> None:
        """`key` is due at `moment`, as its state says too before time goes on."""
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
        """Takes out what is due before that moment, in no order but that of the hours.

        Whoever takes a key moves its moment on, and puts it in again, before the next one. None is a pause: much has
        been looked at, and nothing was due. It may be left and begun again at any time.
        """
        while True:
            while self._current and self._current[0][0] < before:
                moment, key = heappop(self._current)
                if self._moment_of(key) == moment:
                    yield key
            yield from self._open(before)
            if self._current:
                if self._current[0][0] < before:
                    continue
                return
            if not self._order or self._order[0] * BUCKET >= before:
                return
            self._number = heappop(self._order)
            self._unread, self._place = self._buckets.pop(self._number), 0

    def _open(self, before: int) -> Iterator[bytes | None]:
        """Looks at the rest of the hour that time is in."""
        passed = 0
        while self._place < len(self._unread):
            start = self._place + 2
            self._place = start + int.from_bytes(self._unread[start - 2 : start])
            key = bytes(self._unread[start : self._place])
            moment = self._moment_of(key)
            if moment is None or moment // BUCKET != self._number:
                pass
            elif moment < before:
                yield key
                continue
            else:
                heappush(self._current, (moment, key))
            passed += 1
            if passed % _STRIDE == 0:
                yield None
        if self._unread:
            self._unread, self._place = bytearray(), 0
