"""A worker that is far behind, over a log whose commits are slow, holds a bounded number of records at any time."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from random import Random
from typing import Any

from streams.engine.errors import LostMemberError
from streams.engine.log.interface import Assignor, Fetched, Listener, Member, TopicPartition, Transaction, Writer
from streams.engine.log.memory import MemoryLog
from streams.engine.runner import Factory
from streams.engine.runtime import Cadence
from tests.patience import PATIENCE
from tests.unit.engine.embedding import append_all, assemble, embedded, results
from tests.unit.engine.history import UNTIL, arrival, history
from tests.unit.engine.naive import naive

#: Records of a transaction, and of a batch.
EVENTS, BATCH = 100, 20
EXTERNAL = {"orders", "calls", "scans"}


class Through:
    """Passes on what it does not have itself."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class WatchedLog(MemoryLog):
    """Commits slowly, and watches how much has been fetched and not been committed, by partition."""

    def __init__(self) -> None:
        super().__init__()
        self.committed_to: Counter[TopicPartition] = Counter()
        self.most = 0
        self.largest = 0

    async def writer(self, transactional_id: str, group: str) -> Writer:
        log = self

        class Slow(Through):
            async def commit(self, transaction: Transaction) -> int | None:
                moved = {
                    source: each.offset - log.committed_to[source]
                    for source, each in transaction.offsets.items()
                    if source.topic in EXTERNAL
                }
                log.largest = max(log.largest, sum(moved.values()))
                # Time in which whatever is not held back would go on.
                for _ in range(100):
                    await asyncio.sleep(0)
                end: int | None = await self._inner.commit(transaction)
                log.committed_to.update(moved)
                return end

        return Slow(await super().writer(transactional_id, group))

    async def join(
        self, group: str, topics: Collection[str], listener: Listener, assignor: Assignor | None = None
    ) -> Member:
        log = self

        class Watched(Through):
            async def fetch(self, sources: Collection[TopicPartition], records: int, seconds: float) -> Sequence[Any]:
                fetched: Sequence[Fetched] = await self._inner.fetch(sources, records, seconds)
                for each in fetched:
                    if each.source.topic not in EXTERNAL:
                        continue
                    log.most = max(log.most, each.next - log.committed_to[each.source])
                return fetched

        return Watched(await super().join(group, topics, listener, assignor))


async def passes_in_bounds(assemble: Callable[[Mapping[str, int]], Factory], **cadence: int) -> None:
    """A transaction of `EVENTS` is full: what is under way is bounded however much there is to read."""
    random = Random(11)
    events = history(random, size=6000)
    log = WatchedLog()
    worker = embedded(
        {"desk": 1, "road": 1}, log, once=True, fetch_records=BATCH, cadence=Cadence(seconds=0.2, **cadence),
        assemble=assemble,
    )  # fmt: skip
    append_all(worker, arrival(random, events))
    async with worker, asyncio.timeout(PATIENCE):
        assert await worker.finished() == 0
    assert results(worker) == naive(events, UNTIL)
    # A transaction that is being committed, one that is being gathered, each over by a batch; two batches before them.
    assert 0 < log.largest <= EVENTS + BATCH
    assert 0 < log.most <= 2 * (EVENTS + BATCH) + 2 * BATCH


async def test_what_is_under_way_is_bounded_by_its_records() -> None:
    await passes_in_bounds(assemble, events=EVENTS)


class Laden(Through):
    """A processor that hands over ten bytes for each record."""

    held = 0

    def events(self, name: str, partition: int, records: Sequence[Any], clock: Any) -> None:
        self._inner.events(name, partition, records, clock)
        self.held += 10 * len(records)

    def collect(self) -> Any:
        self.held = 0
        return self._inner.collect()


async def test_what_is_under_way_is_bounded_by_its_bytes_too() -> None:
    def laden(counts: Mapping[str, int]) -> Factory:
        make = assemble(counts)
        return lambda kind, partition: Laden(make(kind, partition))

    await passes_in_bounds(laden, bytes=10 * EVENTS)


class LosingLog(MemoryLog):
    """Its members are lost now and then."""

    def __init__(self, random: Random) -> None:
        super().__init__()
        self.random = random
        self.lost = 0

    async def join(
        self, group: str, topics: Collection[str], listener: Listener, assignor: Assignor | None = None
    ) -> Member:
        log = self

        class Losing(Through):
            lost = False

            async def fetch(self, *arguments: Any) -> Sequence[Fetched]:
                if self.lost or log.random.random() < 0.02:
                    log.lost += not self.lost
                    self.lost = True
                    raise LostMemberError("the client has ended")
                found: Sequence[Fetched] = await self._inner.fetch(*arguments)
                return found

        return Losing(await super().join(group, topics, listener, assignor))


async def test_a_worker_whose_member_is_lost_joins_again_and_loses_nothing() -> None:
    random = Random(12)
    events = history(random, size=600)
    log = LosingLog(random)
    counts: Mapping[str, int] = {"desk": 2, "road": 2}
    worker = embedded(counts, log, once=True, fetch_records=3)
    append_all(worker, arrival(random, events))
    async with worker, asyncio.timeout(PATIENCE):
        assert await worker.finished() == 0
    assert results(worker) == naive(events, UNTIL)
    assert log.lost > 2
