"""The one use of a plain history of scans is what the walk over the whole history finds."""

from __future__ import annotations

from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas.times import DAY, HOUR, parse
from streams.policy import load
from streams.rules.shipments.parcel import Parcel
from streams.rules.shipments.scan_status import FIRST_TERMINAL, INFO_RECEIVED, NAMES, pack
from streams.rules.shipments.uses import Silence, Use, only_use, uses

T0 = parse("2026-03-02T00:00:00Z")
RULES = load.default().shipments
SHORT, LONG = RULES.shortest, RULES.given_up
APART = st.sampled_from([0, 0, 1, HOUR, SHORT - 1, SHORT, SHORT + 1, 10 * DAY, LONG - 1, LONG, LONG + 1])
UNDER_WAY = st.sampled_from([INFO_RECEIVED, *range(FIRST_TERMINAL)])
SCANS = st.lists(st.tuples(APART, UNDER_WAY | st.integers(0, len(NAMES) - 1)), max_size=8)


def told(silence: Silence) -> tuple[Any, ...]:
    return tuple(getattr(silence, name) for name in Silence.__slots__)


def facts(use: Use) -> dict[str, Any]:
    found = {name: getattr(use, name) for name in Use.__slots__ if name not in {"told", "silences"}}
    long = [one for one in use.silences if one.end is None or one.end - one.since > SHORT]
    return {**found, "silences": list(map(told, long))}


def parcel_of(steps: list[tuple[int, int]]) -> Parcel:
    parcel, time = Parcel("ZTO", "T1"), T0
    for number, (apart, rank) in enumerate(steps):
        time += apart
        parcel.add_scan(pack(time, rank), f"F{number}")
    return parcel


@settings(max_examples=500, deadline=None)
@given(steps=SCANS)
@example(steps=[(0, INFO_RECEIVED), (SHORT + 1, 1), (SHORT + 1, FIRST_TERMINAL)])
@example(steps=[(0, 1), (HOUR, FIRST_TERMINAL), (0, FIRST_TERMINAL + 1)])
def test_the_only_use_is_what_the_walk_finds(steps: list[tuple[int, int]]) -> None:
    parcel = parcel_of(steps)
    found = only_use(list(parcel.scans), parcel.facilities.__getitem__, RULES)
    if found is not None:
        walked = uses(parcel, RULES)
        assert len(walked) == 1
        assert facts(found) == facts(walked[0])


@settings(max_examples=100, deadline=None)
@given(steps=st.lists(st.tuples(st.integers(0, LONG), UNDER_WAY), min_size=1, max_size=8), end=st.booleans())
def test_a_plain_history_has_one(steps: list[tuple[int, int]], *, end: bool) -> None:
    parcel = parcel_of([*steps, (HOUR, FIRST_TERMINAL)] if end else steps)
    assert only_use(list(parcel.scans), parcel.facilities.__getitem__, RULES) is not None


def test_where_more_follows_the_end_or_a_number_is_used_again_there_is_none() -> None:
    for steps in ([], [(0, FIRST_TERMINAL), (HOUR, 1)], [(0, 1), (LONG + 1, 1)]):
        parcel = parcel_of(steps)
        assert only_use(list(parcel.scans), parcel.facilities.__getitem__, RULES) is None
