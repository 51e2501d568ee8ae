"""Scans per CPU-second of one worker and of two, on the same input.

With native more of them: the start of a process, which every worker has, is not to be what is measured.
"""

from __future__ import annotations

from statistics import median

from bench.asked import Asked
from bench.comparison import LONG, ROUNDS
from bench.contenders import CONTENDERS, Contender
from bench.install import NotReadyError
from bench.results import Cell, Table
from bench.scans import EACH
from bench.throughput import Figures, Throughput, delete

SCANS = 1_200_000
#: Scans of each that is measured.
_EACH_OF = {"parcelwatch-native": LONG, "parcelwatch": SCANS}


async def run(asked: Asked) -> list[Table]:
    rows: list[list[Cell]] = []
    for ours in (each for each in CONTENDERS if each.name in _EACH_OF):
        try:
            ours.ready()
        except NotReadyError as problem:
            asked.tell(str(problem))
            continue
        rows += await _one_and_two(asked, ours, asked.size(_EACH_OF[ours.name], least=2000, multiple=2 * EACH))
    columns = ["", "workers", "scans", "alerts", "CPU s of all", "wall s", "scans per CPU-second", "scans a second",
               "per CPU-second, against one", "of the rounds"]  # fmt: skip
    return [Table("workers", columns, rows)]


async def _one_and_two(asked: Asked, ours: Contender, scans: int) -> list[list[Cell]]:
    throughput = Throughput(asked.kafka, asked.folder, asked.tell)
    await throughput.prepare([ours], scans)
    found: dict[int, list[Figures]] = {1: [], 2: []}
    for _ in range(asked.rounds(ROUNDS)):
        for workers, figures in found.items():
            figures.append(await throughput.measure(ours, scans, asked.quiet_for, workers))
    await delete(asked.kafka, await asked.kafka.topics())
    rows: list[list[Cell]] = []
    for workers, figures in found.items():
        one = sorted(figures, key=lambda each: each.rate)[len(figures) // 2]
        against = [two.rate / alone.rate for alone, two in zip(found[1], figures, strict=True)]
        rows.append(
            [ours.what, workers, one.scans, one.alerts, round(one.cpu, 1), round(one.wall, 1), round(one.rate),
             round(one.scans / one.wall), round(median(against), 2), f"{min(against):.2f} to {max(against):.2f}"]
        )  # fmt: skip
    return rows
