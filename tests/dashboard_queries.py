"""The queries of a dashboard, as Prometheus gets them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

#: What Grafana puts in for its variables. Of a machine that has other things to do than to scrape, a rate over a few
#: seconds finds one sample.
VARIABLES = {
    "job": ".+", "door_job": ".+", "door": ".+",
    "instance": ".+", "application": ".+", "__rate_interval": "1m", "__interval": "1s", "__range": "10m",
}  # fmt: skip


class Asked(NamedTuple):
    """`kind`: panel, annotation or variable. `instant`: asked for as of now, not over time."""

    dashboard: str
    title: str
    kind: str
    expr: str
    instant: bool


def asked(page: dict[str, Any]) -> Iterator[Asked]:
    """The queries of a dashboard's panels, annotations and variables; of these the selector."""
    for panel in page["panels"]:
        for target in panel.get("targets", ()):
            yield Asked(page["uid"], panel["title"], "panel", target["expr"], target.get("instant", False))
    for annotation in page["annotations"]["list"]:
        if "expr" in annotation:
            yield Asked(page["uid"], annotation["name"], "annotation", annotation["expr"], False)
    for variable in page["templating"]["list"]:
        if variable["type"] == "query":
            selector, label = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["query"]["query"]).groups()
            yield Asked(page["uid"], variable["name"], "variable", f"count by ({label}) ({selector})", True)


def resolved(expr: str) -> str:
    """With a value for each variable."""
    return re.sub(r"\$(\w+)", lambda found: VARIABLES[found[1]], expr)
