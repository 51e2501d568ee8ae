"""The profile of 2026: thresholds by route tier and dated period, slow strict, stalled not; and rows of one's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.times import parse
from streams.policy import load
from streams.policy.model import Policy
from tests.unit.rules.timeline import T0, TRIPLE, Said, Timeline, days, hours, tmall

#: By tier: regions, last status, slow, stalled, and both in the Spring Festival of 2026.
TIERS = [
    pytest.param(("浙江", "浙江"), "picked_up", (24, 72), (48, 72), id="after pickup"),
    pytest.param(("江苏", "新疆维吾尔自治区"), "departed", (120, 168), (120, 168), id="remote"),
    pytest.param(("江苏省", "上海市"), "departed", (48, 96), (96, 120), id="near"),
    pytest.param(("广东", "浙江"), "departed", (72, 120), (96, 120), id="cross province"),
]
FESTIVAL = parse("2026-02-12T00:00:00Z") - T0
ORDINARY = parse("2026-03-12T00:00:00Z") - T0


def silent(last: int, regions: tuple[str, str], status: str, *updates: int) -> Timeline:
    timeline = Timeline(tmall()).shipped(last, from_region=regions[0], to_region=regions[1]).scan(status, last)
    for update in updates:
        timeline.scan("in_transit", update)
    return timeline


@pytest.mark.parametrize("beside", TRIPLE)
@pytest.mark.parametrize("festival", [False, True])
@pytest.mark.parametrize(("regions", "status", "ordinary", "in_festival"), TIERS)
def test_slow_is_strict(
    regions: tuple[str, str],
    status: str,
    ordinary: tuple[int, int],
    in_festival: tuple[int, int],
    festival: bool,
    beside: int,
) -> None:
    last, (slow, _) = (FESTIVAL, in_festival) if festival else (ORDINARY, ordinary)
    update = last + hours(slow) + beside
    told = [Said("slow", last + hours(slow)), Said("slow", update, "resumed")]
    said = silent(last, regions, status, update).said("shipment", until=update + 1)
    assert said == (told if beside > 0 else [])


@pytest.mark.parametrize("beside", TRIPLE)
@pytest.mark.parametrize("festival", [False, True])
@pytest.mark.parametrize(("regions", "status", "ordinary", "in_festival"), TIERS)
def test_stalled_is_not_strict(
    regions: tuple[str, str],
    status: str,
    ordinary: tuple[int, int],
    in_festival: tuple[int, int],
    festival: bool,
    beside: int,
) -> None:
    last, (_, stalled) = (FESTIVAL, in_festival) if festival else (ORDINARY, ordinary)
    update = last + hours(stalled) + beside
    told = [Said("stalled", last + hours(stalled)), Said("stalled", update, "resumed")]
    said = silent(last, regions, status, update).said("shipment.stalled", until=update + 1)
    assert said == (told if beside >= 0 else [])


@pytest.mark.parametrize(
    ("origin", "destination", "slow"),
    [
        ("北京市", "河北省", 48),
        ("天津", "北京", 48),
        ("安徽", "上海", 48),
        ("广东省", "广东", 48),
        ("北京", "上海", 72),
        ("浙江", "福建", 72),
        (None, "浙江", 72),
        ("浙江", None, 72),
        (None, None, 72),
        (None, "青海", 120),
        ("甘肃", "甘肃", 120),
        ("新疆", "广东", 72),
    ],
)
def test_the_route_gives_the_tier(origin: str | None, destination: str | None, slow: int) -> None:
    timeline = Timeline(tmall()).shipped(ORDINARY, from_region=origin, to_region=destination)
    timeline.scan("departed", ORDINARY)
    assert timeline.said("shipment.slow", until=ORDINARY + days(9)) == [Said("slow", ORDINARY + hours(slow))]


def test_a_parcel_that_nobody_registered_crosses_provinces() -> None:
    timeline = Timeline(tmall()).scan("departed", ORDINARY)
    assert timeline.said("shipment", until=ORDINARY + days(9)) == [Said("stalled", ORDINARY + hours(120))]


def test_the_tier_follows_the_order_placed_by_the_last_update() -> None:
    for placed, slow in ((-1, 48), (0, 48), (1, 72)):
        timeline = Timeline(tmall()).shipped(ORDINARY, from_region="浙江").scan("departed", ORDINARY)
        timeline.placed(ORDINARY + placed, ship_to_region="江苏")
        assert timeline.said("shipment.slow", until=ORDINARY + hours(73)) == [Said("slow", ORDINARY + hours(slow))]


def test_the_period_is_that_of_the_last_update_and_not_of_the_deadline() -> None:
    start = parse("2026-02-10T00:00:00+08:00") - T0
    for last, slow in ((start - 1, 48), (start, 96)):
        said = silent(last, ("江苏", "浙江"), "departed").said("shipment.slow", until=last + days(5))
        assert said == [Said("slow", last + hours(slow))]
    end = parse("2026-02-24T00:00:00+08:00") - T0
    for last, slow in ((end - 1, 96), (end, 48)):
        said = silent(last, ("江苏", "浙江"), "departed").said("shipment.slow", until=last + days(5))
        assert said == [Said("slow", last + hours(slow))]


def test_an_update_at_the_very_threshold_raises_and_resolves_in_one_instant() -> None:
    last = ORDINARY
    timeline = silent(last, ("江苏", "浙江"), "departed", last + hours(96))
    heard = timeline.heard(last + hours(97))
    assert heard.said("shipment.stalled") == [
        Said("stalled", last + hours(96)),
        Said("stalled", last + hours(96), "resumed"),
    ]


def test_not_collected_is_the_default_policys() -> None:
    timeline = Timeline(tmall()).shipped(ORDINARY, from_region="浙江", to_region="浙江")
    assert timeline.said("shipment.not_collected", until=ORDINARY + hours(24) + 1) == [
        Said("not_collected", ORDINARY + hours(24))
    ]


OWN = """
extends = "default"
name = "own"
[shipments]
not_collected = { hours = 10, strict = false }
[[shipments.thresholds]]
carrier = "JD"
slow = { hours = 5, strict = false }
stalled = { hours = 20, strict = false }
[[shipments.thresholds]]
slow = { hours = 30, strict = false }
stalled = { hours = 40 }
"""


@pytest.fixture
def own(tmp_path: Path) -> Policy:
    file = tmp_path / "own.toml"
    file.write_text(OWN)
    return load.load(str(file))


@pytest.mark.parametrize("beside", TRIPLE)
def test_a_policy_may_set_thresholds_by_carrier(own: Policy, beside: int) -> None:
    for carrier, limit in (("JD", 20), ("SF", 40)):
        at = hours(limit) + beside
        timeline = Timeline(own).scan("departed", 0, carrier=carrier).scan("delivered", at, carrier=carrier)
        told = [Said("stalled", hours(limit)), Said("stalled", at, "delivered")]
        strict = carrier == "SF"
        assert timeline.said("shipment", until=days(9)) == (told if beside > 0 or (beside == 0 and not strict) else [])


@pytest.mark.parametrize("beside", TRIPLE)
def test_a_policy_may_take_an_update_at_the_very_threshold_as_too_late_for_slow(own: Policy, beside: int) -> None:
    for carrier, limit in (("JD", 5), ("SF", 30)):
        at = hours(limit) + beside
        timeline = Timeline(own).shipped(0, carrier=carrier).scan("departed", 0, carrier=carrier)
        told = [Said("slow", hours(limit)), Said("slow", at, "delivered")]
        said = timeline.scan("delivered", at, carrier=carrier).said("shipment", until=days(9))
        assert said == (told if beside >= 0 else [])


@pytest.mark.parametrize("beside", TRIPLE)
def test_and_for_not_collected(own: Policy, beside: int) -> None:
    at = hours(10) + beside
    timeline = Timeline(own).shipped(0).scan("delivered", at)
    told = [Said("not_collected", hours(10)), Said("not_collected", at, "delivered")]
    assert timeline.said("shipment", until=days(9)) == (told if beside >= 0 else [])
