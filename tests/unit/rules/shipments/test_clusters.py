"""Clusters: the 20th parcel, or a later one, that stalls within 24 hours where one facility saw it last."""

from __future__ import annotations

from itertools import permutations

import msgspec
import pytest

from streams.policy import load
from streams.policy.model import Policy
from tests.unit.rules.timeline import T0, TRIPLE, Timeline, days, hours

CLUSTER = "facility.stall_cluster"
#: When parcels stall, where nothing else is said: at noon; and how long before that they were last seen.
AT, SILENCE = days(14) + hours(12), hours(168)
#: The midnight after AT, and an end behind all of it.
MIDNIGHT, END = days(15), days(30)

Told = list[tuple[str, int]]


def stalling(count: int, at: int = AT, timeline: Timeline | None = None, *, facility: str | None = "F1") -> Timeline:
    """Parcels last seen at the facility that stall at an instant."""
    timeline = timeline or Timeline()
    for _ in range(count):
        timeline.scan("arrived", at - SILENCE, number=f"P{len(timeline.events)}", facility=facility)
    return timeline


def told(timeline: Timeline, until: int = END) -> Told:
    """The facilities told of, and when."""
    return [(alert.subject, alert.time - T0) for alert in timeline.heard(until).every(CLUSTER)]


def lowered(stalls: int, profile: str = "default", *, min_scans: int = 200) -> Policy:
    """The default numbers, but for fewer stalls (and, for feeds, fewer scans)."""
    policy = load.load(profile)
    return msgspec.structs.replace(
        policy,
        clusters=msgspec.structs.replace(policy.clusters, stalls=stalls),
        feed_silence=msgspec.structs.replace(policy.feed_silence, min_scans=min_scans),
    )


@pytest.mark.parametrize(("count", "expected"), [(19, []), (20, [("F1", AT)]), (21, [("F1", AT)])])
def test_twenty_parcels_that_stall_at_once_are_a_cluster(count: int, expected: Told) -> None:
    assert told(stalling(count)) == expected


def test_the_twentieth_stall_tells_of_it_at_its_time() -> None:
    timeline = Timeline()
    for number in range(25):
        stalling(1, AT + number, timeline)
    assert told(timeline) == [("F1", AT + 19)]


@pytest.mark.parametrize(("beside", "expected"), [(-1, []), (0, []), (1, [("F1", AT)])])
def test_stalls_count_for_less_than_24_hours(beside: int, expected: Told) -> None:
    assert told(stalling(19, AT, stalling(1, AT - hours(24) + beside))) == expected


def test_the_platform_is_told_about_the_facility_and_never_that_it_is_over() -> None:
    timeline = stalling(20)
    for number in range(20):
        timeline.scan("delivered", AT + hours(2), number=f"P{number}", facility="F2")
    heard = timeline.heard(END)
    alert = heard.only(CLUSTER)
    assert (alert.subject, alert.shop_id, alert.order_id, tuple(alert.audiences)) == ("F1", None, None, ("platform",))
    assert heard.every(CLUSTER, "resolved") == []


@pytest.mark.parametrize(("after", "expected"), [(0, []), (1, [("F1", AT)])])
def test_a_stall_at_the_end_is_not_passed(after: int, expected: Told) -> None:
    assert told(stalling(20), AT + after) == expected


# -- once per facility and day


@pytest.mark.parametrize("beside", TRIPLE)
def test_a_facility_is_told_of_once_in_a_utc_day(beside: int) -> None:
    at = MIDNIGHT + beside
    timeline = stalling(1, at, stalling(20))
    assert told(timeline) == [("F1", AT)] + ([("F1", at)] if beside >= 0 else [])


@pytest.mark.parametrize("beside", TRIPLE)
def test_the_next_day_too_needs_twenty_within_24_hours(beside: int) -> None:
    at = AT + hours(24) + beside
    timeline = stalling(1, at, stalling(20))
    assert told(timeline) == [("F1", AT)] + ([("F1", at)] if beside < 0 else [])


def test_each_day_is_another_alert() -> None:
    heard = stalling(1, MIDNIGHT, stalling(20)).heard(END)
    assert len({alert.episode for alert in heard.every(CLUSTER)}) == 2


# -- where the parcels were seen last


def test_facilities_are_apart_and_carriers_are_not() -> None:
    timeline = stalling(10, AT, stalling(10), facility="F2")
    assert told(timeline) == []
    for number in range(10):
        timeline.scan("arrived", AT - SILENCE, number=f"Z{number}", carrier="ZTO", facility="F2")
    assert told(timeline) == [("F2", AT)]


