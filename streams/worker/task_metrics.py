"""Metrics of the tasks that a worker has, read when they are asked for: watermarks, sizes of the state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from streams.engine.processor import BEGINNING, Measured
from streams.engine.task import Task
from streams.engine.watermarks import IDLE
from streams.worker.families import Families


class TaskMetrics(Collector):
    """`tasks` gives those that the worker has and that run, whenever it is asked."""

    def __init__(self) -> None:
        self.tasks: Callable[[], Sequence[Task]] = tuple
        #: How many tasks of each kind the whole group has.
        self.counts: Mapping[str, int] = {}

    def collect(self) -> Iterator[Metric]:
        """A family for each metric; without series until there are tasks."""
        families = Families(
            "parcelwatch_tasks",
            "parcelwatch_group_tasks",
            "parcelwatch_watermark_timestamp_seconds",
            "parcelwatch_watermark_holder",
            "parcelwatch_unsettled_entries",
            "parcelwatch_state_rows",
            "parcelwatch_due_index_bytes",
        )
        tasks = self.tasks()
        running = Counter(task.id.kind for task in tasks)
        for kind, count in self.counts.items():
            families.add("parcelwatch_tasks", (kind,), running[kind])
            families.add("parcelwatch_group_tasks", (kind,), count)
        for task in tasks:
            name = str(task.id)
            for input_ in inputs(task):
                watermark = task.watermark(input_).watermark
                if BEGINNING < watermark < IDLE:
                    families.add("parcelwatch_watermark_timestamp_seconds", (name, input_), watermark / 1e6)
                if watermark < IDLE:
                    families.add("parcelwatch_watermark_holder", (name, input_, task.holder(input_)), 1)
            families.add("parcelwatch_unsettled_entries", (name,), task.unsettled)
            if isinstance(task.processor, Measured):
                for table, rows in task.processor.sizes.items():
                    families.add("parcelwatch_state_rows", (name, table), rows)
                families.add("parcelwatch_due_index_bytes", (name,), task.processor.due_bytes)
        return iter(families)


def inputs(task: Task) -> tuple[str, ...]:
    """The names of all inputs of a task."""
    return (*(item.name for item in task.external.values()), *(edge.name for edge in task.incoming.values()))
