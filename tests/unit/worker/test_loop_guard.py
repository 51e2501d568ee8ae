"""An event loop that hangs is told of with the place where it does, and in the end the process ends."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from streams.worker.loop_guard import LoopGuard
from tests.patience import PATIENCE
from tests.unit.engine.embedding import until


async def beating(guard: LoopGuard) -> asyncio.Task[None]:
    task = asyncio.create_task(guard.beat())
    await until(lambda: guard._beats > 0)
    return task


async def test_a_loop_that_hangs_is_told_of_and_ends_the_process_with_status_one(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    ended, statuses = threading.Event(), list[int]()

    def end(status: int) -> None:
        statuses.append(status)
        ended.set()

    with LoopGuard(0.1, 0.4, end) as guard:
        task = await beating(guard)
        assert ended.wait(PATIENCE)
        task.cancel()
    assert statuses == [1]
    told = capsys.readouterr()
    assert "the event loop does not come round" in told.out + told.err + caplog.text
    assert "one step has taken" in told.err
    assert "the worker ends" in told.err


async def test_a_loop_that_turns_is_left_alone() -> None:
    statuses = list[int]()
    with LoopGuard(0.5, 30.0, statuses.append) as guard:
        task = await beating(guard)
        before = guard._beats
        await until(lambda: guard._beats > before + 3)
        task.cancel()
    assert not statuses


def test_a_process_without_a_loop_yet_is_left_alone() -> None:
    statuses = list[int]()
    with LoopGuard(0.02, 0.05, statuses.append):
        time.sleep(0.3)
    assert not statuses
