"""The cost of an event when as many events are spread over two years of hour boundaries as over a week.

A made-up marketplace; once through `parcelwatch replay`, and once through a worker with all its tasks on the log in
memory (`bench/embedded.py`). CPU-seconds of the process from its start to its end.
"""

from __future__ import annotations

import sys
from pathlib import Path

from bench.asked import Asked
from bench.child import Child, Spent
from bench.replay import market_file
from bench.results import Cell, Table
from bench.throughput import WrongError

EVENTS = 100_000
_DAYS = {"a week": 7, "two years": 731}


async def _spent(module: list[str], log: Path) -> Spent:
    with Child([sys.executable, "-m", *module], log) as child:
        spent = await child.ending()
        if spent.status:
            raise WrongError(child.said())
        return spent


async def run(asked: Asked) -> list[Table]:
    events = asked.size(EVENTS, least=20_000)
    rows: list[list[Cell]] = []
    first: dict[str, float] = {}
    for spread, days in _DAYS.items():
        path, count = market_file(asked.folder, spread.replace(" ", "-"), events, days)
        ways = {
            "parcelwatch replay": ["streams", "replay", str(path), "--out", str(asked.folder / f"out-{days}")],
            "worker on the log in memory": ["bench.embedded", str(path)],
        }
        for way, command in ways.items():
            spent = await _spent(command, asked.folder / "log")
            cost = spent.cpu / count * 1e6
            asked.tell(f"{way}, {spread}: {cost:.1f} µs an event")
            rows.append([way, spread, count, days * 24, round(spent.cpu, 1), round(cost, 1),
                         round(cost / first.setdefault(way, cost), 2)])  # fmt: skip
    columns = ["through", "events of", "events", "hour boundaries", "CPU s", "CPU µs an event", "against a week"]
    return [Table("backfill", columns, sorted(rows, key=lambda row: str(row[0])))]
