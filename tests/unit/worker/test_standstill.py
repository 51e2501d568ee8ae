"""For how long tasks count as standing still."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from streams.engine.topology import TaskId
from streams.worker.standstill import STANDSTILL, Standstill, Step

TASK = TaskId("orders", 0)
#: A task that is never restored.
STUCK: Any = SimpleNamespace(
    id=TASK, task=None, restoring=False, left=None, committed={}, committing=None, untaken=None, failures=0
)


def looked(watch: Standstill, *times: float) -> list[Step | None]:
    """The steps that the last of looks at such times asks for."""
    standing = []
    for now in times:
        standing = watch.look(now, [STUCK], {}, {}, excused=False)
    return [each.step for each in standing]


def test_the_time_for_which_the_process_itself_stood_is_nobodys_standstill() -> None:
    watch = Standstill(300.0)
    assert looked(watch, 0.0, 1.0, 1.0 + 2 * 86_400) == []
    assert watch.longest < STANDSTILL


def test_what_is_looked_at_all_the_time_stands_still_for_that_time() -> None:
    watch = Standstill(300.0)
    assert looked(watch, *range(30)) == []
    assert looked(watch, *range(30, 400))[-1] is Step.PROCESS
