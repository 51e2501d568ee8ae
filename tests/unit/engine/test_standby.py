"""Standbys follow what others commit, and whoever takes a task over reads only the rest."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from streams.engine.changelog_head import HEAD
from streams.engine.errors import LogError
from streams.engine.log.interface import Rows, Tail, TopicPartition
from streams.engine.log.memory import MemoryLog
from streams.engine.standby import Standbys
from streams.engine.store.interface import Store
from streams.engine.store.warm import WarmStore
from streams.engine.topology import TaskId
from tests.patience import PATIENCE
from tests.unit.engine.disk_stores import KINDS, made
from tests.unit.engine.road_stage import CHANGELOG, ROAD, Stage

DESK = TaskId("desk", 0)


class Watched:
    """What standbys tell."""

    def __init__(self) -> None:
        self.rows = 0
        self.left: dict[TaskId, int] = {}

    def followed(self, task: TaskId, rows: int, left: int) -> None:
        self.rows += rows
        self.left[task] = left

    def unfollowed(self, task: TaskId) -> None:
        self.left.pop(task, None)


class Follower:
    """Standbys of one worker, in a store of its own."""

    def __init__(self, stage: Stage, store: Store, rate: int = 1_000_000) -> None:
        self.stage = stage
        self.store = store
        self.watched = Watched()
        self.busy = False
        self.warm = 0
        self.standbys = Standbys(
            stage.topology, stage.log, store, self.watched, lambda: self.busy, self._count, rate=rate
        )

    def _count(self) -> None:
        self.warm += 1

    async def caught_up(self) -> None:
        await until(lambda: self.standbys.held.get(ROAD) == self.stage.log.end(CHANGELOG))


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


@asynccontextmanager
async def following(follower: Follower) -> AsyncIterator[None]:
    await follower.standbys.hold([ROAD], [], [])
    try:
        yield
    finally:
        await follower.standbys.close()


@pytest.fixture
def stage() -> Stage:
    """The worker that has the task."""
    return Stage(WarmStore)


@pytest.fixture(params=["memory", *KINDS])
def follower(request: pytest.FixtureRequest, tmp_path: Path, stage: Stage) -> Follower:
    return Follower(stage, WarmStore() if request.param == "memory" else made(request.param, tmp_path / "state"))


async def test_who_has_followed_takes_over_without_reading_anything(stage: Stage, follower: Follower) -> None:
    await stage.run(9)
    async with following(follower):
        await follower.caught_up()
        await stage.run(4)
        await follower.caught_up()
        await follower.standbys.hold([], [], [ROAD])
        await stage.run(3, store=follower.store)
        assert stage.read == 0


async def test_who_was_behind_reads_the_rest(stage: Stage, follower: Follower) -> None:
    await stage.run(9)
    async with following(follower):
        await follower.caught_up()
        before = stage.log.end(CHANGELOG)
        follower.busy = True
        await asyncio.sleep(0)
        await stage.run(4)
        await follower.standbys.hold([], [], [ROAD])
        missing = len(stage.log.read(CHANGELOG, before, 1000).records)
        await stage.run(0, store=follower.store)
        assert 0 <= stage.read <= missing


async def test_nothing_of_a_standby_is_written_to_the_log(stage: Stage, follower: Follower) -> None:
    await stage.run(9)
    specs = stage.topology.specs()

    def ends() -> list[int]:
        return [stage.log.end(TopicPartition(spec.topic, each)) for spec in specs for each in range(spec.partitions)]

    before = ends()
    async with following(follower):
        await follower.caught_up()
    assert ends() == before


async def test_a_changelog_that_begins_later_is_followed_from_its_beginning(stage: Stage, follower: Follower) -> None:
    async with following(follower):
        await asyncio.sleep(0)
        assert follower.standbys.held == {ROAD: -1}
        await stage.run(9)
        await follower.caught_up()


async def test_a_changelog_that_was_made_anew_is_not_mixed_with_the_former_one(
    stage: Stage, follower: Follower
) -> None:
    await stage.run(9)
    async with following(follower):
        await follower.caught_up()
    stage.anew()
    for _ in range(8):
        await stage.run(9)
    # The same store, as after a rebalance, and another log behind the same names.
    again = Follower(stage, follower.store)
    async with following(again):
        await again.caught_up()
        await again.standbys.hold([], [], [ROAD])
        await stage.run(2, store=again.store)
        assert stage.read == 0


async def test_a_changelog_that_has_lost_its_end_is_followed_anew(stage: Stage, follower: Follower) -> None:
    await stage.run(5)
    records = stage.log._topics[CHANGELOG.topic][0]
    cut = records.end
    await stage.run(4)
    async with following(follower):
        await follower.caught_up()
        records.records = [record for record in records.records if record.offset < cut]
        records.end, stage.scans = cut, 5
        stage.log._offsets.clear()
        await follower.caught_up()
        await follower.standbys.hold([], [], [ROAD])
        await stage.run(1, store=follower.store)


async def test_what_is_followed_no_longer_is_forgotten_in_memory(stage: Stage) -> None:
    store = WarmStore()
    follower = Follower(stage, store)
    await stage.run(9)
    async with following(follower):
        await follower.caught_up()
        assert follower.watched.left == {ROAD: 0}
        await follower.standbys.hold([DESK], [], [])
        assert follower.watched.left == {}
        assert not store._warm.keys() - {DESK}
        await stage.run(0, store=store)
        assert stage.read > 0


async def test_what_was_taken_over_is_let_go_of_with_the_first_commit(stage: Stage) -> None:
    store = WarmStore()
    follower = Follower(stage, store)
    await stage.run(9)
    async with following(follower):
        await follower.caught_up()
        await follower.standbys.hold([], [], [ROAD])
        await stage.run(1, store=store)
        assert stage.read == 0
        assert not store._warm


async def test_warming_up_is_told_once(stage: Stage) -> None:
    follower = Follower(stage, WarmStore())
    await stage.run(9)
    async with following(follower):
        await follower.standbys.hold([ROAD], [ROAD], [])
        await follower.caught_up()
        await until(lambda: follower.warm == 1)
        await stage.run(2)
        await follower.caught_up()
        assert follower.warm == 1


async def test_while_own_tasks_are_restored_nothing_is_followed(stage: Stage) -> None:
    follower = Follower(stage, WarmStore())
    follower.busy = True
    await stage.run(9)
    async with following(follower):
        await asyncio.sleep(0.05)
        assert follower.watched.rows == 0
        follower.busy = False
        await follower.caught_up()


async def test_no_more_rows_are_read_in_a_second_than_allowed(stage: Stage) -> None:
    for number in range(15_000):
        stage.log.append(CHANGELOG.topic, b"p%d" % number if number else HEAD, b"row", partition=0)
    follower = Follower(stage, WarmStore(), rate=100_000)
    began = asyncio.get_running_loop().time()
    async with following(follower):
        await follower.caught_up()
    # They come by thousands; behind the last of them it need not be waited.
    assert asyncio.get_running_loop().time() - began >= 0.14


class Torn(MemoryLog):
    """A log of which the first readings of changelogs fail, behind what they have read."""

    failures = 0

    async def tail(self) -> Tail:
        return TornTail(self, await super().tail())


class TornTail:
    def __init__(self, log: Torn, inner: Tail) -> None:
        self._log = log
        self._inner = inner

    def follow(self, positions: Mapping[TopicPartition, int]) -> None:
        self._inner.follow(positions)

    async def read(self, seconds: float) -> Sequence[tuple[TopicPartition, Rows]]:
        found = await self._inner.read(seconds)
        if found and self._log.failures < 2:
            self._log.failures += 1
            raise LogError("lost")
        return found

    async def close(self) -> None:
        await self._inner.close()


async def test_readings_that_fail_leave_no_gap(stage: Stage) -> None:
    stage.log = torn = Torn()
    for topic, partitions in (("scans", 1), ("results", 3)):
        torn.make(topic, partitions)
    await torn.create(stage.topology.specs())
    await stage.run(9)
    follower = Follower(stage, WarmStore())
    async with following(follower):
        await follower.caught_up()
        assert torn.failures == 2
        await follower.standbys.hold([], [], [ROAD])
        await stage.run(1, store=follower.store)
        assert stage.read == 0
