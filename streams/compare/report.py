"""A comparison as one HTML file: no script, and nothing that is loaded from elsewhere."""

from __future__ import annotations

from html import escape
from shlex import quote

from streams.alerts.languages import FALLBACK, Tag
from streams.charts.page import page
from streams.compare import plots
from streams.compare.findings import CHANGES, Findings
from streams.compare.wording import Words
from streams.policy.settings import told
from streams.rules.help_rate.levels import LEVELS

#: Shops that are listed; the JSON file has them all.
MOST_SHOPS = 100
#: Texts of the plots.
_AXES = ("plot_changes", "plot_over", "plot_day", "plot_shops")


def render(findings: Findings, lang: Tag = FALLBACK, explain: str = "INPUT --policy B") -> str:
    """The page in a language. Ids and names are escaped; the same findings give the same bytes.

    `explain`: what a command that explains an example is told besides the example.
    """
    say = Words(lang)
    shown = bool(findings.types)
    return page(
        "streams.compare",
        "report.html.j2",
        language=lang,
        say=say,
        told=told,
        explain=lambda subject: f"parcelwatch explain {quote(subject)} {explain}",
        found=findings,
        changes=CHANGES,
        totals={change: findings.total(change) for change in CHANGES},
        plots={name: _in_words(plot, say) for name, plot in _plots(findings).items()} if shown else None,
        most_shops=MOST_SHOPS,
        colors={"a": plots.A, "b": plots.B},
    )


def _plots(findings: Findings) -> dict[str, str | None]:
    watched = any(row.a.share is not None or row.b.share is not None for row in findings.shown)
    return {
        "changes": plots.changes(findings),
        "over_soon": plots.over_soon(findings) if watched else None,
        "by_day": plots.by_day(findings),
        "levels": plots.levels(findings),
    }


def _in_words(plot: str | None, say: Words) -> str | None:
    """The plot with its texts in the language: it is drawn in English, whose letters the library can measure."""
    if plot is None or say.tag == FALLBACK:
        return plot
    english = Words(FALLBACK)
    for name in (*CHANGES, *LEVELS, *_AXES):
        plot = plot.replace(f">{escape(english(name))}<", f">{escape(say(name))}<")
    return plot
