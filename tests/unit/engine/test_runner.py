"""One task on a log in memory: taken over, stopped, kept, and taken over again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection

import pytest

from streams.engine.clock import Clock
from streams.engine.log.interface import TopicPartition
from streams.engine.log.memory import MemoryLog
from streams.engine.processor import Processor
from streams.engine.runner import Kept, Runner
from streams.engine.runtime import Cadence, TaskRuntime
from streams.engine.topology import TaskId
from streams.worker import Metrics
from tests.patience import PATIENCE
from tests.unit.engine.history import T0
from tests.unit.engine.simulator import log_of, topology_of
from tests.unit.engine.toy import HOUR, pack, processor

COUNTS = {"desk": 1, "road": 1}
SCANS = TopicPartition("scans", 0)


class Stage:
    """Runs `road-0` again and again, counting how often its processor is made."""

    def __init__(self) -> None:
        self.topology = topology_of(COUNTS)
        self.log: MemoryLog = log_of(self.topology)
        self.made = 0
        self.epoch = 0
        self.listens = True

    def factory(self, kind: str, partition: int) -> Processor:
        self.made += 1
        return processor(kind, partition, COUNTS)

    def seek(self, source: TopicPartition, offset: int, epoch: int) -> None:
        if self.listens:
            self.epoch = epoch

    def runner(self, seek: Callable[[TopicPartition, int, int], None], kept: Kept | None = None) -> Runner:
        runtime = TaskRuntime(log=self.log, clock=Clock.stream(), now=lambda: T0, cadence=Cadence(seconds=0.01))
        return Runner(runtime, self.topology, TaskId("road", 0), self.factory, seek, Metrics(), kept)

    async def run(self, kept: Kept | None, scans: int, behind: Callable[[], None] = lambda: None) -> Kept | None:
        """Takes the task over, reads all scans, stops, and returns what may be kept of it."""
        runner = self.runner(self.seek, kept)
        life = asyncio.create_task(runner.run())
        async with asyncio.timeout(PATIENCE):
            while runner.task is None:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
            position = runner.task.positions()[SCANS]
            for number in range(scans):
                self.log.append("scans", b"p1", pack([T0 + (position + number) * HOUR, "scan", "p1"]))
            taken = asyncio.Event()
            fetched = self.log.read(SCANS, position, 100)._replace(epoch=self.epoch)
            runner.put(fetched, taken.set)
            await taken.wait()
            behind()
            runner.stop()
            await life
        return runner.kept


async def test_a_task_is_had_back_as_it_was_while_nobody_has_written() -> None:
    stage = Stage()
    kept = await stage.run(None, 3)
    assert kept is not None
    again = await stage.run(kept, 2)
    assert again is not None
    assert again.task is kept.task
    assert again.task.positions()[SCANS] == 5
    assert stage.made == 1


async def test_a_kept_task_is_of_no_use_once_another_has_written() -> None:
    stage = Stage()
    kept = await stage.run(None, 3)
    await stage.run(None, 2)
    last = await stage.run(kept, 1)
    assert kept is not None
    assert last is not None
    assert last.task is not kept.task
    assert last.task.positions()[SCANS] == 6
    assert stage.made == 3


async def test_a_task_that_was_overtaken_is_not_kept() -> None:
    stage = Stage()
    assert await stage.run(None, 1, lambda: stage.log.fence("toy-road-0") and None) is None


async def test_a_new_task_that_is_stopped_before_its_first_commit_is_not_kept() -> None:
    stage = Stage()
    runner = stage.runner(lambda *_: runner.stop())
    await runner.run()
    assert stage.made == 1
    assert stage.log.end(TopicPartition("toy-road-changelog", 0)) == 0
    assert runner.kept is None


async def test_a_task_is_kept_without_a_commit_where_it_was_restored() -> None:
    stage = Stage()
    await stage.run(None, 3)
    runner = stage.runner(lambda *_: runner.stop())
    end = stage.log.end(TopicPartition("toy-road-changelog", 0))
    await runner.run()
    assert stage.log.end(TopicPartition("toy-road-changelog", 0)) == end
    assert runner.kept is not None
    assert runner.kept.end == end


async def test_a_batch_of_another_epoch_is_not_taken() -> None:
    stage = Stage()
    kept = await stage.run(None, 3)
    stage.listens = False
    again = await stage.run(kept, 2)
    assert again is not None
    assert again.task.positions()[SCANS] == 3


class Meanwhile(MemoryLog):
    """Something happens between a restore and the comparison of positions, once."""

    meanwhile: Callable[[], Awaitable[object]] | None = None

    async def begin_offsets(self, sources: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        if SCANS in sources and self.meanwhile is not None:
            meanwhile, self.meanwhile = self.meanwhile, None
            await meanwhile()
        return await super().begin_offsets(sources)


@pytest.mark.parametrize("had", [True, False])
async def test_what_another_has_read_and_trimmed_is_not_taken_for_lost(had: bool) -> None:
    """A worker that stood still while it took a task over restores it again; it does not end."""
    stage = Stage()
    stage.log = log = Meanwhile()
    for topic, partitions in (("orders", 1), ("calls", 1), ("scans", 1)):
        log.make(topic, partitions)
    for spec in stage.topology.specs():
        log.make(spec.topic, spec.partitions)
    kept = await stage.run(None, 3)

    async def another() -> None:
        await stage.run(None, 2)
        log.truncate(SCANS, 5)

    log.meanwhile = another
    runner = stage.runner(stage.seek, kept if had else None)
    life = asyncio.create_task(runner.run())
    async with asyncio.timeout(PATIENCE):
        while runner.task is None and not life.done():  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        assert runner.task is not None
        assert runner.task.positions()[SCANS] == 5
        assert runner.failures == 1
        runner.stop()
        await life
