"""What is measured with is what it is said to be: the scans are on time, their alerts are those of the rules."""

from __future__ import annotations

from collections import defaultdict

import orjson
import pytest

from bench.scans import END, PARTITIONS, Alert, Scans
from schemas.decode import decode
from schemas.events import SCANS
from schemas.times import HOUR, SECOND, parse
from streams.policy import load
from streams.rules.shipments.silence_alerts import STALLED
from streams.stages.single_reader import SingleReader

COUNT = 4000


@pytest.fixture(scope="module")
def scans() -> Scans:
    return Scans(COUNT, seed=7)


def test_the_alerts_told_beforehand_are_those_that_the_rules_raise(scans: Scans) -> None:
    reader = SingleReader(load.default())
    for sent in scans:
        event, time = decode(SCANS, sent.value, sent.timestamp * 1000)
        assert reader.take(SCANS, event, time, sent.value)
    reader.finish(END * SECOND)
    alerts, _ = reader.drain()
    said = [Alert(one.subject, one.status, one.time // 1000) for one in alerts if one.type == STALLED]
    assert set(said) == scans.alerts
    assert len(said) == len(scans.alerts)
    assert {one.status for one in said} == {"raised", "resolved"}


def test_no_scan_is_late_and_no_alert_falls_due_after_the_last(scans: Scans) -> None:
    lateness = load.default().lateness.micros[SCANS]
    greatest = 0
    for sent in scans:
        time = parse(orjson.loads(sent.value)["occurred_at"])
        assert time >= greatest - lateness
        greatest = max(greatest, time)
    assert greatest == END * SECOND
    assert max(alert.time for alert in scans.alerts) * 1000 < END * SECOND - 24 * HOUR


def test_there_are_as_many_scans_as_asked_for_and_ten_of_a_parcel(scans: Scans) -> None:
    of_parcel = defaultdict(int)
    for sent in scans:
        of_parcel[sent.key] += 1
    assert sum(of_parcel.values()) == len(scans) == COUNT + PARTITIONS
    assert len(of_parcel) == COUNT // 10 + PARTITIONS


def test_the_same_seed_gives_the_same_bytes_and_another_one_others(scans: Scans) -> None:
    first = [sent.value for sent in scans]
    assert [sent.value for sent in Scans(COUNT, seed=7)] == first
    assert [sent.value for sent in Scans(COUNT, seed=8)] != first


def test_a_number_of_scans_that_cannot_be_made_is_refused() -> None:
    with pytest.raises(ValueError, match="a multiple of 20"):
        Scans(1001)


@pytest.mark.parametrize("silent", [0, 1, 20])
def test_as_many_parcels_fall_silent_as_were_asked_for(silent: int) -> None:
    raised = sum(alert.status == "raised" for alert in Scans(40_000, silent=silent).alerts)
    assert raised / 4000 == pytest.approx(silent / 100, rel=0.4)


def test_escaped_scans_are_the_same_in_ascii(scans: Scans) -> None:
    escaped = [sent.value for sent in Scans(COUNT, seed=7, escaped=True)]
    assert all(value.isascii() for value in escaped[:COUNT])
    assert [orjson.loads(value) for value in escaped] == [orjson.loads(sent.value) for sent in scans]
