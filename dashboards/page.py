"""What every dashboard has: variables, links, annotations, rows on a grid of 24 columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from grafana_foundation_sdk.builders.dashboard import (
    AnnotationQuery,
    Dashboard,
    DashboardLink,
    DatasourceVariable,
    QueryVariable,
    Row,
)
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.common import TimeZoneBrowser

from dashboards.palette import ORANGE, PURPLE
from dashboards.panels import PROMETHEUS
from dashboards.queries import CHOSEN, CHOSEN_DOORS, metric

#: Each dashboard links to the others that have it.
TAG = "parcelwatch"
Panel = Builder[model.Panel]


def page(
    name: str, title: str, about: str, sections: Mapping[str, Sequence[Panel]], *, of_doors: bool = False
) -> model.Dashboard:
    """A dashboard whose uid is `parcelwatch-NAME`, with the panels under their headings; of workers, or of doors."""
    made = Dashboard(f"parcelwatch: {title}").uid(f"parcelwatch-{name}").description(about).tags([TAG]).readonly()
    made.timezone(TimeZoneBrowser).time("now-1h", "now").refresh("30s")
    made.tooltip(model.DashboardCursorSync.CROSSHAIR)
    for variable in _doors() if of_doors else _workers():
        made.with_variable(variable)
    for annotation in [_restarts(CHOSEN_DOORS)] if of_doors else [_restarts(CHOSEN), _rebalances()]:
        made.annotation(annotation)
    others = DashboardLink("parcelwatch").type(model.DashboardLinkType.DASHBOARDS).tags([TAG])
    made.link(others.keep_time(True).include_vars(True))
    for heading, panels in sections.items():
        made.with_row(Row(heading))
        for panel in panels:
            made.with_panel(panel)
    return _numbered(made.build())


def _workers() -> list[DatasourceVariable | QueryVariable]:
    of = "parcelwatch_build_info"
    return [
        _source(),
        _choice("job", "Job", "job", of),
        _choice("application", "Application", "application", of, 'job=~"$job"'),
        _choice("instance", "Worker", "instance", of, 'job=~"$job",application=~"$application"'),
    ]


def _doors() -> list[DatasourceVariable | QueryVariable]:
    """Of other names than those of the workers, which a link from their dashboards brings along."""
    either = '__name__=~"parcelwatch_ingest_ready|parcelwatch_notify_leading"'
    return [
        _source(),
        _choice("door_job", "Job", "job", "", either),
        _choice("door", "Ingest or notifier", "instance", "", f'{either},job=~"$door_job"'),
    ]


def _source() -> DatasourceVariable:
    return DatasourceVariable("datasource").label("Prometheus").type("prometheus")


def _choice(name: str, title: str, label: str, of: str, matchers: str = "") -> QueryVariable:
    """A label's values. All is what the variables before it leave: of workers, those of the chosen applications."""
    query = f"label_values({of}{{{matchers}}}, {label})"
    made = QueryVariable(name).label(title).datasource(PROMETHEUS).definition(query)
    made.query({"query": query, "refId": name, "qryType": 1}).multi(True).include_all(True)
    made.refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED).sort(model.VariableSort.NATURAL_ASC)
    return made.current(model.VariableOption(selected=True, text=["All"], value=["$__all"]))


# Within a minute, and asked for each minute: each is marked once.


def _restarts(chosen: str) -> AnnotationQuery:
    started = f"changes(process_start_time_seconds{{{chosen}}}[1m]) > 0"
    return _mark("Restarts", ORANGE, started, "{{instance}} restarted")


def _rebalances() -> AnnotationQuery:
    given = f"increase({metric('parcelwatch_rebalances_total')}[1m]) > 0"
    return _mark("Rebalances", PURPLE, given, "{{instance}} was given its tasks anew")


def _mark(name: str, colour: str, expr: str, text: str) -> AnnotationQuery:
    target = Dataquery().expr(expr).ref_id("Anno").datasource(PROMETHEUS).range()
    made = AnnotationQuery().name(name).datasource(PROMETHEUS).icon_color(colour).target(target).enable(True)
    return made.expr(expr).title_format(name).text_format(text).step("60s")


def _numbered(dashboard: model.Dashboard) -> model.Dashboard:
    """Panels need ids of their own, so that links to one panel hold."""
    for number, panel in enumerate(dashboard.panels or (), 1):
        panel.id_val = number
    return dashboard
