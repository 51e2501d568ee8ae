"""What an open shipment takes: eight scans and one order, with either store; and what its order takes.

By how much a process that holds the task of the shipments, or of the orders, alone (`bench/memory_task.py`) is larger
with twice as many; likewise the rows that the changelog keeps, and what the store has on disk.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys

from bench.asked import Asked
from bench.child import clean
from bench.contenders import ROOT
from bench.host import STORES
from bench.results import Cell, Table

PARCELS = 200_000
#: Seconds for one of the tasks.
_PATIENCE = 300


async def _task(*arguments: str) -> bytes:
    command = [sys.executable, "-m", "bench.memory_task", *arguments]
    done = await asyncio.to_thread(
        subprocess.run, command, check=True, stdout=subprocess.PIPE, cwd=ROOT, env=clean(), timeout=_PATIENCE
    )
    return bytes(done.stdout)


async def run(asked: Asked) -> list[Table]:
    parcels = asked.size(PARCELS, least=2000)
    few = parcels // 2
    for count in (few, parcels):
        await _task("registrations", "memory", str(asked.folder / f"registrations-{count}"), str(count))
    rows: list[list[Cell]] = []
    for what in ("shipments", "orders"):
        for store in STORES:
            less, more = [
                json.loads(await _task(what, store, str(asked.folder / f"{what}-{store}-{count}"), str(count)))
                for count in (few, parcels)
            ]
            each = [round((more[name] - less[name]) / (parcels - few)) for name in ("memory", "rows", "disk")]
            asked.tell(f"{what}, {store}: {each[0]} bytes of memory each, {each[2]} of disk")
            rows.append([what, store, few, parcels, *each, round(more["most"] / 1e6)])
    columns = ["", "state", "from", "to", "bytes of memory each", "bytes of changelog rows each",
               "bytes of disk each", "most memory, MB"]  # fmt: skip
    return [Table("memory", columns, rows)]
