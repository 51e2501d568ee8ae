"""A carrier whose feed falls silent, as a timeline that goes on with what is asked about."""

from __future__ import annotations

import msgspec

from streams.policy import load
from streams.policy.model import Policy
from tests.unit.rules.timeline import Timeline, hours

#: The last scan before the silence, when it is told and when it ends, where nothing else is said.
LAST, TOLD, NEXT = hours(192), hours(199), hours(210)
#: Where deadlines go that fall into it.
MOVED = NEXT + hours(6)


def lowered(min_scans: int = 2, profile: str = "default") -> Policy:
    """The default numbers, but for a mean that a scan every three hours, and no fewer, reaches."""
    policy = load.load(profile)
    feeds = msgspec.structs.replace(policy.feed_silence, min_scans=min_scans)
    return msgspec.structs.replace(policy, feed_silence=feeds)


def fed(
    policy: Policy | None = None, *, last: int = LAST, carrier: str = "SF", leave_out: int | None = None
) -> Timeline:
    """A scan of the carrier every three hours up to `last`, each of another parcel, delivered at once."""
    timeline = Timeline(policy or lowered())
    for at in range(0, last + 1, hours(3)):
        if at != leave_out:
            timeline.scan("delivered", at, number=f"{carrier}-{at // hours(1)}", carrier=carrier)
    return timeline


def resuming(at: int = NEXT, policy: Policy | None = None) -> Timeline:
    """Silent from LAST on, and a scan at `at`."""
    return fed(policy).scan("delivered", at, number="next")


def again(timeline: Timeline, first: int, until: int) -> Timeline:
    """Scans every three hours once more, so that no second silence moves what is asked about."""
    for at in range(first, until, hours(3)):
        timeline.scan("delivered", at, number=f"again-{at}")
    return timeline
