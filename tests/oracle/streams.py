"""Random histories for property tests: valid, and nasty on purpose.

Ids come from small pools, so that parcels are shared, numbers used again, facts told twice and otherwise.
Gaps are the rules' own thresholds, a microsecond less, or a microsecond more. Times are often those of
another event. Every draw is made through the generator passed in: the same seed, the same stream.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from random import Random
from typing import Any

from hypothesis import strategies as st

from tests.oracle.mutations import with_repeats
from tests.oracle.policy import DAY, HOUR, MINUTE, SECOND, OraclePolicy, Relief
from tests.oracle.scenes import ASKING, Scenes
from tests.oracle.timeline import microseconds

__all__ = [
    "ASKING",
    "DEFAULT_LATENESS",
    "RELIEFS",
    "START",
    "asks",
    "low_volume",
    "odd_numbers",
    "random_stream",
    "random_until",
    "shuffle_on_time",
    "streams",
]

# 2026-01-20: a stream of some weeks has the dated period of the 2026 profile in it, one of months a June.
START = microseconds("2026-01-20T00:00:00Z")
DEFAULT_LATENESS: Mapping[str, int] = {"orders": MINUTE, "logistics-scans": HOUR, "chats": MINUTE}
WEEK = 7 * DAY
#: Spans in which the streams have much: one of some regions, one of all, and one as long as that, which comes second.
RELIEFS = (
    Relief("flood", START + 3 * DAY, START + 20 * DAY, 36 * HOUR, frozenset({"浙江", "广西", "内蒙古"})),
    Relief("lockdown", START + 12 * DAY, START + 40 * DAY, 72 * HOUR),
    Relief("as long", START + 30 * DAY, START + 60 * DAY, 72 * HOUR, frozenset({"北京", "河北"})),
    Relief("for ever", START + 50 * DAY, START + 56 * DAY, 179 * DAY, frozenset({"上海"})),
)

Events = list[dict[str, Any]]


def asks(text: str) -> bool:
    """The detector of the messages made here: the texts of `ASKING` ask for staff, all others do not."""
    return text in ASKING


def low_volume(policy: OraclePolicy | None = None) -> OraclePolicy:
    """A policy under which a few dozen orders are enough for baselines and levels."""
    return replace(policy or OraclePolicy(), min_orders=3, min_shops=2, delisting_escalations=2)


def odd_numbers(rng: Random, policy: OraclePolicy) -> OraclePolicy:
    """The policy with numbers of shipments as nobody else has them, and perhaps the spans of `RELIEFS`."""
    keep = rng.choice((90, 90, 120, 180, 180, 400)) * DAY
    return replace(
        policy,
        late_registration=min(keep, rng.choice((0, 1, HOUR, DAY, DAY, DAY, 90 * DAY))),
        failed_attempts=rng.choice((1, 2, 2, 3)),
        paid_slack=rng.choice((0, HOUR, HOUR, DAY)),
        reuse=min(keep, rng.choice((0, DAY, 90 * DAY, 90 * DAY, 180 * DAY, 400 * DAY))),
        give_up=rng.choice((8, 20, 180, 180)) * DAY,
        keep_shipment=keep,
        reliefs=rng.choice(((), RELIEFS)),
    )


def random_stream(
    rng: Random,
    size: int,
    *,
    weeks: int | None = None,
    start: int = START,
    repeats: float = 0.15,
    forgetting: bool = True,
    odd_parcels: int = 4,
) -> Events:
    """About `size` valid events, sorted by time, as {"topic", "value"} objects.

    `odd_parcels`: how often scenes of them are drawn, against 18 for all others.

    Scenes begin within `weeks` (default: 3 to 52, drawn) after `start` and may last longer: with
    `forgetting`, some go on 180 days later. `repeats` is the share of events that come again: the same,
    under another `event_id`, or with another content.
    """
    span = (weeks if weeks is not None else rng.choice((3, 8, 26, 52))) * WEEK
    scenes = Scenes(rng, size, start, span, forgetting=forgetting)
    plays: tuple[Callable[[], None], ...] = (
        *(scenes.parcel,) * 5,
        *(scenes.odd_parcel,) * odd_parcels,
        *(scenes.order_to_ship,) * 4,
        *(scenes.ticket,) * 3,
        *(scenes.escalations,) * 3,
        *(scenes.trade,) * 3,
    )
    wanted = max(1, round(size / (1 + repeats)))
    while len(scenes.events) < wanted:
        rng.choice(plays)()
    events = with_repeats(rng, scenes.events[:wanted], repeats)
    return sorted(events, key=_time)


def random_until(rng: Random, events: Events) -> int:
    """An end for a stream: at an event or a microsecond beside it, or up to 200 days after the last."""
    times = [_time(event) for event in events]
    return rng.choice(
        (
            max(times),
            rng.choice(times) + rng.choice((-1, 0, 1)),
            max(times) // HOUR * HOUR + rng.choice((HOUR, HOUR + 1, HOUR + SECOND)),
            max(times) + rng.choice((1, 8 * DAY, 200 * DAY)),
        )
    )


def shuffle_on_time(events: Events, rng: Random, lateness: Mapping[str, int] = DEFAULT_LATENESS) -> Events:
    """An arrival order in which no event is older than the greatest time read less its topic's lateness.

    Each event waits for at most its lateness: what is read before it is no further ahead than that. Every
    on-time order can come out, also one in which an event is exactly at the watermark.
    """

    def arrival(event: Mapping[str, Any]) -> tuple[int, float]:
        allowed = lateness[event["topic"]]
        wait = rng.choice((0, allowed, rng.randrange(allowed + 1)))
        return _time(event) + wait, rng.random()

    return [event for _, event in sorted(((arrival(event), event) for event in events), key=lambda pair: pair[0])]


@st.composite
def streams(draw: st.DrawFn, /, *, max_size: int = 60, **options: Any) -> Events:
    """A stream of 1 to `max_size` events; `options` as for `random_stream`. It shrinks by size and seed."""
    size = draw(st.integers(1, max_size))
    return random_stream(Random(draw(st.integers(0, 2**32 - 1))), size, **options)


def _time(event: Mapping[str, Any]) -> int:
    return microseconds(event["value"]["occurred_at"])
