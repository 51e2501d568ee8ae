"""The worker in memory: Faust's agents, runners and transactions on the toy dataflow, with faults of the log."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping
from random import Random

import pytest

from streams.engine.changelog_head import HEAD, new_head
from streams.engine.clock import Clock
from streams.engine.errors import LogError
from streams.engine.log.interface import Assignor, Listener, Member, Rows, TopicPartition, Transaction, Writer
from streams.engine.log.memory import MemoryLog
from streams.engine.processor import Record
from streams.engine.task import Task
from streams.engine.topology import TaskId
from streams.worker import Embedded
from tests.patience import PATIENCE
from tests.unit.engine.embedding import CLOCK, append_all, assemble, embedded, results, until
from tests.unit.engine.history import T0, UNTIL, arrival, history
from tests.unit.engine.naive import naive
from tests.unit.engine.simulator import topology_of
from tests.unit.engine.toy import DATAFLOW, HOUR, RESULTS, pack, processor, unpack


@pytest.mark.parametrize("counts", [{"desk": 1, "road": 1}, {"desk": 4, "road": 3}], ids=str)
async def test_a_worker_told_to_end_finds_what_one_reader_finds(counts: dict[str, int]) -> None:
    random = Random(1)
    events = history(random, size=300)
    worker = embedded(counts, once=True)
    append_all(worker, arrival(random, events))
    async with worker, asyncio.timeout(PATIENCE):
        assert await worker.finished() == 0
    assert results(worker) == naive(events, UNTIL)


class FlakyWriter:
    """Fails now and then: before a commit, or behind it, when its answer is lost."""

    def __init__(self, inner: Writer, random: Random, failures: Counter[str]) -> None:
        self._inner = inner
        self._random = random
        self._failures = failures

    async def resume(self, changelog: TopicPartition, saved: Mapping[bytes, bytes]) -> None:
        await self._inner.resume(changelog, saved)

    async def commit(self, transaction: Transaction) -> int | None:
        chance = self._random.random()
        if chance < 0.25:
            self._failures["before"] += 1
            raise LogError("lost before")
        end = await self._inner.commit(transaction)
        if chance < 0.5:
            self._failures["behind"] += 1
            raise LogError("answer lost")
        return end

    async def close(self) -> None:
        await self._inner.close()


class FlakyLog(MemoryLog):
    """A log in memory of which every second commit fails."""

    def __init__(self, random: Random) -> None:
        super().__init__()
        self.random = random
        self.failures: Counter[str] = Counter()

    async def writer(self, transactional_id: str, group: str) -> Writer:
        return FlakyWriter(await super().writer(transactional_id, group), self.random, self.failures)


async def test_commits_that_fail_or_lose_their_answer_change_nothing() -> None:
    random = Random(2)
    events = history(random, size=300)
    log = FlakyLog(random)
    worker = embedded({"desk": 3, "road": 2}, log, once=True, fetch_records=5)
    append_all(worker, arrival(random, events))
    async with worker, asyncio.timeout(PATIENCE):
        assert await worker.finished() == 0
    assert results(worker) == naive(events, UNTIL)
    assert min(log.failures["before"], log.failures["behind"]) > 3


class OvertakenLog(MemoryLog):
    """Another worker takes `road-0` over, and commits for it, just behind the first reading of its changelog."""

    overtaken = False

    async def rows(self, source: TopicPartition, begin: int, end: int) -> AsyncGenerator[Rows, None]:
        async for rows in super().rows(source, begin, end):
            yield rows
        if source == ("toy-road-changelog", 0) and not self.overtaken:
            self.overtaken = True
            topology = topology_of({"desk": 1, "road": 1})
            other = Task(topology, TaskId("road", 0), processor("road", 0, topology.counts), CLOCK, lambda: 0, {})
            other.accept(self.read(TopicPartition("scans", 0), 0, 5))
            transaction = other.snapshot()
            assert transaction is not None
            transaction.rows = {HEAD: new_head("toy", "road", 0, 1), **transaction.rows}
            self.apply("toy-road-0", self.fence("toy-road-0"), "toy", transaction)


async def test_a_worker_overtaken_while_it_takes_a_task_over_goes_on_from_what_the_other_committed() -> None:
    random = Random(5)
    events = history(random, size=100)
    worker = embedded({"desk": 1, "road": 1}, OvertakenLog(), once=True)
    append_all(worker, arrival(random, events))
    async with worker, asyncio.timeout(PATIENCE):
        assert await worker.finished() == 0
    assert results(worker) == naive(events, UNTIL)


async def test_workers_that_come_and_go_share_the_work_and_lose_nothing() -> None:
    random = Random(3)
    counts = {"desk": 4, "road": 3}
    events = history(random, size=900)
    log = MemoryLog()
    first = embedded(counts, log, once=True, fetch_records=3)
    append_all(first, arrival(random, events))
    async with asyncio.timeout(PATIENCE), first:
        await some_results(first, 20)
        async with embedded(counts, log, once=True, fetch_records=3) as second:
            await has_tasks(second)
        async with embedded(counts, log, once=True, fetch_records=3) as third:
            assert await first.finished() == 0
            assert await third.finished() == 0
    assert results(first) == naive(events, UNTIL)


async def test_a_task_that_stays_in_a_rebalance_is_not_restored() -> None:
    log, counts = MemoryLog(), {"desk": 2, "road": 2}
    async with asyncio.timeout(PATIENCE), embedded(counts, log, clock=Clock.wall()) as first:
        await until(lambda: tasks(first) == 2)
        first.append("scans", b"p1", pack([T0, "scan", "p1"]))
        await until(lambda: restored(first) == 0 and first.log.end(TopicPartition("toy-desk-changelog", 0)) > 0)
        async with embedded(counts, log, clock=Clock.wall()) as second:
            await until(lambda: tasks(first) == 1 and tasks(second) == 1)
            assert restored(first) == 0
            assert restored(second) > 0
        await until(lambda: tasks(first) == 2)
        assert restored(first) > 0


async def test_a_task_kept_through_a_rebalance_is_restored_where_another_has_written() -> None:
    random = Random(6)
    counts = {"desk": 2, "road": 1}
    events = history(random, size=400)
    log = MemoryLog()
    early = {topic: listed[: len(listed) // 2] for topic, listed in arrival(random, events).items()}
    worker = embedded(counts, log, clock=Clock.end(UNTIL), fetch_records=2)
    append_all(worker, early)
    async with asyncio.timeout(PATIENCE), worker:
        await some_results(worker, 5)
        for _ in range(3):
            async with embedded(counts, log, fetch_records=2) as other:
                await until(lambda other=other: tasks(other) == 1)
        await until(lambda: tasks(worker) == 2)
    assert results(worker) <= naive(early, UNTIL)
    async with asyncio.timeout(PATIENCE), embedded(counts, log, once=True) as last:
        assert await last.finished() == 0
    assert results(worker) == naive(early, UNTIL)


class SlowlyRestoredLog(MemoryLog):
    """Its changelogs are read up to their first rows; the rest comes when it may `go` on."""

    def __init__(self) -> None:
        super().__init__()
        self.go = asyncio.Event()
        self.go.set()
        self.restoring = self.joined = 0

    async def rows(self, source: TopicPartition, begin: int, end: int) -> AsyncGenerator[Rows, None]:
        async for rows, position in super().rows(source, begin, end):
            yield Rows(rows[:1], begin)
            self.restoring += not self.go.is_set()
            await self.go.wait()
            yield Rows(rows, position)

    async def join(
        self, group: str, topics: Collection[str], listener: Listener, assignor: Assignor | None = None
    ) -> Member:
        self.joined += 1
        return await super().join(group, topics, listener, assignor)


async def test_a_rebalance_in_the_midst_of_a_restore_loses_nothing() -> None:
    random = Random(9)
    counts = {"desk": 2, "road": 2}
    events = history(random, size=400)
    log = SlowlyRestoredLog()
    worker = embedded(counts, log, clock=Clock.stream(), fetch_records=2)
    come = arrival(random, events)
    append_all(worker, {topic: listed[: len(listed) // 2] for topic, listed in come.items()})
    async with asyncio.timeout(PATIENCE), worker:
        await some_results(worker, 5)
    async with asyncio.timeout(PATIENCE):
        log.go.clear()
        log.joined = 0
        async with embedded(counts, log, clock=Clock.stream(), fetch_records=2) as first:
            await until(lambda: log.restoring == 4)
            # Another one comes while each task has a part of its rows, and goes again.
            async with embedded(counts, log, clock=Clock.stream(), fetch_records=2) as second:
                await until(lambda: log.joined == 2)
                log.go.set()
                await until(lambda: tasks(first) == tasks(second) == 1)
            await until(lambda: tasks(first) == 2)
    last = embedded(counts, log, once=True)
    append_all(last, {topic: listed[len(listed) // 2 :] for topic, listed in come.items()})
    async with asyncio.timeout(PATIENCE), last:
        assert await last.finished() == 0
    assert results(last) == naive(events, UNTIL)


def tasks(worker: Embedded) -> float | None:
    return worker.metrics.registry.get_sample_value("parcelwatch_tasks", {"kind": "desk"})


def restored(worker: Embedded) -> float | None:
    return worker.metrics.registry.get_sample_value("parcelwatch_restored_rows_total", {"kind": "desk"})


async def some_results(worker: Embedded, count: int) -> None:
    while len(worker.records(RESULTS)) < count:  # noqa: ASYNC110
        await asyncio.sleep(0.005)


async def has_tasks(worker: Embedded) -> None:
    await until(lambda: bool(tasks(worker)))


async def test_a_live_worker_finds_silences_by_the_clock() -> None:
    time = T0
    worker = embedded({"desk": 2, "road": 2}, clock=Clock.wall(), now=lambda: time)
    async with asyncio.timeout(PATIENCE), worker:
        worker.append("scans", b"p1", pack([T0, "scan", "p1"]))
        time = T0 + 24 * HOUR
        await asyncio.sleep(0.5)
        assert worker.records(RESULTS) == []
        time = T0 + 26 * HOUR + 1
        found = [unpack(record.value or b"") async for _, record in taken(worker, 2)]
    assert sorted(found) == [["depot", T0 + 24 * HOUR, "1", "p1", 1], ["silent", T0 + 24 * HOUR, "p1", 0]]


async def taken(worker: Embedded, count: int) -> AsyncIterator[tuple[int, Record]]:
    async for item in worker.subscribe(RESULTS):
        yield item
        count -= 1
        if not count:
            return


async def test_an_event_dated_ahead_of_the_clock_moves_no_watermark_past_it() -> None:
    worker = embedded({"desk": 1, "road": 1}, clock=Clock.wall(), now=lambda: T0)
    async with asyncio.timeout(PATIENCE), worker:
        worker.append("scans", b"p1", pack([T0, "scan", "p1"]))
        worker.append("scans", b"p2", pack([T0 + 90 * HOUR, "scan", "p2"]))
        await asyncio.sleep(0.5)
        assert worker.records(RESULTS) == []


async def test_a_worker_told_to_end_later_goes_on_from_the_first_end() -> None:
    random = Random(4)
    counts = {"desk": 2, "road": 2}
    events = history(random, size=200)
    early, late = UNTIL - 40 * HOUR, UNTIL
    log = MemoryLog()
    for end, low in ((early, 0), (late, early + 1)):
        worker = embedded(counts, log, clock=Clock.end(end), once=True)
        append_all(worker, {t: [e for e in listed if low <= e[0] <= end] for t, listed in events.items()})
        async with worker, asyncio.timeout(PATIENCE):
            assert await worker.finished() == 0
    assert results(worker) == naive(events, late)


async def test_a_fault_of_the_logic_ends_the_worker_with_status_one_and_one_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    worker = embedded({"desk": 1, "road": 1}, once=True)
    worker.append("scans", b"p1", b"secret that is no MessagePack")
    async with worker, asyncio.timeout(PATIENCE):
        assert await worker.finished() == 1
    line = capsys.readouterr().err
    assert line.startswith("parcelwatch: a fault in the program: DecodeError at ")
    assert line.count("\n") == 1
    assert "secret" not in line


async def test_other_partition_counts_than_at_the_first_start_end_the_worker_with_status_two(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log = MemoryLog()
    async with embedded({"desk": 1, "road": 1}, log, once=True) as worker, asyncio.timeout(PATIENCE):
        assert await worker.finished() == 0
    log.grow("scans", 2)
    async with embedded({"desk": 1, "road": 1}, log, once=True) as worker, asyncio.timeout(PATIENCE):
        assert await worker.finished() == 2
    line = capsys.readouterr().err
    assert "topic scans has 2 partitions, 1 are needed" in line
    assert line.count("\n") == 1


async def test_a_missing_topic_ends_the_worker_with_status_two(capsys: pytest.CaptureFixture[str]) -> None:
    async with Embedded(DATAFLOW, assemble, clock=Clock.wall(), topics={"orders": 1}) as worker:
        assert await worker.finished() == 2
    assert capsys.readouterr().err == "parcelwatch: topics do not exist: calls, scans\n"


async def test_once_without_an_end_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    async with embedded({"desk": 1, "road": 1}, clock=Clock.wall(), once=True) as worker:
        assert await worker.finished() == 2
    assert capsys.readouterr().err == "parcelwatch: once needs a clock with an end\n"


async def test_a_changelog_that_is_lost_while_offsets_remain_ends_the_worker(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log = MemoryLog()
    async with embedded({"desk": 1, "road": 1}, log, once=True) as worker, asyncio.timeout(PATIENCE):
        assert await worker.finished() == 0
    changelog = log._topics["toy-desk-changelog"][0]
    changelog.records, changelog.end = [], 0
    async with embedded({"desk": 1, "road": 1}, log, once=True) as worker, asyncio.timeout(PATIENCE):
        assert await worker.finished() == 2
    assert "toy-desk-changelog has lost partition 0" in capsys.readouterr().err
