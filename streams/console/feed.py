"""Keeps the store up to date: reads the topics for as long as the console runs, and tells who waits for a change."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from schemas.events import SCANS
from schemas.topics import ALERTS, DEAD_LETTERS, TopicNames
from streams.console.reader import Reader, Wanted
from streams.console.store import CATEGORY_BASELINES, HELP_RATES, Store
from streams.engine.errors import LogError, RefusedError

log = structlog.get_logger(__name__)

#: What is read from its beginning.
OUTPUTS_READ = (*ALERTS.values(), HELP_RATES, CATEGORY_BASELINES, *DEAD_LETTERS.values())
#: Seconds to wait for records, before another try, and between two looks for topics that did not exist.
_WAIT, _AGAIN, _LOOK = 0.5, 2.0, 5.0


@dataclass(slots=True)
class Standing:
    """How the reading stands. `caught_up`: everything that was in the topics at the start has been read."""

    caught_up: bool = False
    missing: tuple[str, ...] = ()
    error: str = ""


class Feed:
    """Reads into the store. `last_scans`: how many scans to begin with, for the carriers' hours."""

    def __init__(self, store: Store, reader: Callable[[], Reader], topics: TopicNames, last_scans: int) -> None:
        self.store = store
        self.standing = Standing()
        #: Grows with everything that may change a page.
        self.revision = 0
        self._open = reader
        self._names = {topics[name]: name for name in (*OUTPUTS_READ, SCANS)}
        self._wanted = [Wanted(topics[name]) for name in OUTPUTS_READ]
        if last_scans:
            self._wanted.append(Wanted(topics[SCANS], last_scans))
        self._changed = asyncio.Event()

    async def run(self) -> None:
        """Until it is cancelled. Trouble with the log is logged once, shown on every page, and tried again."""
        while True:
            reader = self._open()
            try:
                await self._follow(reader)
            except (LogError, RefusedError) as error:
                if self.standing.error != str(error):
                    log.warning("the outputs cannot be read", error=str(error))
                    self.standing.error = str(error)
                    self.tell()
                await asyncio.sleep(_AGAIN)
            finally:
                await reader.close()

    async def changed(self, seconds: float) -> None:
        """Returns once something has changed, but after `seconds` at the latest."""
        event = self._changed
        try:
            await asyncio.wait_for(event.wait(), seconds)
        except TimeoutError:
            return

    async def _follow(self, reader: Reader) -> None:
        """Reads until a topic that was missing exists: then all is read again, and rows are put by their keys."""
        found = await reader.open(self._wanted)
        missing = tuple(one.topic for one in self._wanted if one.topic not in found)
        if self.standing.missing != missing or self.standing.error:
            self.standing.missing, self.standing.error = missing, ""
            self.tell()
        loop = asyncio.get_running_loop()
        look = loop.time() + _LOOK
        self.store.database.execute("DELETE FROM scans")
        while True:
            if missing and loop.time() > look:
                if await reader.existing(missing):
                    return
                look = loop.time() + _LOOK
            fetched = await reader.read(_WAIT)
            for each in fetched:
                self.store.put(self._names[each.source.topic], each.source, each.records)
                await asyncio.sleep(0)
            if fetched:
                self.tell()
            if not self.standing.caught_up and await reader.behind() == 0:
                self.standing.caught_up = True
                self.tell()

    def tell(self) -> None:
        """Wakes whoever waits for a change."""
        self.revision += 1
        self._changed.set()
        self._changed = asyncio.Event()
