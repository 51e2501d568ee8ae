"""Deadlines of a shipment's silences: each raises an alert, is met, or is moved by a silent feed."""

from __future__ import annotations

from typing import Literal, NamedTuple

from streams.policy.relief import Relief
from streams.rules.shipments.carrier_feeds import Feed, Silent

#: `held`: the carrier's feed is still silent, so the new deadline is not known yet.
Outcome = Literal["raises", "prevented", "held", "prevented_after_move", "past_giving_up", "moved_past_giving_up"]


class Verdict(NamedTuple):
    """The outcome of a deadline. `time`: the effective deadline; `silent`: the feed silence that it fell into."""

    outcome: Outcome
    time: int
    silent: Silent | None = None


class Deadline(NamedTuple):
    """When an alert of `type` is due if no feed is silent. Times in microseconds.

    `since`: what it counts from; `threshold`: how long after that it is, but for the relief. `strict`: what comes at
    the very instant is in time. `end`: what came, if anything did; `given_up`: up to when the shipment is watched.
    """

    type: str
    since: int
    threshold: int
    strict: bool
    end: int | None
    given_up: int
    audiences: tuple[str, ...]
    relief: Relief | None = None

    @property
    def due(self) -> int:
        return self.since + self.threshold + (self.relief.micros if self.relief is not None else 0)

    def verdict(self, feed: Feed | None, grace: int) -> Verdict:
        """`feed`: its carrier's; `grace`: microseconds from a feed's next scan to the deadlines that it moves."""
        due, end = self.due, self.end
        if end is not None and (end < due or (self.strict and end == due)):
            return Verdict("prevented", due)
        if due > self.given_up:
            return Verdict("past_giving_up", due)
        silent = feed.covering(due) if feed is not None else None
        if silent is None:
            return Verdict("raises", due)
        if silent.end is None:
            return Verdict("held", due, silent)
        moved = silent.end + grace
        if moved > self.given_up:
            return Verdict("moved_past_giving_up", due, silent)
        # Once the deadline is moved, an update at that very instant is in time, `strict` or not.
        if end is not None and end <= moved:
            return Verdict("prevented_after_move", moved, silent)
        return Verdict("raises", moved, silent)
