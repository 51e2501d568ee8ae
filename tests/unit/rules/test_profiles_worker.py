"""The worker's tasks count a profile's help rate as one reader does: over partitions, and behind crashes."""

from __future__ import annotations

from random import Random

import pytest

from tests.oracle.policy import DAY, HOUR
from tests.oracle.streams import shuffle_on_time
from tests.oracle.timeline import microseconds
from tests.unit.rules.against_oracle import policies
from tests.unit.rules.insistent_buyers import PROFILES, stream
from tests.unit.stages.cluster import Cluster, written
from tests.unit.stages.one_reader import one_reader


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(("orders", "scans", "crash"), [(1, 1, 0.3), (4, 3, 0.1)])
def test_tasks_that_crash_anywhere_say_what_one_reader_says(
    profile: str, orders: int, scans: int, crash: float
) -> None:
    policy, _ = policies(profile, low=True)
    crashes = levels = 0
    for seed in range(8):
        random = Random(f"{profile} {orders} {seed}")
        events = stream(random, 70)
        until = max(microseconds(event["value"]["occurred_at"]) for event in events) + random.choice((0, HOUR, 9 * DAY))
        arrival = [written(event) for event in shuffle_on_time(events, random)]
        cluster = Cluster(policy, until, orders=orders, scans=scans, random=random, crash=crash)
        cluster.run(arrival)
        crashes += cluster.crashes
        alerts, tables = one_reader(arrival, policy, until)
        levels += sum(b"parcelwatch.help_rate." in alert for alert in alerts)
        assert cluster.tables() == tables
        assert cluster.alerts() == alerts
    assert crashes
    assert levels
