"""What the samples of a run say. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean


@dataclass(frozen=True, slots=True)
class Slope:
    """By how much something grows, with the standard error of that, in its unit an hour."""

    an_hour: float
    error: float


def slope(points: Sequence[tuple[float, float]], period: float) -> Slope | None:
    """Of (seconds, value), by least squares over the means of whole periods; None: of fewer than three.

    Within a period, what bursts do is not growth; and values that follow closely on each other are not independent.
    """
    if not points:
        return None
    begin, end = points[0][0], points[-1][0]
    means: list[tuple[float, float]] = []
    for number in range(round((end - begin) // period)):
        first = begin + number * period
        within = [value for at, value in points if first <= at < first + period]
        if within:
            means.append(((first + period / 2) / 3600, fmean(within)))
    if len(means) < 3:
        return None
    x, y = fmean(at for at, _ in means), fmean(value for _, value in means)
    spread = sum((at - x) ** 2 for at, _ in means)
    by = sum((at - x) * (value - y) for at, value in means) / spread
    left = sum((value - y - by * (at - x)) ** 2 for at, value in means)
    return Slope(by, sqrt(left / (len(means) - 2) / spread))


def back_after(points: Sequence[tuple[float, float]], end: float, until: float, nothing: float) -> float | None:
    """Seconds from `end` until a lag, of (seconds, value), was at most `nothing`; None if not before `until`."""
    return next((at - end for at, lag in points if end <= at < until and lag <= nothing), None)


def most(points: Sequence[tuple[float, float]], begin: float, until: float) -> float:
    """The greatest value within that time; 0 where there is none."""
    return max((value for at, value in points if begin <= at < until), default=0.0)
