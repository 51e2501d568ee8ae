"""The present goes on evenly, whatever the machine's clock does, and never minutes ahead of the log's."""

from __future__ import annotations

import asyncio
import time

import pytest

from streams.engine.clock import Clock
from streams.engine.errors import ClockError, FatalError
from streams.engine.log.memory import MemoryLog
from streams.engine.wall_clock import LIMIT, SteadyLoop, WallClock, check_wall
from streams.worker import Embedded
from tests.patience import PATIENCE
from tests.unit.engine.embedding import assemble
from tests.unit.engine.history import T0
from tests.unit.engine.toy import DATAFLOW, HOUR, RESULTS, pack

SECOND = 1_000_000
DAY = 24 * HOUR


class Machine:
    """A machine's two clocks, by hand."""

    def __init__(self, ahead: int = 0) -> None:
        self.system, self.monotonic = T0 + ahead, 0
        self.ahead: list[float] = []
        self.clock = WallClock(self.ahead.append, lambda: self.system, lambda: self.monotonic)

    def wait(self, seconds: int) -> None:
        self.system += seconds * SECOND
        self.monotonic += seconds * SECOND


@pytest.mark.parametrize("jump", [2 * DAY, -2 * DAY])
def test_a_machines_clock_that_is_set_changes_nothing(jump: int) -> None:
    machine = Machine()
    machine.wait(5)
    machine.system += jump
    assert machine.clock.now() == T0 + 5 * SECOND
    machine.wait(5)
    assert machine.clock.now() == T0 + 10 * SECOND


@pytest.mark.parametrize(
    ("ahead", "holds"), [(LIMIT - 1, LIMIT - 1), (LIMIT, LIMIT), (LIMIT + 1, 0), (2 * DAY, 0), (-2 * DAY, -2 * DAY)]
)
def test_the_earlier_of_two_clocks_that_differ_by_minutes_holds(ahead: int, holds: int) -> None:
    machine = Machine(ahead)
    machine.clock.heard(T0)
    assert machine.ahead == [ahead / 1e6]
    assert machine.clock.now() == T0 + holds
    machine.wait(60)
    assert machine.clock.now() == T0 + holds + 60 * SECOND


def test_a_process_that_jumped_ahead_is_right_again_and_one_that_jumps_back_ends() -> None:
    machine = Machine()
    machine.clock.heard(T0)
    machine.wait(2 * 86_400)  # by its clocks alone
    assert machine.clock.now() == T0 + 2 * DAY
    machine.clock.heard(T0 + SECOND)
    assert machine.clock.now() == T0 + SECOND
    machine.monotonic -= LIMIT
    assert machine.clock.now() == T0 + SECOND - LIMIT
    machine.monotonic -= 1
    with pytest.raises(FatalError, match="went back by 120 s") as raised:
        machine.clock.now()
    assert raised.value.status == 3


def test_the_loop_waits_on_though_the_monotonic_clock_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    present = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: present)
    loop = SteadyLoop()
    try:
        assert loop.time() == 1000
        present = 200_000.0
        assert loop.time() == 200_000
        present = 1000.0
        assert loop.time() == 200_000
        present = 1001.5
        assert loop.time() == 200_001.5
    finally:
        loop.close()


@pytest.mark.parametrize("ahead", [0, LIMIT])
def test_what_is_less_than_minutes_ahead_is_written(ahead: int) -> None:
    check_wall(T0 + ahead, T0)


def test_what_is_minutes_ahead_is_refused() -> None:
    with pytest.raises(ClockError, match="172800 s ahead of the brokers'"):
        check_wall(T0 + 2 * DAY, T0)
    with pytest.raises(ClockError):
        check_wall(T0 + LIMIT + 1, T0)


async def test_a_worker_whose_clocks_jump_commits_nothing_that_follows_from_it() -> None:
    present, jump = T0 + HOUR, 0
    log = MemoryLog(lambda: present)
    topics = {"orders": 1, "calls": 1, "scans": 1, RESULTS: 1}
    worker = Embedded(DATAFLOW, assemble, clock=Clock.wall(), topics=topics, log=log, now=lambda: present + jump)
    async with worker:
        worker.append("scans", b"p1", pack([T0, "scan", "p1"]))
        await asyncio.sleep(0.3)
        jump = 2 * DAY
        async with asyncio.timeout(PATIENCE):
            while not failures(worker):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert worker.records(RESULTS) == []
        jump = 0
        await asyncio.sleep(0.5)
        assert worker.records(RESULTS) == []
        present = T0 + 26 * HOUR + 1
        async with asyncio.timeout(PATIENCE):
            while not worker.records(RESULTS):  # noqa: ASYNC110
                await asyncio.sleep(0.01)


def failures(worker: Embedded) -> float | None:
    labels = {"kind": "road", "error": "ClockError"}
    return worker.metrics.registry.get_sample_value("parcelwatch_task_failures_total", labels)
