"""The changelog of one task: restores its state, starting from a local copy if there is one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from itertools import islice
from typing import NamedTuple

import structlog

from streams.engine.changelog_head import HEAD, INPUTS, check_head, inputs_of, inputs_row, new_head
from streams.engine.errors import FatalError
from streams.engine.log.interface import Log, TopicPartition, Transaction
from streams.engine.store.interface import CommittedTable, Copy, Origin, Row, Store
from streams.engine.topology import TaskId, Topology

log = structlog.get_logger(__name__)

#: Seconds between two progress lines of a restore.
_TELL = 5.0


class Restored(NamedTuple):
    """Live rows except the table's, the numbers of rows read from the log and the copy, the changelog's end."""

    saved: dict[bytes, bytes]
    table: CommittedTable | None
    read: int
    copied: int
    end: int


class Changelog:
    """Reads the changelog of a task that this worker owns the writer of, and keeps the copy up to date."""

    def __init__(self, log: Log, store: Store, topology: Topology, task: TaskId) -> None:
        self.source = TopicPartition(topology.changelog(task.kind), task.partition)
        #: Ids of the topics that the state was built from; written when they differ from those in the changelog.
        self.inputs: Mapping[str, bytes] = {}
        self._written: Mapping[str, bytes] = {}
        self._topology = topology
        self._log = log
        self._store = store
        self._task = task
        self._copy: Copy | None = None
        self._table: CommittedTable | None = None
        self._new = False

    async def end(self) -> int:
        """The changelog's end offset."""
        return (await self._log.end_offsets([self.source]))[self.source]

    async def keep(self, end: int, table: CommittedTable | None, inputs: Mapping[str, bytes]) -> bool:
        """Reuses state that is already known up to `end`, with its table; discards the copy if that ends elsewhere.

        `inputs`: ids of the topics that the state was built from. False: the table has lost the copy beneath it.
        """
        self._new = False
        self.inputs = self._written = inputs
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
        """All live rows; None if stopped. `told` is called with the rows read and the offsets left to read.

        Rows of the prefix `tabled` stay in the copy, as a table, if the store can hold them. Raises `FatalError` if
        the changelog has lost rows, or is not this task's.
        """
        end = await self.end()
        begin = (await self._log.begin_offsets([self.source]))[self.source]
        if begin > 0:
            raise FatalError(
                f"changelog {self.source.topic}-{self.source.partition} has lost its rows before offset {begin}, and "
                "the state with them: its cleanup.policy must be compact alone; begin anew with parcelwatch reset"
            )
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
        live: dict[bytes, bytes] = saved
        async for rows, position in self._log.rows(self.source, start, end):
            read += len(rows)
            _take(live, rows if tabled is None else _besides(rows, tabled))
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
        application, kind = self._topology.app_id, self._task.kind
        self._new = not check_head(self.source, live, application, kind, self._topology.counts[kind])
        self.inputs = self._written = inputs_of(live)
        return Restored(live, self._table, read, copied, end)

    async def origin(self, begin: int, end: int) -> Origin | None:
        """Identifies the changelog by its first row; None if there is none yet, or it is not a head."""
        async with aclosing(self._log.rows(self.source, begin, end)) as batches:
            async for rows, _ in batches:
                for key, row in islice(rows, 1):
                    return await self._origin_of(row) if key == HEAD and row is not None else None
        return None

    async def _origin_of(self, head: bytes) -> Origin:
        return Origin(await self._log.identity(), *self.source, head)

    def begin(self, transaction: Transaction) -> None:
        """Adds the changelog's own rows: its head, first in its first commit, and the ids of its inputs."""
        if self._new and transaction.rows:
            kind = self._task.kind
            head = new_head(self._topology.app_id, kind, self.source.partition, self._topology.counts[kind])
            transaction.rows = {HEAD: head, **transaction.rows}
        if transaction.rows and (self._new or self.inputs != self._written):
            transaction.rows[INPUTS] = inputs_row(self.inputs)
        if self._table is not None:
            self._table.collected()

    async def committed(self, transaction: Transaction, end: int | None) -> None:
        """Writes the rows of a committed transaction to the copy, with the offset `end` after them."""
        self._written = self.inputs
        if self._copy is None or end is None:
            return
        if self._new and self._store.keeps:
            head = transaction.rows[HEAD] or b""
            await asyncio.to_thread(self._copy.add, [*transaction.rows.items()])
            await asyncio.to_thread(self._copy.hold, await self._origin_of(head), end)
        else:
            await asyncio.to_thread(self._copy.write, transaction.rows, end)
        self._new = False
        if self._table is not None:
            self._table.committed()

    async def close(self) -> None:
        copy, self._copy = self._copy, None
        if copy is not None:
            await asyncio.to_thread(copy.close)


def _besides(rows: Sequence[Row], prefix: bytes) -> Sequence[Row]:
    """Those whose keys do not begin so."""
    if isinstance(rows, list):
        return [row for row in rows if not row[0].startswith(prefix)]
    # Rows that lie in their batches tell it without making an object of each.
    found: Sequence[Row] = rows.besides(prefix)  # type: ignore[attr-defined]
    return found


def _take(live: dict[bytes, bytes], rows: Sequence[tuple[bytes, bytes | None]]) -> None:
    """Takes rows in order. A tombstone leaves nothing: of all keys that there have been, few are alive."""
    for key, row in rows:
        if row is None:
            live.pop(key, None)
        else:
            live[key] = row
