"""The plots of a comparison as SVG, the same bytes for the same findings.

Text stays text and names no policy or shop, so that whatever they are called, the reader's browser sets it in a font
that has it, and nothing here has to measure it. A and B are told apart by colour and by letter.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import matplotlib as mpl
from matplotlib import dates
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from streams.alerts.languages import FALLBACK
from streams.charts.style import BLUE, GREEN, INK, ORANGE, STYLE, VIOLET
from streams.charts.svg import svg
from streams.compare.findings import CHANGES, Findings, TypeRow
from streams.compare.wording import Words
from streams.rules.help_rate.levels import LEVELS

#: Plots are in English: the library can measure its letters. A page puts its own language there.
_SAY = Words(FALLBACK)
A, B = BLUE, ORANGE
CHANGE_COLORS = ("#c9ced6", GREEN, VIOLET, A, B)
CHANGE_NAMES = tuple(_SAY(change) for change in CHANGES)
_LEVEL_COLORS = ("#f3d37a", "#eb9a4b", "#c4443c")
_WIDTH = 9.6
#: This part of the library has no types.
_DATES: Any = dates
#: Points of a line at most; longer times are put together, several days to a point.
_MOST_POINTS = 180


def changes(findings: Findings) -> str:
    """What became of each alert: one bar for each type, in parts."""
    rows = findings.shown[::-1]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(_WIDTH, 1.3 + 0.3 * len(rows)), layout="constrained")
        axes = figure.subplots()
        left = [0.0] * len(rows)
        totals = [sum(row.changes.values()) for row in rows]
        for change, color, name in zip(CHANGES, CHANGE_COLORS, CHANGE_NAMES, strict=True):
            parts = [row.changes[change] / total for row, total in zip(rows, totals, strict=True)]
            bars = axes.barh(range(len(rows)), parts, left=left, color=color, label=name, height=0.7)
            texts = [f"{row.changes[change]:,}" if part > 0.06 else "" for row, part in zip(rows, parts, strict=True)]
            axes.bar_label(bars, texts, label_type="center", fontsize=8.5,
                           color="white" if color != CHANGE_COLORS[0] else INK)  # fmt: skip
            left = [start + part for start, part in zip(left, parts, strict=True)]
        _name_rows(axes, rows)
        axes.set_xlim(0, 1)
        axes.xaxis.set_major_formatter(PercentFormatter(1))
        axes.set_xlabel(_SAY("plot_changes"))
        figure.legend(loc="outside upper center", ncols=len(CHANGES))
        return svg(figure)


def over_soon(findings: Findings) -> str:
    """How many alerts of each type were over by themselves within 24 h."""
    rows = [row for row in findings.shown if row.a.share is not None or row.b.share is not None][::-1]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(_WIDTH, 1.2 + 0.45 * len(rows)), layout="constrained")
        axes = figure.subplots()
        for name, color, offset, counts in (
            ("A", A, 0.2, [row.a for row in rows]),
            ("B", B, -0.2, [row.b for row in rows]),
        ):
            places = [place + offset for place in range(len(rows))]
            bars = axes.barh(places, [count.share or 0 for count in counts], height=0.36, color=color, label=name)
            texts = [
                f"{count.share:.0%}  ({count.over_in_a_day:,} of {count.watched:,})" if count.share is not None else ""
                for count in counts
            ]
            axes.bar_label(bars, texts, padding=3, fontsize=8)
        _name_rows(axes, rows)
        axes.set_xlim(0, 1.18)
        axes.set_xticks([0, 0.2, 0.4, 0.6, 0.8, 1])
        axes.xaxis.set_major_formatter(PercentFormatter(1))
        axes.set_xlabel(_SAY("plot_over"))
        figure.legend(loc="outside upper center", ncols=2, reverse=False)
        return svg(figure)


def by_day(findings: Findings) -> str:
    """Alerts raised by day: one small plot for each type."""
    rows = findings.shown
    days, step = _days(rows)
    with mpl.rc_context(STYLE):
        lines = -(-len(rows) // 3)
        figure = Figure(figsize=(_WIDTH, 0.6 + 1.75 * lines), layout="constrained")
        grid = figure.subplots(lines, 3, sharex=True, squeeze=False)
        for axes, row in zip(grid.flat, rows, strict=False):
            of_a, of_b = (_per_step(row, days, step, side) for side in (0, 1))
            axes.fill_between(_numbers(days), of_a, step="mid", color=A, alpha=0.35, linewidth=0)
            axes.plot(_numbers(days), of_b, color=B, linewidth=1.2, drawstyle="steps-mid")
            axes.set_title(row.type, fontsize=9)
            axes.set_ylim(bottom=0)
            axes.yaxis.set_major_locator(MaxNLocator(nbins=4, integer=True, min_n_ticks=1))
        spare = list(grid.flat)[len(rows) :]
        for axes in spare:
            axes.set_visible(False)
        for axes in list(grid.flat)[: len(rows)][-3:]:
            axes.tick_params(labelbottom=True)
        _date_axis(grid.flat[0])
        figure.supxlabel(_span(days), fontsize=9.5)
        figure.supylabel(_SAY("plot_day") if step == 1 else f"alerts in {step} days", fontsize=9.5)
        return svg(figure)


def levels(findings: Findings) -> str | None:
    """Shops at each level by day under both policies; None where no shop ever reached one."""
    counts = findings.levels
    top = max((sum(side.get(level, 0) for level in LEVELS) for one in counts for side in (one.a, one.b)), default=0)
    if not top:
        return None
    days = [date.fromisoformat(one.day) for one in counts]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(_WIDTH, 3.2), layout="constrained")
        left, right = figure.subplots(1, 2, sharex=True, sharey=True)
        for axes, title, sides in ((left, "A", [one.a for one in counts]), (right, "B", [one.b for one in counts])):
            stacks = [[side.get(level, 0) for side in sides] for level in LEVELS]
            axes.stackplot(_numbers(days), stacks, labels=LEVELS, colors=_LEVEL_COLORS, step="post", linewidth=0)
            axes.set_title(title)
            axes.set_xlabel(_span(days))
        left.set_ylabel(_SAY("plot_shops"))
        left.set_ylim(0, top * 1.08)
        left.yaxis.set_major_locator(MaxNLocator(integer=True))
        _date_axis(left)
        handles, names = left.get_legend_handles_labels()
        figure.legend(handles, names, loc="outside upper center", ncols=len(LEVELS))
        return svg(figure)


def _name_rows(axes: Axes, rows: Sequence[TypeRow]) -> None:
    axes.set_yticks(range(len(rows)), [row.type for row in rows])
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)


def _date_axis(axes: Axes) -> None:
    # The margins must not reach beyond the calendar.
    left, right = axes.get_xlim()
    first, last = _numbers((date.min, date.max))
    if left < first or right > last:
        axes.set_xlim(max(left, first), min(right, last))
    locator = _DATES.AutoDateLocator(minticks=3, maxticks=5)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(_DATES.ConciseDateFormatter(locator, show_offset=False))


def _span(days: Sequence[date]) -> str:
    return f"day (UTC), {days[0]} to {days[-1]}"


def _numbers(days: Sequence[date]) -> list[float]:
    """Days as the library counts them on an axis."""
    return [float(number) for number in _DATES.date2num(days)]


def _days(rows: Sequence[TypeRow]) -> tuple[list[date], int]:
    """The first days of equal steps over the whole time, and how many days one step is."""
    named = sorted({day for row in rows for day in row.days})
    first, last = date.fromisoformat(named[0]), date.fromisoformat(named[-1])
    length = (last - first).days + 1
    step = -(-length // _MOST_POINTS)
    return [first + timedelta(days=past) for past in range(0, length, step)], step


def _per_step(row: TypeRow, days: Sequence[date], step: int, side: int) -> list[int]:
    counts = [0] * len(days)
    for day, both in row.days.items():
        counts[(date.fromisoformat(day) - days[0]).days // step] += both[side]
    return counts
