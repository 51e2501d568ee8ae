"""The plots of a study as SVG, the same bytes for the same findings."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator, PercentFormatter

from streams.charts.style import BLUE, ORANGE, STYLE
from streams.charts.svg import svg
from streams.tune.findings import Group, Proposal
from streams.tune.shares import Share

PROMISED, FOUND = BLUE, ORANGE
_WIDTH = 9.6
_ACROSS = 3


def curves(groups: Sequence[Group]) -> str:
    """The share that is delivered after all by the length of the silence, with its interval: one small plot a group.

    They are numbered as in the table beside; names of carriers are set by the page.
    """
    lines = -(-len(groups) // _ACROSS)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(_WIDTH, 0.6 + 1.9 * lines), layout="constrained")
        grid = figure.subplots(lines, _ACROSS, sharex=True, sharey=True, squeeze=False)
        for number, (axes, group) in enumerate(zip(grid.flat, groups, strict=False), 1):
            hours = [point.hours for point in group.curve]
            shares = [point.delivered_after_all for point in group.curve]
            axes.fill_between(
                hours, [one.low for one in shares], [one.high for one in shares], color=BLUE, alpha=0.2, linewidth=0
            )
            axes.plot(hours, [one.estimate for one in shares], color=BLUE, linewidth=1.4, marker="o", markersize=2.5)
            axes.set_title(f"{number}", fontsize=9)
        for axes in list(grid.flat)[len(groups) :]:
            axes.set_visible(False)
        first: Axes = grid.flat[0]
        first.set_ylim(0, 1.02)
        first.set_xlim(left=0)
        first.yaxis.set_major_formatter(PercentFormatter(1))
        first.xaxis.set_major_locator(MultipleLocator(120))
        figure.supxlabel("silent for so many hours", fontsize=9.5)
        figure.supylabel("delivered after all", fontsize=9.5)
        return svg(figure)


def kept_promises(proposals: Sequence[Proposal]) -> str:
    """What was promised and what was found, with intervals: one line for each threshold, numbered as in the table."""
    rows = [one.choice for one in proposals if one.choice is not None][::-1]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(_WIDTH, 1.1 + 0.32 * len(rows)), layout="constrained")
        axes = figure.subplots()
        for offset, color, name, shares in (
            (0.14, PROMISED, "promised", [row.promised for row in rows]),
            (-0.14, FOUND, "found later", [row.found for row in rows]),
        ):
            _intervals(axes, offset, color, name, shares)
        axes.set_yticks(range(len(rows)), [str(len(rows) - place) for place in range(len(rows))])
        axes.set_ylim(-0.6, len(rows) - 0.4)
        axes.set_xlim(0, 1.02)
        axes.xaxis.set_major_formatter(PercentFormatter(1))
        axes.set_xlabel("share of the alerts that are right (%)")
        figure.legend(loc="outside upper center", ncols=2)
        return svg(figure)


def _intervals(axes: Axes, offset: float, color: str, name: str, shares: Sequence[Share | None]) -> None:
    known = [(place + offset, share) for place, share in enumerate(shares) if share is not None]
    axes.hlines(
        [place for place, _ in known], [one.low for _, one in known], [one.high for _, one in known], color=color
    )
    axes.plot(
        [one.estimate for _, one in known], [place for place, _ in known], "o", color=color, markersize=4, label=name
    )
