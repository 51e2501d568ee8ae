"""A comparison as one HTML file: no script, and nothing that is loaded from elsewhere."""

from __future__ import annotations

from importlib import resources

import jinja2
import msgspec

from streams.compare import plots
from streams.compare.findings import CHANGES, Findings

#: Shops that are listed; the JSON file has them all.
MOST_SHOPS = 100


def render(findings: Findings) -> str:
    """The page. Ids and names are escaped; the same findings give the same bytes."""
    template = (resources.files("streams.compare") / "report.html.j2").read_text("utf-8")
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    shown = bool(findings.types)
    return environment.from_string(template).render(
        found=findings,
        totals={change: findings.total(change) for change in CHANGES},
        plots=msgspec.structs.asdict(_plots(findings)) if shown else None,
        most_shops=MOST_SHOPS,
        colors={"a": plots.A, "b": plots.B},
    )


class _Plots(msgspec.Struct):
    changes: str
    over_soon: str | None
    by_day: str
    levels: str | None


def _plots(findings: Findings) -> _Plots:
    watched = any(row.a.share is not None or row.b.share is not None for row in findings.types)
    return _Plots(
        plots.changes(findings),
        plots.over_soon(findings) if watched else None,
        plots.by_day(findings),
        plots.levels(findings),
    )
