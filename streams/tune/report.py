"""A study as one HTML file."""

from __future__ import annotations

from streams.charts.page import page
from streams.tune import plots
from streams.tune.findings import Findings
from streams.tune.shares import percent
from streams.tune.table import SAID

#: Groups whose curves are drawn: the largest. The JSON file has them all.
MOST_CURVES = 24


def render(findings: Findings) -> str:
    """The page; the same findings give the same bytes."""
    drawn = [group for group in findings.groups if group.curve]
    drawn = sorted(drawn, key=lambda group: -group.parcels)[:MOST_CURVES]
    chosen = [one for one in findings.proposals if one.choice is not None]
    others = [one for one in findings.proposals if one.choice is None]
    return page(
        "streams.tune",
        "report.html.j2",
        found=findings,
        drawn=drawn,
        chosen=chosen,
        others=others,
        curves=plots.curves(drawn) if drawn else None,
        promises=plots.kept_promises(chosen) if chosen else None,
        percent=percent,
        said=SAID,
        colors={"a": plots.PROMISED, "b": plots.FOUND},
    )
