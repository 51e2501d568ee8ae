"""Scans per CPU-second of one worker and of two, on the same input."""

from __future__ import annotations

from bench.asked import Asked
from bench.contenders import CONTENDERS
from bench.results import Cell, Table
from bench.scans import EACH
from bench.throughput import Throughput

SCANS = 1_200_000


async def run(asked: Asked) -> list[Table]:
    scans = asked.size(SCANS, least=2000, multiple=2 * EACH)
    (ours,) = (each for each in CONTENDERS if each.name == "parcelwatch")
    throughput = Throughput(asked.kafka, asked.folder, asked.tell)
    await throughput.prepare([ours], scans)
    rows: list[list[Cell]] = []
    rates = []
    for workers in (1, 2):
        figures = await throughput.measure(ours, scans, asked.quiet_for, workers)
        rates.append(figures.rate)
        rows.append(
            [workers, figures.scans, figures.alerts, round(figures.cpu, 1), round(figures.wall, 1),
             round(figures.rate), round(figures.scans / figures.wall), round(figures.rate / rates[0], 2)]
        )  # fmt: skip
    columns = ["workers", "scans", "alerts", "CPU s of all", "wall s", "scans per CPU-second", "scans a second",
               "per CPU-second, against one"]  # fmt: skip
    return [Table("workers", columns, rows)]
