"""The memory of an open shipment (eight scans and one order) and of an open order, with either store.

By how much a process that holds the task of the shipments, or of the orders, alone (`bench/memory_task.py`) is larger
with twice as many; what the store has on disk, old versions of rows included; and what a commit writes of one.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys

from bench.asked import Asked
from bench.child import clean
from bench.host import STORES, is_in_memory
from bench.install import ROOT
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
            # With a store on disk what is in memory are caches of a fixed size, which so many do not fill.
            memory = round((more["memory"] - less["memory"]) / (parcels - few)) if is_in_memory(store) else None
            disk = round(more["disk"] / parcels)
            asked.tell(f"{what}, {store}: {memory} bytes of memory each, {disk} of disk")
            rows.append([what, store, parcels, memory, disk, round(more["rows"] / parcels), round(more["most"] / 1e6)])
    columns = ["", "state", "how many", "bytes of memory each", "bytes of disk each",
               "bytes of changelog for the last event of each", "most memory, MB"]  # fmt: skip
    return [Table("memory", columns, rows)]
