"""`deploy/grafana/dashboards`: current, valid by Grafana's own models, laid out well, of catalogued metrics only."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import promql_parser as promql
import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards import alarms, palette
from dashboards.__main__ import main
from dashboards.files import FOLDER, files
from dashboards.metrics import CATALOGUE, PARTS
from dashboards.queries import metric
from tests.dashboard_queries import Asked, asked, resolved

DASHBOARDS: dict[str, dict[str, Any]] = {path.stem: json.loads(path.read_bytes()) for path in FOLDER.glob("*.json")}
PANELS = [
    pytest.param(panel, id=f"{name}:{panel['title']}")
    for name, page in DASHBOARDS.items()
    for panel in page["panels"]
    if panel["type"] != "row"
]
QUERIES = [
    pytest.param(one, id=f"{one.dashboard}:{one.title}:{one.expr[:30]}")
    for page in DASHBOARDS.values()
    for one in asked(page)
]
#: Rules about processes that give no metrics.
OF_NO_METRIC = {"ParcelwatchDown", "ParcelwatchWorkerDown", "ParcelwatchIngestDown"}
#: Panels that show a counter as it is: all that has happened since the worker started.
SINCE_THE_START = {"Rows restored"}
#: The series that are Prometheus' own.
OF_PROMETHEUS = {"ALERTS", "up"}
#: What Prometheus adds to each series.
ADDED = {"job", "instance", "le"}


class Use(NamedTuple):
    """A selector in an expression: its metric, and the labels that it matches."""

    name: str
    matched: set[str]


def uses(expr: str) -> list[Use]:
    found: list[Use] = []

    def visit(node: Any) -> None:
        if isinstance(node, promql.VectorSelector):
            matchers = {one.name: one.value for one in node.matchers.matchers}
            # Several metrics are matched by their names.
            names = [node.name] if node.name else matchers.pop("__name__").split("|")
            found.extend(Use(name, set(matchers)) for name in names)

    promql.walk(promql.parse(expr), visit)
    return found


def ranges(expr: str) -> list[str]:
    """The metrics of which an expression takes the samples of some time."""
    found: list[str] = []

    def visit(node: Any) -> None:
        if isinstance(node, promql.MatrixSelector):
            found.append(node.vector_selector.name)

    promql.walk(promql.parse(expr), visit)
    return found


def grouped(expr: str) -> set[str]:
    """The labels by which an expression sums, takes a maximum, and so on."""
    found: set[str] = set()

    def visit(node: Any) -> None:
        if isinstance(node, promql.AggregateExpr) and node.modifier is not None:
            found.update(node.modifier.labels)

    promql.walk(promql.parse(expr), visit)
    return found


def boxes(page: dict[str, Any]) -> Iterator[tuple[str, int, int, int, int]]:
    for panel in page["panels"]:
        grid = panel["gridPos"]
        yield panel["title"], grid.get("x", 0), grid.get("y", 0), grid["w"], grid["h"]


def test_the_files_are_what_the_code_makes() -> None:
    assert main(["--check"]) == 0


def test_a_file_that_is_not_current_or_belongs_to_no_dashboard_is_found_and_mended(tmp_path: Path) -> None:
    assert main([str(tmp_path)]) == 0
    (tmp_path / "parcelwatch-overview.json").write_text("{}")
    (tmp_path / "gone.json").write_text("{}")
    assert main(["--check", str(tmp_path)]) == 1
    assert main([str(tmp_path)]) == 0
    assert main(["--check", str(tmp_path)]) == 0
    assert {path.name for path in tmp_path.iterdir()} == set(files())


def test_there_are_four_dashboards_whose_addresses_stay() -> None:
    assert {name: page["uid"] for name, page in DASHBOARDS.items()} == {
        name: name
        for name in ("parcelwatch-overview", "parcelwatch-engine", "parcelwatch-business", "parcelwatch-doors")
    }


@pytest.mark.parametrize("name", sorted(DASHBOARDS))
def test_grafanas_own_model_reads_all_of_a_file(name: str) -> None:
    register_default_plugins()
    read = Dashboard.from_json(DASHBOARDS[name])
    assert json.loads(JSONEncoder().encode(read)) == DASHBOARDS[name]


@pytest.mark.parametrize("name", sorted(DASHBOARDS))
def test_panels_lie_on_24_columns_and_none_covers_another(name: str) -> None:
    for title, x, _, width, height in boxes(DASHBOARDS[name]):
        assert x >= 0, title
        assert x + width <= 24, title
        assert height > 0, title
    for (one, *a), (other, *b) in itertools.combinations(boxes(DASHBOARDS[name]), 2):
        apart = a[0] + a[2] <= b[0] or b[0] + b[2] <= a[0] or a[1] + a[3] <= b[1] or b[1] + b[3] <= a[1]
        assert apart, (one, other)


@pytest.mark.parametrize("name", sorted(DASHBOARDS))
def test_every_line_of_panels_is_full(name: str) -> None:
    widths: dict[int, int] = {}
    for _, _, y, width, _ in boxes(DASHBOARDS[name]):
        widths[y] = widths.get(y, 0) + width
    assert set(widths.values()) == {24}


@pytest.mark.parametrize("name", sorted(DASHBOARDS))
def test_panels_have_ids_and_titles_of_their_own(name: str) -> None:
    everything = DASHBOARDS[name]["panels"]
    assert len({panel["id"] for panel in everything}) == len(everything)
    titles = [panel["title"] for panel in everything if panel["type"] != "row"]
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_says_what_it_shows_and_in_which_unit(panel: dict[str, Any]) -> None:
    assert panel["title"]
    assert panel["description"].strip().endswith(".")
    if panel["type"] != "alertlist":
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert panel["targets"]


@pytest.mark.parametrize("name", sorted(alarms.PAGES.keys() - OF_NO_METRIC))
def test_every_alert_rule_is_named_where_its_metric_is_shown(name: str) -> None:
    described = [panel["description"] for page in DASHBOARDS.values() for panel in page["panels"] if "targets" in panel]
    assert any(f"`{name}`: docs/runbook/{name}.md" in text for text in described)


@pytest.mark.parametrize("name", sorted(DASHBOARDS))
def test_a_dashboard_leads_to_the_others_with_the_same_workers_and_time(name: str) -> None:
    page = DASHBOARDS[name]
    (link,) = [one for one in page["links"] if one["type"] == "dashboards"]
    assert set(link["tags"]) <= set(page["tags"])
    assert link["includeVars"]
    assert link["keepTime"]


@pytest.mark.parametrize("name", sorted(DASHBOARDS))
def test_colours_are_those_that_everybody_tells_apart(name: str) -> None:
    known = {*palette.CATEGORIES, palette.WELL, palette.DOUBTFUL, palette.BAD}
    text = json.dumps(DASHBOARDS[name])
    assert set(re.findall(r'"(?:color|fixedColor|iconColor)": "([^"]*)"', text)) <= known
    assert "palette-classic" not in text


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_is_promql_over_catalogued_metrics_of_the_chosen_workers(query: Asked) -> None:
    expr = resolved(query.expr)
    for use in uses(expr):
        if use.name in OF_PROMETHEUS:
            continue
        entry = CATALOGUE[PARTS.get(use.name, use.name)]
        assert (entry.kind == "histogram") == (use.name in PARTS), use.name
        assert use.matched <= set(entry.labels) | ADDED, use.name
        assert query.kind == "variable" or {"job", "instance"} <= use.matched, use.name
        assert grouped(expr) <= {*ADDED, *(label for one in uses(expr) for label in labels(one.name))}


@pytest.mark.parametrize("query", QUERIES)
def test_counters_are_shown_as_rates_and_gauges_as_they_are(query: Asked) -> None:
    expr = resolved(query.expr)
    kinds = {use.name: CATALOGUE[use.name].kind for use in uses(expr) if use.name in CATALOGUE}
    if query.kind == "panel" and query.title not in SINCE_THE_START:
        assert {name for name, kind in kinds.items() if kind == "counter"} == set(ranges(expr)) & kinds.keys()


def test_a_metric_that_the_catalogue_lacks_is_no_query() -> None:
    with pytest.raises(KeyError):
        metric("parcelwatch_lag_recrods")


def labels(name: str) -> tuple[str, ...]:
    return () if name in OF_PROMETHEUS else CATALOGUE[PARTS.get(name, name)].labels
