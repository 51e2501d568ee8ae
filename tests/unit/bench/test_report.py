"""The document says what was measured, and nothing else: tables by their marks, figures as people read them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bench import plots
from bench.report import DOCUMENT, PLOTS, RESULTS, cell, filled, lines
from bench.results import Cell, Result, Table, load, save, tables
from bench.sections import SECTIONS

TABLE = Table("one", ["", "µs"], [["a", 12.345], ["b", None]])
BEFORE = (
    "Text.\n<!-- measured: one -->\nold\n<!-- /measured -->\nMore.\n<!-- measured: two -->\nkept\n<!-- /measured -->\n"
)


def result(*tables: Table, divided: int = 1, busy: float | None = 0.1) -> Result:
    return Result("some", "python -m bench some", "2 cores", divided, 3.0, busy, list(tables))


def test_a_table_takes_the_place_between_its_marks_and_others_stay() -> None:
    after = filled(BEFORE, {"some": result(TABLE)})
    assert "old" not in after
    assert "    python -m bench some\n" in after
    assert "| a | 12.3 |\n| b |  |\n<!-- /measured -->\nMore." in after
    assert after.endswith("<!-- measured: two -->\nkept\n<!-- /measured -->\n")


def test_the_machine_stands_in_its_place_once() -> None:
    after = filled("<!-- measured: machine -->\nold\n<!-- /measured -->", {"a": result(TABLE), "b": result(TABLE)})
    assert after == "<!-- measured: machine -->\n2 cores.\n<!-- /measured -->"


def test_filling_the_document_twice_changes_nothing_more() -> None:
    results = {"some": result(TABLE)}
    once = filled(BEFORE, results)
    assert filled(once, results) == once


@pytest.mark.parametrize(("divided", "busy", "said"), [(20, 0.0, "divided by 20"), (1, 1.2, "1.2 cores busy")])
def test_what_is_to_be_held_against_a_figure_stands_beside_it(divided: int, busy: float, said: str) -> None:
    assert said in filled(BEFORE, {"some": result(TABLE, divided=divided, busy=busy)})
    assert said not in filled(BEFORE, {"some": result(TABLE)})


@pytest.mark.parametrize(
    ("value", "shown"),
    [(1234567, "1,234,567"), (0.126, "0.13"), (9.99, "9.99"), (12.34, "12.3"), (1234.5, "1,234"),
     (None, ""), ("x", "x")],
)  # fmt: skip
def test_figures_are_written_as_people_read_them(value: Cell, shown: str) -> None:
    assert cell(value) == shown


def test_a_result_comes_back_from_its_file_as_it_was(tmp_path: Path) -> None:
    kept = result(TABLE)
    save(kept, tmp_path)
    assert load(tmp_path) == {"some": kept}
    assert lines(load(tmp_path)["some"].tables[0]) == lines(TABLE)


def test_document_and_plots_are_those_of_the_results_that_are_kept() -> None:
    results = load(RESULTS)
    assert filled(DOCUMENT.read_text(), results) == DOCUMENT.read_text()
    for name, svg in plots.drawn(results).items():
        assert (PLOTS / f"{name}.svg").read_text() == svg


def test_every_table_that_is_kept_has_a_place_in_the_document() -> None:
    results = load(RESULTS)
    assert results.keys() <= {section.name for section in SECTIONS}
    places = re.findall(r"<!-- measured: ([a-z-]+) -->", DOCUMENT.read_text())
    assert tables(results).keys() <= set(places)
    assert plots.PLOTS.keys() <= set(places)
    assert "machine" in places


def test_a_plot_stands_below_its_table_or_for_it() -> None:
    document = "<!-- measured: NAME -->\nold\n<!-- /measured -->\n"
    throughput = Table("throughput", ["", "x"], [["a", 1]])
    after = filled(document.replace("NAME", "throughput"), {"some": result(throughput)})
    assert "| a | 1 |\n\n![" in after
    assert "(performance/throughput.svg)\n<!-- /measured -->" in after
    curve = Table("latency-curve", ["x"], [[1]])
    assert "| 1 |" not in filled(document.replace("NAME", "latency-curve"), {"some": result(curve)})
