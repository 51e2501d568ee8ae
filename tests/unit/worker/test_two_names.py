"""One line in the worker's log for each pair of names under which a carrier's parcels come."""

from __future__ import annotations

import structlog

from streams.stages.intake import Counts
from streams.worker.rule_metrics import RuleMetrics, TwoNames


def test_a_pair_of_names_is_told_once_and_its_numbers_are_counted() -> None:
    counts = Counts(two_names=TwoNames())
    with structlog.testing.capture_logs() as logs:
        counts.two_names["ZTO", "zhongtong"] += 1
        counts.two_names["ZTO", "zhongtong"] += 1
        counts.two_names["SF", "shunfeng"] += 1
    assert [entry["names"] for entry in logs] == [("ZTO", "zhongtong"), ("SF", "shunfeng")]
    assert all("canonical = true" in entry["hint"] for entry in logs)
    (metric,) = [
        found for found in RuleMetrics(counts).collect() if found.name == "parcelwatch_numbers_under_two_names"
    ]
    assert metric.samples[0].value == 3
