"""`python -m bench.report`: the tables and plots of docs/performance.md, from the results.

A table stands between two marks, `<!-- measured: NAME -->` and `<!-- /measured -->`; whatever is between them is
replaced. A mark without a result keeps what it has.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from bench import machine, plots
from bench.install import ROOT
from bench.results import Cell, Result, Table, load, tables

RESULTS = ROOT / "bench" / "results"
DOCUMENT = ROOT / "docs" / "performance.md"
PLOTS = ROOT / "docs" / "performance"
_PLACE = re.compile(r"(<!-- measured: (?P<name>[a-z-]+) -->\n).*?(<!-- /measured -->)", re.DOTALL)
#: The place of what everything was measured on.
_MACHINE = "machine"


def cell(value: Cell) -> str:
    """A figure as a person reads it; nothing where there is none."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.1f}" if abs(value) >= 10 else f"{value:,.2f}"
    return value


def lines(table: Table) -> list[str]:
    """The table as Markdown."""
    head = ["| " + " | ".join(table.columns) + " |", "|---" * len(table.columns) + "|"]
    return head + ["| " + " | ".join(map(cell, row)) + " |" for row in table.rows]


def caption(result: Result) -> list[str]:
    """What it was measured with, and what is to be held against it."""
    said = []
    if result.divided > 1:
        said.append(f"Sizes were divided by {result.divided}: these figures say little.")
    if result.busy is not None and result.busy > machine.QUIET:
        said.append(f"Others kept {result.busy:.1f} cores busy when it began.")
    return [f"    {result.command}", "", *([" ".join(said), ""] if said else [])]


def filled(document: str, results: Mapping[str, Result]) -> str:
    """The document with every table that was measured in its place."""
    found = tables(results)

    def place(match: re.Match[str]) -> str:
        if match["name"] == _MACHINE and results:
            machines = dict.fromkeys(result.machine for result in results.values())
            return match[1] + "".join(f"{machine}.\n" for machine in machines) + match[3]
        if match["name"] not in found:
            return match[0]
        result, table = found[match["name"]]
        plot = plots.PLOTS.get(table.name)
        said = [] if plot is not None and plot.alone else [*caption(result), *lines(table)]
        if plot is not None:
            said += [*([""] if said else []), f"![{plot.what}]({PLOTS.name}/{table.name}.svg)"]
        return match[1] + "\n".join(said) + "\n" + match[3]

    return _PLACE.sub(place, document)


def shown(folder: Path) -> str:
    """All tables of a folder, for the terminal."""
    said: list[str] = []
    for result in load(folder).values():
        for table in result.tables:
            said += ["", f"{table.name}: {result.command}", *lines(table)]
    return "\n".join(said)


def write() -> None:
    """Brings document and plots up to the results that are there."""
    results = load(RESULTS)
    DOCUMENT.write_text(filled(DOCUMENT.read_text(), results))
    PLOTS.mkdir(exist_ok=True)
    for name, svg in plots.drawn(results).items():
        (PLOTS / f"{name}.svg").write_text(svg)


if __name__ == "__main__":
    write()
