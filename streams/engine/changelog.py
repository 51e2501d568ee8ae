"""The changelog of one task as its state is restored from it, with the help of a copy on this machine."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable
from typing import NamedTuple

import structlog

from streams.engine.log.interface import Log, TopicPartition, Transaction
from streams.engine.store.interface import Copy, Origin, Store
from streams.engine.topology import TaskId

log = structlog.get_logger(__name__)

#: The first row of every changelog partition, never written again: what tells it from one of the same name.
BIRTH = b"b"
#: Seconds between two lines about how far a restore has got.
_TELL = 5.0


class Restored(NamedTuple):
    """The live rows, how many were read of the log and of the copy."""

    saved: dict[bytes, bytes]
    read: int
    copied: int


class Changelog:
    """Reads the changelog of a task that this worker has the right to write for, and keeps the copy up to date."""

    def __init__(self, store: Log, copies: Store, task: TaskId, source: TopicPartition) -> None:
        self.source = source
        self._store = store
        self._copies = copies
        self._task = task
        self._copy: Copy | None = None
        self._born = False

    async def end(self) -> int:
        """The offset behind its last row."""
        return (await self._store.end_offsets([self.source]))[self.source]

    async def keep(self, end: int) -> None:
        """The state up to `end` is known already; the copy is of use if it has come as far."""
        self._born = True
        self._copy = await asyncio.to_thread(self._copies.open, self._task)
        if self._copy.end() != end:
            await asyncio.to_thread(self._copy.discard)

    async def restore(self, stopped: Callable[[], bool], told: Callable[[int, int], None]) -> Restored | None:
        """All live rows; None where it was stopped. `told` hears of rows read, and of offsets left to read."""
        end = await self.end()
        begin = (await self._store.begin_offsets([self.source]))[self.source]
        birth = await self._birth(begin, end)
        self._born = birth is not None
        origin = Origin(await self._store.identity(), *self.source, birth or b"")
        copy = self._copy = await asyncio.to_thread(self._copies.open, self._task)
        position, saved = begin, dict[bytes, bytes]()
        if birth is not None:
            position, saved = await asyncio.to_thread(copy.load, origin, begin, end)
        copied, read, tell = len(saved), 0, time.monotonic() + _TELL
        live: dict[bytes, bytes | None] = {**saved}
        async for rows, position in self._store.rows(self.source, position, end):
            read += len(rows)
            live.update(rows)
            if birth is not None:
                await asyncio.to_thread(copy.add, rows)
            told(len(rows), max(end - position, 0))
            if time.monotonic() > tell:
                tell = time.monotonic() + _TELL
                log.info("restoring", task=str(self._task), rows=read, copied=copied, left=max(end - position, 0))
            if stopped():
                return None
        if birth is not None:
            await asyncio.to_thread(copy.hold, origin, end)
        return Restored({key: row for key, row in live.items() if row is not None}, read, copied)

    async def _birth(self, begin: int, end: int) -> bytes | None:
        """What the first record says, where it is one of birth; it is looked for only where a copy may be of use."""
        async for rows, _ in self._store.rows(self.source, begin, min(begin + 1, end)):
            for key, row in rows[:1]:
                return row if key == BIRTH else None
        return None

    def begin(self, transaction: Transaction) -> None:
        """Says in the first commit of a new changelog, before all other rows, that it begins here."""
        if not self._born and transaction.rows:
            transaction.rows = {BIRTH: uuid.uuid4().bytes, **transaction.rows}
            self._born = True

    async def committed(self, transaction: Transaction, end: int | None) -> None:
        """The transaction is in the log; its rows go into the copy, with the offset behind them."""
        if self._copy is not None and end is not None:
            await asyncio.to_thread(self._copy.write, transaction.rows, end)

    async def close(self) -> None:
        copy, self._copy = self._copy, None
        if copy is not None:
            await asyncio.to_thread(copy.close)
