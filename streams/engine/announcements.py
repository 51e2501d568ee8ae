"""Watermarks of a worker's tasks that one of them tells for all.

A task tells every task of a kind how far it is. If each did so by itself, the partitions that are written to, with a
transaction's marker in each, would be as many as the square of the tasks. So a watermark without records is handed over
here once its task has committed it, and the transaction of whichever task commits next tells all that has gathered.

That a watermark says what was sent, and committed, before it stays true whoever tells it and however late. It has a
number of its own task, so that whoever has heard later ones of it drops it. With the process it is lost: the task's row
says that it was told only afterwards, and a restored task tells it again.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from streams.engine.log.interface import TopicPartition
from streams.engine.processor import Horizon
from streams.engine.watermarks import Outgoing

#: Envelopes that one transaction tells at the most, of some sixty bytes each.
MOST = 5_000


class Announcement(NamedTuple):
    """What a task has to tell each of `targets` partitions of an edge's topic: the same envelope, of that number."""

    topic: str
    targets: int
    source: int
    number: int
    horizon: Horizon
    value: bytes
    outgoing: Outgoing

    def envelopes(self) -> Iterator[tuple[TopicPartition, bytes]]:
        return ((TopicPartition(self.topic, target), self.value) for target in range(self.targets))


class Announcements:
    """What the tasks of one worker have to tell, until it is told. Of one loop.

    After `wait` seconds the next commit takes what has gathered; somebody who listens is woken for it, each time
    another one. One transaction tells at a time: what comes meanwhile gathers.
    """

    def __init__(self, wait: float) -> None:
        self._wait = wait
        self._held: dict[tuple[str, int], Announcement] = {}
        self._speakers: deque[Callable[[], None]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._ripe = self._telling = False

    def listen(self, wake: Callable[[], None]) -> None:
        """`wake` is called when it is time for a commit."""
        self._speakers.append(wake)

    def leave(self, wake: Callable[[], None]) -> None:
        self._speakers.remove(wake)

    def add(self, made: Iterable[Announcement]) -> None:
        """Takes over what a task has committed to tell. Of one task the last one on each edge is enough."""
        for each in made:
            self._held[each.topic, each.source] = each
        self._arm()

    @contextmanager
    def telling(self) -> Iterator[Sequence[Announcement]]:
        """What a commit has to tell that takes place within. If that raises, another commit tells it."""
        taken = self._take()
        try:
            yield taken
        except BaseException:
            for each in taken:
                # Unless later ones have come.
                self._held.setdefault((each.topic, each.source), each)
            raise
        else:
            for each in taken:
                each.outgoing.heard(each.horizon, each.number)
        finally:
            if taken:
                self._telling = False
                self._arm()

    def _take(self) -> Sequence[Announcement]:
        if not self._ripe or self._telling:
            return ()
        taken: list[Announcement] = []
        room = MOST
        for key, each in [*self._held.items()]:
            if taken and each.targets > room:
                break
            room -= each.targets
            taken.append(self._held.pop(key))
        self._telling = bool(taken)
        self._ripe = False
        return taken

    def _arm(self) -> None:
        if self._held and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._wait, self._ripen)

    def _ripen(self) -> None:
        self._timer = None
        self._ripe = bool(self._held)
        if self._speakers and not self._telling:
            self._speakers[0]()
            self._speakers.rotate(-1)
        # Whoever was woken may not be able to commit.
        self._arm()

    def close(self) -> None:
        """Wakes nobody any more."""
        self._held.clear()
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
