"""What a worker's notes tell: how it was started, what it has measured, and how far its tasks are."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from schemas.topics import PLAIN
from streams.engine.log.interface import TopicPartition
from streams.engine.notes import TaskNote, WorkerNote, read
from streams.engine.topology import TaskId, Topology
from streams.policy import load
from streams.stages.dataflow import dataflow
from streams.stages.intake import Counts
from streams.worker import Metrics
from streams.worker.catalogue import CATALOGUE
from streams.worker.health import Health
from streams.worker.rule_metrics import RuleMetrics
from streams.worker.telling import MEASURED, Telling

TOPOLOGY = Topology("pw", dataflow(load.default(), PLAIN), {"orders": 2, "shipments": 2})


def restoring(task: TaskId, left: int | None) -> Any:
    return SimpleNamespace(id=task, task=None, left=left, changelog_end=9)


def test_the_first_task_tells_of_the_worker_and_each_of_what_is_left_to_restore() -> None:
    counts, metrics, health = Counts(), Metrics(), Health()
    metrics.registry.register(RuleMetrics(counts))
    counts.two_names["SF", "顺丰"] = 2
    metrics.lost(TopicPartition("orders", 0), 3)
    health.wrong("group", "no coordinator")
    health.well("starting")
    worker: Any = SimpleNamespace(
        member=None,
        runners=[restoring(TaskId("shipments", 1), 8), restoring(TaskId("orders", 0), None)],
        standbys={TaskId("orders", 1): 4},
    )
    telling = Telling(TOPOLOGY, worker, health, metrics.registry, {"version": "1"}, lambda: 7)
    found = telling.notes("m-1")
    assert {source: committed.offset for source, committed in found.items()} == {
        TopicPartition("pw-orders-changelog", 0): 9,
        TopicPartition("pw-shipments-changelog", 1): 9,
    }
    first, second = (read(committed.metadata) for committed in found.values())
    measured = {"parcelwatch_numbers_under_two_names_total": 2.0, "parcelwatch_records_lost_total orders": 3.0}
    note = WorkerNote({"version": "1"}, {"group": "no coordinator"}, {"orders-1": 4}, measured)
    assert first == TaskNote(7, "m-1", -1, worker=note)
    assert second == TaskNote(7, "m-1", 8)


def test_the_metrics_that_are_told_exist_and_are_found_by_their_names() -> None:
    assert set(CATALOGUE) >= MEASURED
    registry = Metrics().registry
    registry.register(RuleMetrics(Counts()))
    assert registry._names_to_collectors.keys() >= MEASURED
