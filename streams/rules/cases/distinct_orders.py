"""The hour in which an escalated order counts, if each order counts once.

As of a boundary, it counts in the hour of its latest escalation not voided by then. So every window that holds one of
its escalations counts the order once, however the windows slide.
"""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heappop, heappush
from typing import NamedTuple

from schemas.times import AFTER_ALL, HOUR


class Span(NamedTuple):
    """An escalation in the hour that begins at `hour`; `ended`: the boundary as of which it is voided, or None.

    Microseconds, both on the hour.
    """

    hour: int
    ended: int | None


class Move(NamedTuple):
    """As of `boundary` the order enters an hour (`sign` 1) or leaves it (-1). Microseconds, on the hour."""

    boundary: int
    hour: int
    sign: int


def moves(spans: Iterable[Span]) -> list[Move]:
    """The moves of one order, by boundary. An escalation counts from the boundary after its hour on."""
    begun = sorted((span.hour, AFTER_ALL if span.ended is None else span.ended) for span in spans)
    boundaries = {hour + HOUR for hour, _ in begun} | {ended for _, ended in begun if ended != AFTER_ALL}
    result: list[Move] = []
    #: Heap of (minus hour, end) of spans begun, latest first. Ended spans stay until they reach the top.
    known: list[tuple[int, int]] = []
    place: int | None = None
    number = 0
    for boundary in sorted(boundaries):
        while number < len(begun) and begun[number][0] < boundary:
            heappush(known, (-begun[number][0], begun[number][1]))
            number += 1
        while known and known[0][1] <= boundary:
            heappop(known)
        latest = -known[0][0] if known else None
        if latest != place:
            if place is not None:
                result.append(Move(boundary, place, -1))
            if latest is not None:
                result.append(Move(boundary, latest, 1))
            place = latest
    return result
