"""Reports what Kafka still holds about a person, and until when: records cannot be removed from a topic."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from schemas.events import CHATS, ORDERS, SCANS
from schemas.times import AFTER_ALL, DAY, HOUR, render
from schemas.topics import ALERTS, TopicNames
from streams.engine.topology import Topology
from streams.stages.dataflow import LINKS, REGISTRATIONS, STALL_POINTS

#: Topic settings that determine when its records are deleted.
SETTINGS = ("cleanup.policy", "retention.ms", "segment.ms", "max.compaction.lag.ms", "delete.retention.ms")
#: Allowance for Kafka's own retention check and file deletion, in microseconds: a few minutes.
_UPKEEP = HOUR
_MILLISECOND = 1000
#: Longer than any deliberate setting: treated as Kafka's "for ever".


class Remaining(msgspec.Struct, frozen=True):
    """A topic with what it may hold. `gone_by`: when it is deleted at the latest (RFC 3339); None: unknown."""

    topic: str
    holds: str
    how: str
    gone_by: str | None


def topics(topology: Topology, names: TopicNames) -> dict[str, str]:
    """The topics that may hold personal data, and which."""
    found = {names[name]: f"events: {holds}" for name, holds in _HOLDS.items()}
    found |= dict.fromkeys(names.all(ALERTS.values()), "alerts: order, parcel, shop")
    letters = "keys of invalid records; their values where workers have --dead-letter-payload"
    found |= dict.fromkeys(map(names.dead_letters, _HOLDS), letters)
    found |= {topology.changelog(kind.name): "earlier versions of the rows" for kind in topology.dataflow.kinds}
    for edge, holds in ((REGISTRATIONS, "orders and parcels"), (LINKS, "orders and stalls"), (STALL_POINTS, "stalls")):
        found[topology.edge_topic(edge)] = f"messages between tasks: {holds}"
    return found


_HOLDS = {ORDERS: "orders, with the buyer's id", CHATS: "chats and tickets, with texts", SCANS: "scans"}


def remaining(
    topology: Topology, names: TopicNames, settings: Mapping[str, Mapping[str, str]], now: int
) -> list[Remaining]:
    """A line for each topic that exists. `settings`: by topic, those of SETTINGS; `now`: microseconds."""
    edges = {topology.edge_topic(edge.name) for edge in topology.dataflow.edges}
    found = []
    for topic, holds in topics(topology, names).items():
        if topic in settings:
            how, longest = _kept(settings[topic], trimmed=topic in edges)
            gone_by = None if longest is None else render(_up_to_the_minute(now + longest + _UPKEEP))
            found.append(Remaining(topic, holds, how, gone_by))
    return found


def _kept(config: Mapping[str, str], *, trimmed: bool) -> tuple[str, int | None]:
    """How its records are deleted, and after how long at most (microseconds) if known."""
    segment = _span(config, "segment.ms")
    if trimmed:
        return f"deleted once it has been read; the file within {_text(segment)}", segment
    ways: list[tuple[str, int | None]] = []
    policies = config.get("cleanup.policy", "delete").split(",")
    if "delete" in policies:
        ways.append(_deleted(_span(config, "retention.ms"), segment))
    if "compact" in policies:
        ways.append(_compacted(_span(config, "max.compaction.lag.ms")))
    known = [way for way in ways if way[1] is not None]
    return min(known, key=lambda way: way[1] or 0) if known else ways[0]


def _deleted(retention: int | None, segment: int | None) -> tuple[str, int | None]:
    if retention is None:
        return "kept for ever: nothing deletes it", None
    # A segment is deleted once its last record is old enough, and it may still be written to.
    return f"kept for {_text(retention)}", None if segment is None else retention + segment


def _compacted(lag: int | None) -> tuple[str, int | None]:
    if lag is None:
        return "compacted when Kafka finds it worth while: max.compaction.lag.ms sets no latest time", None
    return f"compacted within {_text(lag)}", lag


def _span(config: Mapping[str, str], name: str) -> int | None:
    """A setting in microseconds; None means for ever."""
    span = int(config.get(name) or -1) * _MILLISECOND
    return span if 0 <= span < AFTER_ALL else None


def _text(span: int | None) -> str:
    if span is None:
        return "an unknown time"
    if span % DAY == 0 or span > DAY:
        return f"{round(span / DAY, 1):g} days"
    return f"{round(span / HOUR, 1):g} hours"


def _up_to_the_minute(time: int) -> int:
    minute = 60 * 1_000_000
    return -(-time // minute) * minute


def lines(found: list[Remaining]) -> Iterator[str]:
    """For the operator, one line a topic."""
    width = max((len(one.topic) for one in found), default=0)
    for one in found:
        until = f"gone by {one.gone_by}" if one.gone_by is not None else "no latest time"
        yield f"  {one.topic:<{width}}  {until}; {one.how}; {one.holds}"
