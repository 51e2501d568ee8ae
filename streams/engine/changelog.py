"""The changelog of one task as its state is restored from it, with the help of a copy on this machine."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable
from contextlib import aclosing
from typing import NamedTuple

import structlog

from streams.engine.log.interface import Log, TopicPartition, Transaction
from streams.engine.store.interface import CommittedTable, Copy, Origin, Store
from streams.engine.topology import TaskId

log = structlog.get_logger(__name__)

#: The first row of every changelog partition, never written again: what tells it from one of the same name.
BIRTH = b"b"
#: Seconds between two lines about how far a restore has got.
_TELL = 5.0


class Restored(NamedTuple):
    """The live rows, but for those of a table, how many were read of the log and of the copy, the changelog's end."""

    saved: dict[bytes, bytes]
    table: CommittedTable | None
    read: int
    copied: int
    end: int


class Changelog:
    """Reads the changelog of a task that this worker has the right to write for, and keeps the copy up to date."""

    def __init__(self, log: Log, store: Store, task: TaskId, source: TopicPartition) -> None:
        self.source = source
        self._log = log
        self._store = store
        self._task = task
        self._copy: Copy | None = None
        self._table: CommittedTable | None = None
        self._new = False

    async def end(self) -> int:
        """The offset behind its last row."""
        return (await self._log.end_offsets([self.source]))[self.source]

    async def keep(self, end: int, table: CommittedTable | None) -> bool:
        """The state up to `end` is known already, with this table: the copy is of use if it has come as far.

        False: the table has lost what it is above.
        """
        self._new = False
        copy = self._copy = await asyncio.to_thread(self._store.open, self._task)
        behind = copy.end() != end
        if table is not None and (behind or not table.move(copy)):
            await self.close()
            return False
        self._table = table
        if behind:
            await asyncio.to_thread(copy.discard)
        return True

    async def restore(
        self, stopped: Callable[[], bool], told: Callable[[int, int], None], tabled: bytes | None = None
    ) -> Restored | None:
        """All live rows; None where it was stopped. `told` hears of rows read, and of offsets left to read.

        Rows of the prefix `tabled` are left in the copy where that can be: they are a table then.
        """
        end = await self.end()
        begin = (await self._log.begin_offsets([self.source]))[self.source]
        copy = self._copy = await asyncio.to_thread(self._store.open, self._task)
        origin = await self.origin(begin, end) if self._store.keeps else None
        start, saved = begin, dict[bytes, bytes]()
        if tabled is not None and (origin is not None or begin == end):
            self._table = copy.table(tabled)
        if self._table is None:
            tabled = None
        if origin is not None:
            start, saved = await asyncio.to_thread(copy.load, origin, begin, end, tabled)
        else:
            await asyncio.to_thread(copy.discard)
        copied, read, tell = len(saved), 0, time.monotonic() + _TELL
        live: dict[bytes, bytes | None] = {**saved}
        async for rows, position in self._log.rows(self.source, start, end):
            read += len(rows)
            live.update(rows if tabled is None else (row for row in rows if not row[0].startswith(tabled)))
            if origin is not None:
                await asyncio.to_thread(copy.add, rows)
            told(len(rows), max(end - position, 0))
            if time.monotonic() > tell:
                tell = time.monotonic() + _TELL
                log.info("restoring", task=str(self._task), rows=read, copied=copied, left=max(end - position, 0))
            if stopped():
                return None
        if origin is not None:
            await asyncio.to_thread(copy.hold, origin, end)
        self._new = not live
        return Restored({key: row for key, row in live.items() if row is not None}, self._table, read, copied, end)

    async def origin(self, begin: int, end: int) -> Origin | None:
        """Which changelog it is, by its first row; None where there is none yet, or it is not one of birth."""
        async with aclosing(self._log.rows(self.source, begin, end)) as batches:
            async for rows, _ in batches:
                for key, row in rows[:1]:
                    return await self._origin_of(row) if key == BIRTH and row is not None else None
        return None

    async def _origin_of(self, birth: bytes) -> Origin:
        return Origin(await self._log.identity(), *self.source, birth)

    def begin(self, transaction: Transaction) -> None:
        """Says in the first commit of a new changelog, before all other rows, that it begins here."""
        if self._new and transaction.rows:
            transaction.rows = {BIRTH: uuid.uuid4().bytes, **transaction.rows}
        if self._table is not None:
            self._table.collected()

    async def committed(self, transaction: Transaction, end: int | None) -> None:
        """The transaction is in the log; its rows go into the copy, with the offset behind them."""
        if self._copy is None or end is None:
            return
        if self._new and self._store.keeps:
            birth = transaction.rows[BIRTH] or b""
            await asyncio.to_thread(self._copy.add, [*transaction.rows.items()])
            await asyncio.to_thread(self._copy.hold, await self._origin_of(birth), end)
        else:
            await asyncio.to_thread(self._copy.write, transaction.rows, end)
        self._new = False
        if self._table is not None:
            self._table.committed()

    async def close(self) -> None:
        copy, self._copy = self._copy, None
        if copy is not None:
            await asyncio.to_thread(copy.close)
