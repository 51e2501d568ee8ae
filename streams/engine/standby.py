"""Standbys: follow the changelogs of other workers' tasks, so that the tasks can be taken over warm.

A standby reads committed rows and writes nothing to the log. It keeps an ordinary copy in the store, with its origin
and offset: a takeover checks both, as with any copy, and reads the rest.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Protocol

import structlog

from streams.engine.changelog import Changelog
from streams.engine.errors import FatalError, LogError
from streams.engine.log.interface import Log, Rows, Tail, TopicPartition
from streams.engine.placement import NEAR
from streams.engine.store.interface import Copy, Store
from streams.engine.topology import TaskId, Topology

log = structlog.get_logger(__name__)

#: Most rows taken per second: a worker's own tasks come first.
_RATE = 100_000
#: Seconds to wait for rows, between requests for the changelogs' end offsets, and after a log error.
_WAIT, _LOOK, _RETRY = 0.5, 1.0, 1.0


class Watcher(Protocol):
    """Observes standbys."""

    def followed(self, task: TaskId, rows: int, left: int) -> None:
        """`rows` have been read; `left` offsets remain."""

    def unfollowed(self, task: TaskId) -> None: ...


@dataclass(slots=True, eq=False)
class _Standby:
    """One followed changelog. `position`: None until the first offset is known."""

    task: TaskId
    changelog: Changelog
    copy: Copy
    position: int | None = None
    end: int | None = None

    @property
    def left(self) -> int | None:
        return None if self.end is None or self.position is None else max(self.end - self.position, 0)


class Standbys:
    """All standbys of one worker. `busy` tells whether it is restoring its own tasks, which nothing must slow down.

    `warm` is called once per `hold`, when all the warming standbys have caught up.
    """

    def __init__(
        self,
        topology: Topology,
        log: Log,
        store: Store,
        watcher: Watcher,
        busy: Callable[[], bool],
        warm: Callable[[], None],
        rate: int = _RATE,
    ) -> None:
        self._topology = topology
        self._log = log
        self._store = store
        self._watcher = watcher
        self._busy = busy
        self._warm = warm
        self._rate = rate
        self._followed: dict[TopicPartition, _Standby] = {}
        self._warming: frozenset[TaskId] = frozenset()
        #: When the end offsets were last requested.
        self._looked = 0.0
        # Held while a copy is in use, so that it is not closed meanwhile.
        self._using = asyncio.Lock()
        self._life: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def held(self) -> dict[TaskId, int]:
        """The followed tasks, with the offsets reached."""
        return {each.task: -1 if each.position is None else each.position for each in self._followed.values()}

    @property
    def left(self) -> dict[TaskId, int]:
        """The followed tasks, with the offsets left to read; -1 while that is not known."""
        return {each.task: -1 if each.left is None else each.left for each in self._followed.values()}

    async def hold(self, tasks: Collection[TaskId], warming: Collection[TaskId], own: Collection[TaskId]) -> None:
        """Follows exactly these from now on. Copies of the worker's `own` tasks stay in the store for them."""
        followed = () if self._closed else tasks
        wanted = {TopicPartition(self._topology.changelog(task.kind), task.partition): task for task in followed}
        async with self._using:
            for source in self._followed.keys() - wanted.keys():
                standby = self._followed.pop(source)
                await asyncio.to_thread(standby.copy.close)
                self._watcher.unfollowed(standby.task)
                if standby.task not in own:
                    self._store.forget(standby.task)
            for source in wanted.keys() - self._followed.keys():
                task = wanted[source]
                copy = await asyncio.to_thread(self._store.follow, task)
                changelog = Changelog(self._log, self._store, self._topology, task)
                self._followed[source] = _Standby(task, changelog, copy)
        self._warming = frozenset(warming)
        self._looked = 0.0
        if self._followed and self._life is None:
            self._life = asyncio.create_task(self._live(), name="standbys")

    async def close(self) -> None:
        """Stops all standbys permanently. Never raises."""
        self._closed = True
        if self._life is not None:
            self._life.cancel()
            await asyncio.wait([self._life])
        await self.hold((), (), ())

    # -- following

    async def _live(self) -> None:
        while True:
            tail: Tail | None = None
            try:
                tail = await self._log.tail()
                await self._follow(tail)
            except (LogError, FatalError) as error:
                log.warning("standbys start over", error=str(error))
            except Exception as error:  # the worker's own tasks do not need them
                log.warning("standbys start over", error=type(error).__name__)
            finally:
                if tail is not None:
                    await tail.close()
            # Ask for every position again: an offset may no longer be in its changelog.
            for standby in self._followed.values():
                standby.position = None
            await asyncio.sleep(_RETRY)

    async def _follow(self, tail: Tail) -> None:
        reading: dict[TopicPartition, _Standby] = {}
        while True:
            if self._busy():
                await asyncio.sleep(_WAIT)
                continue
            if time.monotonic() > self._looked + _LOOK:
                self._looked = time.monotonic()
                await self._look()
            known = {source: each for source, each in self._followed.items() if each.position is not None}
            if known != reading:
                reading = known
                tail.follow({source: each.position or 0 for source, each in known.items()})
            began = time.monotonic()
            taken = 0
            for source, rows in await tail.read(_WAIT):
                taken += len(rows.rows)
                await self._take(source, reading[source], rows)
            self._tell_if_warm()
            # The time spent reading counts too.
            await asyncio.sleep(max(taken / self._rate - (time.monotonic() - began), 0))

    async def _take(self, source: TopicPartition, standby: _Standby, rows: Rows) -> None:
        async with self._using:
            if self._followed.get(source) is not standby:
                return  # it has been let go of since
            await asyncio.to_thread(standby.copy.write, dict(rows.rows), rows.next)
            standby.position = rows.next
        self._watcher.followed(standby.task, len(rows.rows), standby.left or 0)

    async def _look(self) -> None:
        """Requests the changelogs' end offsets; new standbys begin where their copy ends."""
        sources = [*self._followed]
        if not sources:
            return
        begins = await self._log.begin_offsets(sources)
        for source, end in (await self._log.end_offsets(sources)).items():
            standby = self._followed.get(source)
            if standby is None:
                continue
            standby.end = end
            if standby.position is None:
                await self._begin(source, standby, begins[source], end)
            if standby.left is not None:
                self._watcher.followed(standby.task, 0, standby.left)

    async def _begin(self, source: TopicPartition, standby: _Standby, begin: int, end: int) -> None:
        origin = await standby.changelog.origin(begin, end)
        if origin is None:
            return  # nothing has been committed yet
        async with self._using:
            if self._followed.get(source) is not standby:
                return
            position = await asyncio.to_thread(standby.copy.resume, origin, begin, end)
            await asyncio.to_thread(standby.copy.hold, origin, position)
            if standby.copy.end() == position:
                standby.position = position
                log.info("following", task=str(standby.task), left=end - position)
            else:
                del self._followed[source]  # there is no place where it could be kept: the store has said why

    def _tell_if_warm(self) -> None:
        if not self._warming:
            return
        warming = [each for each in self._followed.values() if each.task in self._warming]
        if all(each.left is not None and each.left < NEAR // 2 for each in warming):
            self._warming = frozenset()
            log.info("standbys have caught up")
            self._warm()
