"""The kinds of panels, each with title, description, unit and colours in one way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeVar

from grafana_foundation_sdk.builders import bargauge, dashboard, prometheus, stat, statetimeline, table, timeseries
from grafana_foundation_sdk.builders.common import (
    ReduceDataOptions,
    StackingConfig,
    VizLegendOptions,
    VizTooltipOptions,
)
from grafana_foundation_sdk.models import units
from grafana_foundation_sdk.models.common import (
    BarGaugeDisplayMode,
    BigValueColorMode,
    BigValueGraphMode,
    DataSourceRef,
    LegendDisplayMode,
    LegendPlacement,
    SortOrder,
    StackingMode,
    TooltipDisplayMode,
    VisibilityMode,
    VizOrientation,
)
from grafana_foundation_sdk.models.dashboard import (
    DataTransformerConfig,
    DynamicConfigValue,
    ValueMap,
    ValueMappingResult,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from dashboards import alarms, palette
from dashboards.metrics import MEANINGS
from dashboards.queries import names

#: The data source that the dashboard's first variable chooses.
PROMETHEUS = DataSourceRef(type_val="prometheus", uid="${datasource}")
Visual = TypeVar("Visual", stat.Panel, timeseries.Panel, bargauge.Panel, table.Panel, statetimeline.Panel)
Limits = Sequence[tuple[float, str]]


class Query(NamedTuple):
    """An expression of PromQL, and the name of its series, with labels as `{{label}}`."""

    expr: str
    legend: str = "__auto"


def value(
    title: str, about: str, expr: str, *, unit: str = units.NoUnit, limits: Limits = (), below: str = palette.WELL,
    width: int = 4, height: int = 4,
) -> stat.Panel:  # fmt: skip
    """One number as of now, above its course."""
    panel = _framed(stat.Panel(), title, about, [Query(expr)], unit, width, height)
    panel.reduce_options(ReduceDataOptions().calcs(["lastNotNull"])).color_mode(BigValueColorMode.VALUE)
    panel.graph_mode(BigValueGraphMode.AREA).color_scheme(palette.by_thresholds())
    return panel.thresholds(palette.thresholds(limits, below))


def lines(
    title: str, about: str, *queries: Query, unit: str, known: Sequence[str] = (), stacked: bool = False,
    limits: Limits = (), width: int = 12, height: int = 8, floor: float | None = 0,
) -> timeseries.Panel:  # fmt: skip
    """Series over time. `known`: the names that they can have, for colours of their own. `floor`: the least value."""
    panel = _framed(timeseries.Panel(), title, about, queries, unit, width, height)
    panel.color_scheme(palette.shades()).line_width(1).fill_opacity(20 if stacked else 5)
    if floor is not None:
        panel.min(floor)
    panel.show_points(VisibilityMode.AUTO)
    panel.legend(
        VizLegendOptions().display_mode(LegendDisplayMode.TABLE).placement(LegendPlacement.BOTTOM)
        .show_legend(True).calcs(["lastNotNull", "max"])
    )  # fmt: skip
    panel.tooltip(VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING))
    if stacked:
        panel.stacking(StackingConfig().mode(StackingMode.NORMAL))
    for name, colour in zip(known, palette.CATEGORIES, strict=False):
        panel.override_by_name(name, [DynamicConfigValue("color", {"mode": "fixed", "fixedColor": colour})])
    return panel.thresholds(palette.thresholds(limits))


def bars(
    title: str, about: str, query: Query, *, unit: str = units.Short, limits: Limits = (), width: int = 12,
    height: int = 8,
) -> bargauge.Panel:  # fmt: skip
    """One bar for each series, as of now."""
    panel = _framed(bargauge.Panel(), title, about, [query], unit, width, height, instant=True)
    panel.orientation(VizOrientation.HORIZONTAL).display_mode(BarGaugeDisplayMode.BASIC).min(0)
    panel.reduce_options(ReduceDataOptions().calcs(["lastNotNull"])).color_scheme(palette.by_thresholds())
    return panel.thresholds(palette.thresholds(limits))


def rows(
    title: str, about: str, expr: str, columns: dict[str, str], *, unit: str = units.NoUnit, value_name: str = "",
    width: int = 12, height: int = 8,
) -> table.Panel:  # fmt: skip
    """A row for each series as of now. `columns`: titles by label, in order; `value_name`: the value's, if shown."""
    panel = _framed(table.Panel(), title, about, [Query(expr)], unit, width, height, instant=True)
    shown = [*columns, *(["Value"] if value_name else [])]
    organize = {
        "indexByName": {name: place for place, name in enumerate(shown)},
        "renameByName": columns | ({"Value": value_name} if value_name else {}),
    }
    return panel.transformations(
        [
            DataTransformerConfig("filterFieldsByName", options={"include": {"names": shown}}),
            DataTransformerConfig("organize", options=organize),
        ]
    )


def states(
    title: str, about: str, query: Query, words: Mapping[str, tuple[str, str]], *, width: int = 12, height: int = 8
) -> statetimeline.Panel:
    """The states of each series over time. `words`: text and colour by value."""
    panel = _framed(statetimeline.Panel(), title, about, [query], units.NoUnit, width, height)
    panel.show_value(VisibilityMode.NEVER).legend(
        VizLegendOptions().display_mode(LegendDisplayMode.LIST).placement(LegendPlacement.BOTTOM).show_legend(True)
    )
    return panel.mappings([ValueMap({key: ValueMappingResult(text, colour) for key, (text, colour) in words.items()})])


def firing(title: str, about: str, *, width: int = 12, height: int = 8) -> dashboard.Panel:
    """Grafana's own list of the data source's alerts."""
    panel = dashboard.Panel().type("alertlist").title(title).description(about).span(width).height(height)
    shown = {"firing": True, "pending": True, "error": True, "noData": False, "normal": False, "recovering": True}
    return panel.options(
        {
            "viewMode": "list", "groupMode": "default", "maxItems": 20, "sortOrder": 3, "dashboardAlerts": False,
            "alertName": "Parcelwatch", "datasource": "Prometheus", "stateFilter": shown,
        }
    )  # fmt: skip


def description(about: str, queries: Sequence[Query]) -> str:
    """`about`, what the catalogue says of each metric in use, and the pages of the alert rules that watch these."""
    used = list(dict.fromkeys(name for query in queries for name in names(query.expr)))
    told = [f"- `{name}`: {MEANINGS[name]}" for name in used]
    pages = [f"- Alarm `{rule}`: {alarms.PAGES[rule]}." for rule in alarms.watching(used)]
    return "\n".join([about, "", *told, *pages])


def _framed(
    panel: Visual, title: str, about: str, queries: Sequence[Query], unit: str, width: int, height: int,
    instant: bool = False,
) -> Visual:  # fmt: skip
    panel.title(title).description(description(about, queries)).unit(unit).span(width).height(height)
    panel.datasource(PROMETHEUS)
    for number, query in enumerate(queries):
        target = prometheus.Dataquery().expr(query.expr).legend_format(query.legend).ref_id(chr(ord("A") + number))
        target.datasource(PROMETHEUS)
        panel.with_target(target.instant().format(PromQueryFormat.TABLE) if instant else target.range())
    return panel
