"""Which of Prometheus' alert rules watch which metric."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from dashboards.queries import names

FOLDER = Path(__file__).parents[1] / "deploy/prometheus"


def _rules(file: str) -> Iterator[dict[str, Any]]:
    for group in yaml.safe_load((FOLDER / file).read_text())["groups"]:
        yield from group["rules"]


_RECORDED = {rule["record"]: rule["expr"] for rule in _rules("recording-rules.yml")}


def _watched(expr: str) -> list[str]:
    """The metrics of an expression, and of what it takes from recording rules."""
    return names(re.sub("|".join(map(re.escape, _RECORDED)), lambda found: _RECORDED[found[0]], expr))


#: Where the page of the runbook lies within the project, by the rule's name; and the metrics that the rule looks at.
PAGES = {rule["alert"]: rule["annotations"]["runbook_url"] for rule in _rules("alert-rules.yml")}
_METRICS = {rule["alert"]: _watched(rule["expr"]) for rule in _rules("alert-rules.yml")}


def watching(metrics: list[str]) -> list[str]:
    """The rules whose first metric is among these."""
    return [name for name, watched in _METRICS.items() if watched and watched[0] in metrics]
