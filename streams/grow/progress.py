"""An application's progress: its output is complete up to there."""

from __future__ import annotations

from collections.abc import Mapping

from schemas.times import render
from streams.engine.errors import FatalError
from streams.engine.log.interface import Log, TopicPartition
from streams.engine.processor import Dataflow, Horizon
from streams.engine.task import passed_of
from streams.engine.topology import Topology

#: By kind of task and name of a horizon.
Passed = Mapping[tuple[str, str], list[Horizon]]


async def passed(log: Log, app_id: str, flow: Dataflow) -> Passed:
    """The horizons of all tasks of an application, as of their last commits. Raises `FatalError` and `LogError`."""
    empty = Topology(app_id, flow, {})
    found: dict[tuple[str, str], list[Horizon]] = {}
    for kind in flow.kinds:
        changelog = empty.changelog(kind.name)
        counts = await log.partitions([changelog])
        if changelog not in counts:
            raise FatalError(f"no state of an application {app_id}: topic {changelog} does not exist")
        sources = [TopicPartition(changelog, each) for each in range(counts[changelog])]
        begins, ends = await log.begin_offsets(sources), await log.end_offsets(sources)
        for source in sources:
            live: dict[bytes, bytes] = {}
            async for rows, _ in log.rows(source, begins[source], ends[source]):
                live.update((key, row) for key, row in rows if row is not None and key[:1] == b"e")
            for name, horizon in passed_of(live).items():
                found.setdefault((kind.name, name), []).append(horizon)
    return found


def behind(old: Passed, new: Passed, tasks: Mapping[str, int]) -> str | None:
    """Where the new application lags behind the old one, in words; None if nowhere.

    `tasks`: how many the new application has, by kind.
    """
    for (kind, name), horizons in sorted(old.items()):
        mine = new.get((kind, name), [])
        if len(mine) < tasks[kind]:
            return f"{tasks[kind] - len(mine)} of its {kind} tasks have not begun"
        wanted, reached = max(horizons), min(mine)
        if reached < wanted:
            return f"its {kind} tasks have come to {_time(reached)} ({name}), the old ones to {_time(wanted)}"
    return None


def _time(horizon: Horizon) -> str:
    try:
        return render(horizon.watermark)
    except (OverflowError, ValueError):
        return "no time yet"
