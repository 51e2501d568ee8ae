"""What waits for each channel, by time, and how much each was sent of late."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from heapq import heappop, heappush

from streams.notify.alert import EpisodeKey

#: The most messages a minute that can be asked for.
MOST = 1_000
#: The most alerts of one message, which has to fit into a row of the state; more are another message.
TOGETHER = 200
#: Whether what was queued for a channel, with its order and time, still holds.
Holds = Callable[[str, EpisodeKey, int, int], bool]


class Queues:
    """One queue for each channel. What no longer holds is skipped, not removed."""

    def __init__(self) -> None:
        self._heaps: dict[str, list[tuple[int, int, EpisodeKey]]] = {}
        self._sent: dict[str, deque[int]] = {}

    def channels(self) -> set[str]:
        return set(self._heaps)

    def put(self, channel: str, due: int, order: int, key: EpisodeKey) -> None:
        heappush(self._heaps.setdefault(channel, []), (due, order, key))

    def due(self, channel: str, holds: Holds) -> int | None:
        """The earliest time at which something is due."""
        heap = self._heaps.get(channel, [])
        while heap and not holds(channel, heap[0][2], heap[0][1], heap[0][0]):
            heappop(heap)
        return heap[0][0] if heap else None

    def pop(self, channel: str, now: int, holds: Holds) -> EpisodeKey | None:
        """Takes out what is due first."""
        at = self.due(channel, holds)
        return heappop(self._heaps[channel])[2] if at is not None and at <= now else None

    def pop_all(self, channel: str, now: int, holds: Holds, belongs: Callable[[EpisodeKey], bool]) -> list[EpisodeKey]:
        """Takes out what is due and belongs together, `TOGETHER` at the most."""
        found: list[EpisodeKey] = []
        others: list[tuple[int, int, EpisodeKey]] = []
        while len(found) < TOGETHER and (at := self.due(channel, holds)) is not None and at <= now:
            entry = heappop(self._heaps[channel])
            if belongs(entry[2]):
                if entry[2] not in found:
                    found.append(entry[2])
            else:
                others.append(entry)
        for entry in others:
            heappush(self._heaps[channel], entry)
        return found

    def sent(self, channel: str, now: int) -> None:
        """A message is being sent."""
        self._sent.setdefault(channel, deque(maxlen=MOST)).append(now)

    def free_at(self, channel: str, most: int | None, span: int, now: int) -> int:
        """From when on fewer than `most` have been sent within the span."""
        sent = self._sent.get(channel)
        if not sent or most is None:
            return now
        while len(sent) > most:
            sent.popleft()
        return max(now, sent[0] + span) if len(sent) >= most else now
