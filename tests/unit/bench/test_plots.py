"""Each plot draws its table, as the sections make it; the same figures give the same bytes."""

from __future__ import annotations

import pytest

from bench import plots, sampled, throughput
from bench.child import Spent
from bench.contenders import CONTENDERS
from bench.results import Result, Table
from bench.throughput import Figures

FIGURES = [Figures(each, 2000, 16, 0, [Spent(2.0, 3.0, 100_000_000, 0)], 0.1) for each in CONTENDERS[:3]]
TABLES = {
    "throughput": throughput.table(FIGURES, CONTENDERS[3:4]),
    "active": Table(
        "active",
        ["state", "active shipments", "CPU µs a scan"],
        [[store, size, 10.5] for store in ("memory", "rocksdict") for size in (10, 100)],
    ),
    "latency-curve": Table(
        "latency-curve",
        ["alerts", "per cent", "ms until readable"],
        [[alerts, part, 12.0 * part] for alerts in ("raised", "resolved") for part in (5.0, 99.9)],
    ),
    "stages": Table(
        "stages",
        ["CPU µs a scan", "scans", "samples", *sampled.STAGES, "all"],
        [["worker", 2000, 100, *([1.5] * len(sampled.STAGES)), 15.0]],
    ),
}


def test_every_plot_has_a_table_here() -> None:
    assert plots.PLOTS.keys() == TABLES.keys()


@pytest.mark.parametrize("name", TABLES)
def test_a_plot_is_small_and_the_same_bytes_for_the_same_figures(name: str) -> None:
    results = {"some": Result("some", "", "", 1, 1.0, None, [TABLES[name]])}
    (svg,) = plots.drawn(results).values()
    assert plots.drawn(results) == {name: svg}
    assert svg.startswith("<?xml")
    assert len(svg) < 60_000


def test_a_contender_that_failed_has_a_line_and_no_bar() -> None:
    rows = list(TABLES["throughput"].dicts())
    assert rows[-1][""] == CONTENDERS[3].what
    assert rows[-1]["scans per CPU-second"] is None
    results = {"some": Result("some", "", "", 1, 1.0, None, [TABLES["throughput"]])}
    svg = plots.drawn(results)["throughput"]
    assert CONTENDERS[2].what in svg
    assert CONTENDERS[3].what not in svg


def test_ratios_are_those_of_either_store_to_each_other_contender() -> None:
    rows = {row[""]: row for row in TABLES["throughput"].dicts()}
    assert rows[CONTENDERS[2].what]["parcelwatch, memory, is x"] == 1.0
    assert rows[CONTENDERS[0].what]["parcelwatch, memory, is x"] is None