def test_parcels_that_no_facility_saw_are_no_cluster() -> None:
    timeline = stalling(30, facility=None)
    for number in range(30):
        timeline.shipped(AT - SILENCE, f"O{number}", number=f"X{number}")
    assert told(timeline) == []


@pytest.mark.parametrize(("facility", "expected"), [("F1", [("F1", AT)]), ("F2", []), (None, [])])
def test_the_facility_is_that_of_the_last_scan(facility: str | None, expected: Told) -> None:
    timeline = stalling(19).scan("departed", AT - SILENCE - 1, number="X", facility="F1")
    assert told(timeline.scan("arrived", AT - SILENCE, number="X", facility=facility)) == expected


@pytest.mark.parametrize(("statuses", "expected"), [("departed arrived", []), ("arrived departed", [("F1", AT)])])
def test_of_scans_at_one_instant_the_greatest_status_name_is_the_last(statuses: str, expected: Told) -> None:
    elsewhere, here = statuses.split()
    timeline = stalling(19).scan(here, AT - SILENCE, number="X", facility="F1")
    assert told(timeline.scan(elsewhere, AT - SILENCE, number="X", facility="F2")) == expected


def test_a_shipping_behind_the_last_scan_leaves_its_facility() -> None:
    timeline = stalling(19).scan("arrived", AT - SILENCE - hours(3), number="X", facility="F1")
    assert told(timeline.shipped(AT - SILENCE, number="X")) == [("F1", AT)]


@pytest.mark.parametrize("order", list(permutations("abc")))
@pytest.mark.parametrize(
    "facilities", [("F1", "F2", "F2"), ("F1", None, "F1"), ("F2", "F1", "F2"), (None, "F1", None), ("F2", "F1", "F1")]
)
def test_of_a_scan_told_otherwise_the_first_event_id_holds(
    facilities: tuple[str | None, ...], order: tuple[str, ...]
) -> None:
    timeline = stalling(1, timeline=Timeline(lowered(2)))
    for event_id in order:
        facility = facilities["abc".index(event_id)]
        timeline.add(
            *("logistics-scans", "scan", AT - SILENCE),
            event_id=event_id,
            tracking_no="X",
            carrier="SF",
            status="arrived",
            facility=facility,
        )
    assert told(timeline) == ([("F1", AT)] if facilities[0] == "F1" else [])


# -- which stalls count


def test_a_stall_that_is_over_counts() -> None:
    timeline = stalling(10, AT - hours(3))
    for number in range(10):
        timeline.scan("departed", AT - hours(2), number=f"P{number}", facility="F9")
    assert told(stalling(10, AT, timeline), AT + hours(1)) == [("F1", AT)]


def test_every_stall_counts_registered_or_not() -> None:
    timeline = stalling(20)
    for number in range(0, 20, 2):
        timeline.shipped(AT - SILENCE - hours(1), f"O{number}", number=f"P{number}")
    assert told(timeline) == [("F1", AT)]


@pytest.mark.parametrize(("beside", "counts"), [(-1, False), (0, True)])
def test_moved_deadlines_do_not_count(beside: int, counts: bool) -> None:
    # A scan every three hours up to `last`: silent from the full hour behind six hours on, up to `resumed`.
    timeline = Timeline(lowered(4, min_scans=1))
    last, resumed = hours(192), hours(210)
    for at in range(0, last + 1, hours(3)):
        timeline.scan("delivered", at, number=f"N{at}")
    timeline.scan("delivered", resumed, number="next")
    stalling(2, resumed, stalling(1, resumed + 1, timeline))
    stalling(1, resumed + beside, timeline)
    heard = timeline.heard(resumed + hours(20))
    moved = [alert for alert in heard.every("shipment.stalled") if alert.time - T0 == resumed + hours(6)]
    assert len(moved) == (not counts)
    assert [alert.time - T0 for alert in heard.every(CLUSTER)] == ([resumed + 1] if counts else [])


def test_a_stall_counts_however_late_an_earlier_silence_would_have_been_one() -> None:
    # In this profile a picked-up parcel may rest 72 hours, one that has arrived 120: the last silence ends first.
    timeline = Timeline(lowered(2, "tmall-2026"))
    timeline.scan("in_transit", 0, number="X").tick(hours(26))
    timeline.scan("arrived", hours(28), number="X").scan("picked_up", hours(30), number="X", facility="F1")
    timeline.scan("picked_up", hours(32), number="Y", facility="F1").tick(hours(110))
    assert told(timeline) == [("F1", hours(104))]
