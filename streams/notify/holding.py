"""Whether a channel may be told of something now: folding, quiet hours, cooldown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

from streams.notify.alert import SEVERITIES
from streams.notify.episode import Episode, Told
from streams.notify.local_times import quiet_until
from streams.notify.settings import Route, Settings
from streams.rules.alert_types import ALERT_TYPES

#: Nothing is to be said until something of the subject changes; nothing is to be said at all.
PARK: Final = "park"
DROP: Final = "drop"
Held = int | Literal["park", "drop"] | None


def overtaken(episode: Episode, channel: str, others: Iterable[Episode]) -> Literal["park", "drop"] | None:
    """Whether an alert of the same subject that says more makes this one needless. `others`: of the same subject.

    Until that one is told or resolved, nobody knows: then this one waits.
    """
    type_ = ALERT_TYPES.get(episode.key.type)
    above = type_.superseded_by if type_ is not None else ()
    found: Literal["park", "drop"] | None = None
    for other in others:
        notice = other.notices.get(channel)
        if notice is None or other.key.type not in above:
            continue
        is_open = other.resolved is None
        if episode.pending(channel) == "raised":
            if is_open and (notice.told or not notice.over):
                return PARK
        elif other.raised.time >= episode.raised.time:
            # What is told of the end of the greater one holds for this one, too.
            if notice.told:
                return DROP
            if is_open and not notice.over:
                found = PARK
    return found


def held_until(episode: Episode, channel: str, route: Route, last: Told | None, settings: Settings, now: int) -> Held:
    """Until when it has to wait; None if it has not. `last`: when the channel was told of this subject."""
    raised = episode.pending(channel) == "raised"
    severity = episode.raised.severity
    quiet = settings.quiet_of(episode.raised.shop) if route.quiet else None
    # Nobody has to be woken because something is well again.
    if quiet is not None and not (raised and severity in quiet.passing):
        until = quiet_until(now, settings.zone_of(episode.raised.shop), quiet.begin, quiet.end)
        if until is not None:
            return until
    if raised and last is not None and not route.digest and SEVERITIES.index(severity) <= last.severity:
        until = last.at + route.cooldown
        if now < until:
            return until
    return None
