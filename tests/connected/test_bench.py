"""The measurements on Kafka run, and refuse what is wrong. How fast anything is, no test says."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import latency
from bench.__main__ import compared
from bench.contenders import CONTENDERS, PARCELWATCH
from bench.scans import Scans
from bench.throughput import WrongError, check, table
from tests.kafka_broker import Broker


async def test_a_small_comparison_finds_every_alert_of_ours(kafka: Broker, tmp_path: Path) -> None:
    ours = [each for each in CONTENDERS if each.name == PARCELWATCH]
    (figures,) = await compared(kafka, tmp_path, ours, scans=2000, repeat=1, quiet_for=0)
    assert figures.alerts == len(Scans(2000).alerts)
    assert figures.twice == 0
    assert "2,004" in table([figures])[-1]


def test_an_alert_too_few_or_too_many_is_no_result() -> None:
    expected = Scans(2000).alerts
    check("someone", set(expected), expected)
    one = min(expected)
    for found in (expected - {one}, expected | {one._replace(time=one.time + 1)}):
        with pytest.raises(WrongError, match="someone: "):
            check("someone", found, expected)


async def test_latencies_are_measured_of_what_is_raised_and_of_what_is_resolved(kafka: Broker, tmp_path: Path) -> None:
    found = await latency.measured(kafka, tmp_path, rate=1000, seconds=4, commit=0.2)
    assert found.raised
    assert found.resolved
    # No alert can be read before its deadline.
    assert min(found.raised) > 0
