"""A worker's CPU time by processing stage, with either store.

The job of `bench/throughput.py` under a sampler (`bench/sampled.py`). A stage's cost is its share of the samples, of
all that the process has spent.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

from bench.asked import Asked
from bench.contenders import CONTENDERS, Contender, Run
from bench.results import Cell, Table
from bench.sampled import STAGES
from bench.scans import EACH
from bench.throughput import Throughput

SCANS = 400_000


def _sampled(contender: Contender, found: Path) -> Contender:
    """The same, but its process tells where its time goes."""

    def command(run: Run) -> list[str]:
        plain = list(contender.command(run))
        return [sys.executable, "-m", "bench.sampled", str(found), *plain[plain.index("worker") :]]

    return replace(contender, command=command)


async def run(asked: Asked) -> list[Table]:
    scans = asked.size(SCANS, least=2000, multiple=2 * EACH)
    # What the part in Rust does, no sampler of Python sees.
    ours = [each for each in CONTENDERS if each.ours and "native" not in each.name]
    throughput = Throughput(asked.kafka, asked.folder, asked.tell)
    await throughput.prepare(ours, scans)
    rows: list[list[Cell]] = []
    for contender in ours:
        found = asked.folder / f"{contender.name}.json"
        figures = await throughput.measure(_sampled(contender, found), scans, asked.quiet_for)
        counts: dict[str, int] = json.loads(found.read_text())
        whole = figures.cpu / figures.scans * 1e6
        samples = sum(counts.values())
        parts = [round(whole * counts.get(stage, 0) / samples, 2) for stage in STAGES]
        rows.append([contender.what, figures.scans, samples, *parts, round(whole, 2)])
    return [Table("stages", ["CPU µs a scan", "scans", "samples", *STAGES, "all"], rows)]
