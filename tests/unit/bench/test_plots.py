"""Each plot draws its table, as the sections make it; the same figures give the same bytes."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import comparison, plots, sampled
from bench.asked import Asked
from bench.child import Spent
from bench.contenders import CONTENDERS
from bench.results import Result, Table
from bench.throughput import Figures

#: In two rounds, the second of which took twice as long; the last one has failed.
MEASURED, FAILED = [each for each in CONTENDERS if each.name in ("parcelwatch", "kafka-streams")], CONTENDERS[-1]
FOUND = {
    each: [Figures(each, 2000, 16, 0, [Spent(cpu, 3.0, 100_000_000, 0)], 0.1) for cpu in (2.0, 4.0)]
    for each in MEASURED
} | {FAILED: []}
TABLES = {
    "throughput": comparison.table("throughput", FOUND),
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
    assert rows[-1][""] == FAILED.what
    assert rows[-1]["scans per CPU-second"] is None
    results = {"some": Result("some", "", "", 1, 1.0, None, [TABLES["throughput"]])}
    svg = plots.drawn(results)["throughput"]
    assert MEASURED[1].what in svg
    assert FAILED.what not in svg


def test_a_figure_is_that_of_the_middle_round_with_its_spread() -> None:
    row = next(TABLES["throughput"].dicts())
    assert row["scans per CPU-second"] == 750
    assert row["of 2 rounds"] == "500 to 1,000"


def test_ratios_are_those_of_ours_to_each_of_the_others_that_has_figures() -> None:
    (row,) = comparison.ratios("some", FOUND).dicts()
    assert row == {"times as many as": MEASURED[1].what, MEASURED[0].what: 1.0}


@pytest.mark.parametrize(
    ("only", "ours", "names", "found"),
    [
        (("flink-heap",), False, (), ["flink-heap-500ms", "flink-heap-5s"]),
        (("flink", "parcelwatch"), True, (), [each.name for each in CONTENDERS if each.ours]),
        (("parcelwatch-rocks", "quix"), False, ("quix", "faust"), ["quix"]),
    ],
)
def test_those_are_measured_that_are_asked_for(
    only: tuple[str, ...], ours: bool, names: tuple[str, ...], found: list[str]
) -> None:
    asked = Asked(Path(), lambda _: None, ours=ours, only=only)
    assert [each.name for each in comparison.chosen(asked, names)] == found


def test_a_command_in_the_document_is_the_one_that_was_given() -> None:
    asked = Asked(Path(), lambda _: None, divide=20, only=("flink", "quix"), repeat=2)
    assert asked.options() == ["--divide 20", "--only flink", "--only quix", "--rounds 2"]
    assert (asked.rounds(3), Asked(Path(), lambda _: None).rounds(3), Asked(Path(), lambda _: None, 20).rounds(3)) == (
        2,
        3,
        1,
    )
