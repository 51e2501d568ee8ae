"""Charts as SVG inside of the page, in the colours of its style sheet: no script, no style of their own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from html import escape
from typing import NamedTuple

import leather
from leather import theme

from schemas.times import DAY, HOUR
from streams.alerts.facts import percent
from streams.alerts.languages import LANGUAGES, Tag

WIDTH, HEIGHT = 900, 340
_TICKS = 5

theme.background_color = "transparent"
theme.tick_color = theme.zero_color = "var(--line)"
theme.label_color = theme.legend_color = "var(--ink)"
theme.tick_font_family = theme.legend_font_family = "inherit"
theme.margin = 0.02
# A Chinese character is as wide as it is high.
theme.legend_font_char_width = 14


class Curve(NamedTuple):
    """A line of a chart: its name, its colour (a variable of the style sheet), and shares by time (microseconds)."""

    name: str
    colour: str
    points: Sequence[tuple[int, float]]
    dashed: bool = False


def shares(curves: Sequence[Curve], until: int, title: str, tag: Tag) -> str:
    """The curves as SVG, each holding its last value up to `until`; empty without any point."""
    known = [curve for curve in curves if curve.points]
    if not known:
        return ""
    first = min(curve.points[0][0] for curve in known)
    until = max(until, first + HOUR)
    top = max(share for curve in known for _, share in curve.points) * 1.08 or 0.01
    chart = leather.Chart()
    ahead = LANGUAGES[tag].hours_ahead * HOUR
    chart.add_x_scale(_moment(first + ahead), _moment(until + ahead))
    chart.add_y_scale(0, top)
    for curve in known:
        stairs = [(_moment(at + ahead), share) for at, share in _stairs(curve.points, until)]
        # A key of the legend has the colour of its line; an empty one is drawn where there is one line alone.
        chart.add_line(stairs, name=curve.name, stroke_color=f"var(--{curve.colour})",
                       stroke_dasharray="6 4" if curve.dashed else "none")  # fmt: skip
    days, form = _round_moments(first + ahead, until + ahead)
    chart.add_x_axis(ticks=days, tick_formatter=lambda value, *_: value.strftime(form))
    rungs = _round_steps(top)
    chart.add_y_axis(ticks=rungs, tick_formatter=lambda value, *_: percent(round(float(value), 4)) or "")
    drawn = str(chart.to_svg(width=WIDTH, height=HEIGHT))
    head = f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}"'
    return drawn.replace(f'<svg width="{WIDTH}" height="{HEIGHT}"', head, 1)


def _stairs(points: Sequence[tuple[int, float]], until: int) -> list[tuple[int, float]]:
    """A value holds until the next: two points a step."""
    found: list[tuple[int, float]] = []
    for at, share in points:
        if found:
            found.append((at, found[-1][1]))
        found.append((at, share))
    return [*found, (max(until, found[-1][0]), found[-1][1])]


def _round_moments(first: int, until: int) -> tuple[list[datetime], str]:
    """Midnights, or full hours within two days; and how they are written."""
    unit, form = (DAY, "%m-%d") if until - first > 2 * DAY else (HOUR, "%m-%d %H:00")
    step = max(1, -(-(until - first) // unit // (_TICKS + 2))) * unit
    begin = -(-first // unit) * unit
    return [_moment(at) for at in range(begin, until + 1, step)] or [_moment(first)], form


def _round_steps(top: float) -> list[float]:
    """From 0 up to `top` at the most, in steps of 1, 2 or 5 times a power of ten, about five of them."""
    power = 10.0 ** math.floor(math.log10(top / _TICKS))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor * _TICKS >= top * (1 - 1e-9))
    return [step * number for number in range(int(top / step) + 1)]


def _moment(micros: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC).replace(tzinfo=None) + timedelta(microseconds=micros)
