"""The plots of docs/performance.md as SVG, the same bytes for the same figures. Text stays text."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.results import Result, Table, tables
from bench.sampled import STAGES
from streams.charts.style import BLUE, GREEN, ORANGE, STYLE

_OURS, _THEIRS = BLUE, "#b9c0cb"
_LINES = (BLUE, ORANGE, GREEN, "#8d6bb0")
_PARTS = ("#c9ced6", "#3d9a8b", "#8d6bb0", "#2f6db3", "#e07b1a", "#f3d37a", "#c4443c", "#7a5230", "#6aa9d8", "#e6e9ee")


def _throughput(axes: Axes, table: Table) -> None:
    rows = [row for row in table.dicts() if row["scans per CPU-second"] is not None][::-1]
    rates = [row["scans per CPU-second"] for row in rows]
    colors = [_OURS if row[""].startswith("parcelwatch") else _THEIRS for row in rows]
    bars = axes.barh([row[""] for row in rows], rates, color=colors)
    axes.bar_label(bars, [f"{rate:,}" for rate in rates], padding=3)
    axes.set_xlabel("scans per CPU-second")
    axes.margins(x=0.15)


def _active(axes: Axes, table: Table) -> None:
    for color, store in zip(_LINES, dict.fromkeys(row["state"] for row in table.dicts()), strict=False):
        rows = [row for row in table.dicts() if row["state"] == store]
        axes.plot([row["active shipments"] for row in rows], [row["CPU µs a scan"] for row in rows], "o-",
                  color=color, label=store)  # fmt: skip
    axes.set_xscale("log")
    axes.set_ylim(bottom=0)
    axes.set_xlabel("active shipments")
    axes.set_ylabel("CPU µs a scan")
    axes.legend()


def _latency(axes: Axes, table: Table) -> None:
    for color, alerts in zip(_LINES, dict.fromkeys(row["alerts"] for row in table.dicts()), strict=False):
        rows = [row for row in table.dicts() if row["alerts"] == alerts]
        axes.plot([row["ms until readable"] for row in rows], [row["per cent"] for row in rows],
                  color=color, label=alerts)  # fmt: skip
    axes.set_xlim(left=0)
    axes.set_ylim(0, 100)
    axes.set_xlabel("ms until readable")
    axes.set_ylabel("per cent of the alerts")
    axes.legend()


def _stages(axes: Axes, table: Table) -> None:
    rows = list(table.dicts())[::-1]
    names = [row["CPU µs a scan"] for row in rows]
    left = [0.0] * len(rows)
    for color, stage in zip(_PARTS, STAGES, strict=True):
        parts = [row[stage] for row in rows]
        axes.barh(names, parts, left=left, color=color, label=stage)
        left = [before + part for before, part in zip(left, parts, strict=True)]
    axes.set_xlabel("CPU µs a scan")
    axes.legend(ncols=4, loc="lower center", bbox_to_anchor=(0.4, 1.0))


class Plot(NamedTuple):
    """`alone`: it stands for its table, which is too long to be read. `a_row`: inches that a row of it needs."""

    what: str
    draw: Callable[[Axes, Table], None]
    alone: bool = False
    a_row: float = 0.0


#: By the table that each is of.
PLOTS: Mapping[str, Plot] = {
    "throughput": Plot("Scans per CPU-second of each contender", _throughput, a_row=0.3),
    "active": Plot("CPU time of a scan by the number of active shipments", _active),
    "latency-curve": Plot("Part of the alerts that are readable after so long", _latency, alone=True),
    "stages": Plot("CPU time of a scan by stage", _stages),
}


def drawn(results: Mapping[str, Result]) -> dict[str, str]:
    """The plots of those tables that there are, by the table's name."""
    found = tables(results)
    return {name: _svg(plot, found[name][1]) for name, plot in PLOTS.items() if name in found}


def _svg(plot: Plot, table: Table) -> str:
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(8, max(3, 0.8 + plot.a_row * len(table.rows))), layout="constrained")
        plot.draw(figure.subplots(), table)
        out = io.StringIO()
        # Neither the date nor the library's version: they would make other bytes of the same figures.
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    return re.sub(r"[ \t]+$", "", out.getvalue(), flags=re.MULTILINE)
