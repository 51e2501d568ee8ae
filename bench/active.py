"""The cost of a scan by the number of active shipments, with either store: time, memory, the longest pause.

The task of one partition outside of a worker (`bench/active_task.py`). Shipments are added up to each size in turn, one
scan each; then comes an hour of further scans of random ones, and with it some silences fall due, each of which must be
raised at its time. Both stores are filled side by side and measured one after the other.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from bench.asked import Asked
from bench.child import clean
from bench.host import STORES
from bench.install import ROOT
from bench.results import Cell, Table
from bench.throughput import WrongError

SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
SCANS = 100_000
#: Silences that fall due while a size is measured.
SILENT = 500


async def _line(process: asyncio.subprocess.Process) -> dict[str, Any]:
    assert process.stdout is not None
    line = await process.stdout.readline()
    if not line:
        raise WrongError("a task of shipments has ended by itself")
    found: dict[str, Any] = json.loads(line)
    return found


async def run(asked: Asked) -> list[Table]:
    sizes = [asked.size(size, least=200) for size in SIZES]
    scans = asked.size(SCANS, least=2000)
    children: dict[str, asyncio.subprocess.Process] = {}
    rows: dict[str, list[list[Cell]]] = {store: [] for store in STORES}
    try:
        for store in STORES:
            command = ["-m", "bench.active_task", store, str(asked.folder / store), str(scans), str(SILENT)]
            children[store] = await asyncio.create_subprocess_exec(
                sys.executable, *command, *map(str, sizes), cwd=ROOT, env=clean(),
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            )  # fmt: skip
        for size in sizes:
            for child in children.values():
                await _line(child)
            for store, child in children.items():
                assert child.stdin is not None
                child.stdin.write(b"go\n")
                rows[store].append(row := _row(store, await _line(child), rows[store]))
                asked.tell(f"{store}, {size:,} active: {row[3]} µs a scan, {row[5]} ms the longest step")
        for child in children.values():
            if await child.wait():
                raise WrongError("a task of shipments has ended badly")
    finally:
        for child in children.values():
            if child.returncode is None:
                child.kill()
                await child.wait()
    columns = ["state", "active shipments", "scans", "CPU µs a scan", "against the fewest", "longest step, ms",
               "silences due", "raised at their time", "memory, MB", "disk, MB"]  # fmt: skip
    return [Table("active", columns, [row for store in STORES for row in rows[store]])]


def _row(store: str, found: dict[str, Any], before: list[list[Cell]]) -> list[Cell]:
    if found["raised"] != found["due"]:
        raise WrongError(f"{store}, {found['active']} active: {found['raised']} of {found['due']} silences raised")
    cost = found["cpu"] / found["scans"] * 1e6
    first = before[0][3] if before else cost
    assert isinstance(first, float)
    return [store, found["active"], found["scans"], round(cost, 2), round(cost / first, 2),
            round(found["longest"] * 1e3, 1), found["due"], found["raised"], round(found["memory"] / 1e6),
            round(found["disk"] / 1e6)]  # fmt: skip
