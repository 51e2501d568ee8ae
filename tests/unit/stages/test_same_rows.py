"""The state is a function of the events: however they are cut into batches and commits, the live rows are the same."""

from __future__ import annotations

from collections.abc import Collection
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.times import HOUR, parse
from streams.stages.dataflow import ORDERS_TASK, SHIPMENTS_TASK
from tests import every_rule
from tests.oracle.streams import shuffle_on_time, streams
from tests.unit.estimating import with_estimates
from tests.unit.rules.against_oracle import policies
from tests.unit.stages.cluster import Cluster, written
from tests.unit.stages.one_reader import SOME, end_of


def rows_of(cluster: Cluster, kinds: Collection[str] = (ORDERS_TASK, SHIPMENTS_TASK)) -> dict[str, dict[bytes, bytes]]:
    """The live rows of each task's state, without those of the engine, which count transactions."""
    return {
        str(name): {key: row for key, row in cluster.rows(name).items() if key[:1] == b"p"}
        for name in cluster.tasks
        if name.kind in kinds
    }


@pytest.mark.parametrize(("orders", "scans"), [(1, 1), (3, 2)])
@SOME
@given(events=streams(max_size=60, weeks=5, forgetting=False), seed=st.integers(0, 2**32 - 1))
def test_any_cut_and_any_crash_leave_the_same_rows_of_shipments(
    orders: int, scans: int, events: list[dict[str, Any]], seed: int
) -> None:
    random = Random(seed)
    policy, _ = policies(random.choice(("default", "tmall-2026")), low=True)
    if random.random() < 0.5:
        policy = with_estimates(policy)
    until = end_of(events, random)
    arrival = [written(event) for event in shuffle_on_time(events, random)]
    smooth = Cluster(policy, until, orders=orders, scans=scans)
    smooth.run_in_batches(arrival, 7)
    rough = Cluster(policy, until, orders=orders, scans=scans, random=random, crash=random.choice((0, 0.2)))
    rough.run(arrival)
    assert rows_of(rough, [SHIPMENTS_TASK]) == rows_of(smooth, [SHIPMENTS_TASK])


@pytest.mark.parametrize(("hours", "events"), [(1, 9_000), (9 * 24, 4_000)])
def test_batches_of_any_size_leave_the_same_rows_of_a_marketplace(hours: int, events: int) -> None:
    policy = with_estimates(policies("default", low=True)[0])
    stream, _ = every_rule.stream()
    arrival = [(topic, value) for topic, _, value in stream[:events]]
    until = parse("2026-09-08T00:00:00Z") + hours * HOUR
    found = []
    for size in (20, 400, 5_000):
        cluster = Cluster(policy, until, orders=2, scans=2)
        cluster.run_in_batches(arrival, size)
        found.append(rows_of(cluster))
    assert found[0] == found[1]
    assert found[0] == found[2]
