"""The catalogue of what a worker measures. No label holds an id of a shop, an order, a parcel or a person."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from streams.engine.errors import LogError
from streams.engine.log.interface import TopicPartition, Transaction
from streams.engine.processor import BEGINNING, Processor
from streams.engine.task import Task
from streams.engine.topology import TaskId
from streams.engine.watermarks import IDLE
from streams.worker.health import KINDS, Kind
from streams.worker.lateness import Lateness

log = structlog.get_logger(__name__)


class Entry(NamedTuple):
    """One metric: its name, kind, labels and meaning."""

    name: str
    kind: type[Counter] | type[Gauge] | type[Histogram]
    labels: tuple[str, ...]
    meaning: str


CATALOGUE = (
    Entry("parcelwatch_records_read_total", Counter, ("topic",), "Records read, by topic"),
    Entry("parcelwatch_lag_records", Gauge, ("topic", "partition"), "Offsets between position and end"),
    Entry(
        "parcelwatch_held_up_records",
        Gauge,
        ("topic", "partition"),
        "Offsets that cannot be read because a producer's transaction before them is open",
    ),
    Entry(
        "parcelwatch_watermark_seconds",
        Gauge,
        ("task", "input"),
        "Watermark of an input of a task, in seconds since the epoch",
    ),
    Entry(
        "parcelwatch_watermark_holder",
        Gauge,
        ("task", "input", "holder"),
        "1: the partition of an external topic, or the task, that holds the watermark of an input back",
    ),
    Entry(
        "parcelwatch_records_lost_total",
        Counter,
        ("topic",),
        "Records that were gone before they were read, at the most: offsets",
    ),
    Entry("parcelwatch_late_total", Counter, ("topic",), "Events older than their watermark when read"),
    Entry("parcelwatch_late_share", Gauge, ("topic",), "Late events of the last minute by all records of it, 0 to 1"),
    Entry("parcelwatch_catching_up", Gauge, (), "1 while the worker reads the past and its clock moves nothing"),
    Entry("parcelwatch_clock_ahead_seconds", Gauge, (), "This machine's clock less that of the brokers"),
    Entry("parcelwatch_left_out_total", Counter, ("topic",), "Events after the end of the clock"),
    Entry("parcelwatch_commits_total", Counter, ("kind",), "Transactions committed, by kind of task"),
    Entry("parcelwatch_commit_seconds", Histogram, ("kind",), "Duration of a commit"),
    Entry("parcelwatch_envelopes_total", Counter, ("kind",), "Envelopes sent to other tasks, by kind of task"),
    Entry("parcelwatch_changelog_bytes_total", Counter, ("kind",), "Bytes of keys and rows written to changelogs"),
    Entry("parcelwatch_restored_rows_total", Counter, ("kind",), "Rows read of changelogs to restore tasks"),
    Entry("parcelwatch_restoring_offsets", Gauge, ("task",), "Offsets of a changelog left to read; 0 when done"),
    Entry("parcelwatch_restore_seconds", Histogram, ("kind",), "Duration of taking a task over"),
    Entry("parcelwatch_standby_rows_total", Counter, ("kind",), "Rows read of changelogs for standbys"),
    Entry("parcelwatch_standby_lag_offsets", Gauge, ("task",), "Offsets of a changelog that its standby is behind"),
    Entry("parcelwatch_task_failures_total", Counter, ("kind", "error"), "Times that a task was started over"),
    Entry("parcelwatch_unsettled_entries", Gauge, ("task",), "Entries kept for watermarks to come"),
    Entry("parcelwatch_tasks", Gauge, ("kind",), "Tasks of this worker"),
    Entry("parcelwatch_ready", Gauge, (), "1: the worker has its share of the group and gets on with all of it"),
    Entry("parcelwatch_not_ready", Gauge, ("reason",), "1: the worker is not ready for this reason"),
    Entry("parcelwatch_broker_silence_seconds", Gauge, (), "Since a broker has answered"),
    Entry("parcelwatch_client_rebuilds_total", Counter, (), "Times that all connections were made anew"),
    Entry("parcelwatch_fetch_failures_total", Counter, ("error",), "Fetches that failed"),
    Entry("parcelwatch_missing_rights", Gauge, (), "Rights on the log that the worker needs and has not"),
    Entry("parcelwatch_standstill_seconds", Gauge, (), "For which a task has read nothing though there is something"),
    Entry("parcelwatch_loop_late_seconds", Gauge, (), "Since the event loop has come round"),
    Entry("parcelwatch_http_connections", Gauge, (), "Connections to this endpoint when the last one came"),
    Entry("parcelwatch_http_dropped_total", Counter, (), "Connections ended because they were too many or too old"),
)


class Metrics:
    """The metrics of one worker in a registry of their own, to which others may add theirs.

    It observes tasks and standbys, as `streams.engine.runner.Observer` and `streams.engine.standby.Watcher` say.
    """

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        made = {
            entry.name: entry.kind(entry.name, entry.meaning, entry.labels, registry=self.registry)
            for entry in CATALOGUE
        }
        self._counters = {name: item for name, item in made.items() if isinstance(item, Counter)}
        self._gauges = {name: item for name, item in made.items() if isinstance(item, Gauge)}
        self._histograms = {name: item for name, item in made.items() if isinstance(item, Histogram)}
        self._kinds: set[str] = set()
        self._living: Callable[[], Sequence[Task]] = tuple
        self._holders: dict[tuple[TaskId, str], str] = {}
        self._counted: dict[tuple[TaskId, str], tuple[int, int]] = {}
        self._lateness = Lateness()

    def watch(self, living: Callable[[], Sequence[Task]]) -> None:
        """`living` gives the tasks that the worker has and that run, whenever it is asked."""
        self._living = living

    def processors(self) -> list[Processor]:
        """The logic of the tasks that the worker has and that run, now."""
        return [task.processor for task in self._living()]

    def read(self, topic: str, records: int) -> None:
        self._counters["parcelwatch_records_read_total"].labels(topic).inc(records)
        self._lateness.take(topic, records, 0)

    def lag(self, topic: str, partition: int, offsets: int) -> None:
        self._gauges["parcelwatch_lag_records"].labels(topic, str(partition)).set(offsets)

    def catching_up(self, behind: bool) -> None:
        self._gauges["parcelwatch_catching_up"].set(behind)

    def lost(self, source: TopicPartition, offsets: int) -> None:
        self._counters["parcelwatch_records_lost_total"].labels(source.topic).inc(offsets)

    def clock_ahead(self, seconds: float) -> None:
        self._gauges["parcelwatch_clock_ahead_seconds"].set(seconds)

    def held_up(self, source: TopicPartition, offsets: int) -> None:
        self._gauges["parcelwatch_held_up_records"].labels(source.topic, str(source.partition)).set(offsets)

    def health(self, reasons: Mapping[Kind, str], silence: float, late: float) -> None:
        """What is wrong now, and for how many seconds neither a broker nor the event loop was heard of."""
        self._gauges["parcelwatch_ready"].set(not reasons)
        for kind in KINDS:
            self._gauges["parcelwatch_not_ready"].labels(kind).set(kind in reasons)
        self._gauges["parcelwatch_broker_silence_seconds"].set(silence)
        self._gauges["parcelwatch_loop_late_seconds"].set(late)

    def rebuilt(self) -> None:
        self._counters["parcelwatch_client_rebuilds_total"].inc()

    def fetch_failed(self, error: LogError) -> None:
        self._counters["parcelwatch_fetch_failures_total"].labels(type(error).__name__).inc()

    def missing_rights(self, count: int) -> None:
        self._gauges["parcelwatch_missing_rights"].set(count)

    def standstill(self, seconds: float) -> None:
        self._gauges["parcelwatch_standstill_seconds"].set(seconds)

    def connections(self, count: int) -> None:
        self._gauges["parcelwatch_http_connections"].set(count)

    def dropped_connection(self) -> None:
        self._counters["parcelwatch_http_dropped_total"].inc()

    def restoring(self, task: TaskId, rows: int, left: int) -> None:
        self._counters["parcelwatch_restored_rows_total"].labels(task.kind).inc(rows)
        self._gauges["parcelwatch_restoring_offsets"].labels(str(task)).set(left)

    def restored(self, task: Task, rows: int, seconds: float) -> None:
        self.restoring(task.id, 0, 0)
        log.info("restored", task=str(task.id), rows=rows, seconds=round(seconds, 3))
        self._histograms["parcelwatch_restore_seconds"].labels(task.id.kind).observe(seconds)
        # It begins with what it had counted before: that is no increase.
        for topic, external in task.external.items():
            self._counted[task.id, topic] = (external.clock.late, external.clock.left_out)

    def followed(self, task: TaskId, rows: int, left: int) -> None:
        self._counters["parcelwatch_standby_rows_total"].labels(task.kind).inc(rows)
        self._gauges["parcelwatch_standby_lag_offsets"].labels(str(task)).set(left)

    def unfollowed(self, task: TaskId) -> None:
        self._gauges["parcelwatch_standby_lag_offsets"].remove(str(task))

    def committed(self, task: Task, transaction: Transaction, seconds: float) -> None:
        kind = task.id.kind
        self._counters["parcelwatch_commits_total"].labels(kind).inc()
        self._histograms["parcelwatch_commit_seconds"].labels(kind).observe(seconds)
        self._counters["parcelwatch_envelopes_total"].labels(kind).inc(len(transaction.envelopes))
        written = sum(len(key) + len(row or b"") for key, row in transaction.rows.items())
        self._counters["parcelwatch_changelog_bytes_total"].labels(kind).inc(written)

    def failed(self, task: TaskId, error: LogError) -> None:
        self._counters["parcelwatch_task_failures_total"].labels(task.kind, type(error).__name__).inc()
        log.warning("task starts over", task=str(task), error=str(error))

    def sample(self, tasks: Sequence[Task]) -> None:
        """Takes over what the tasks tell themselves: watermarks, late events, events left out."""
        for kind in {task.id.kind for task in tasks} | self._kinds:
            self._kinds.add(kind)
            number = sum(task.id.kind == kind for task in tasks)
            self._gauges["parcelwatch_tasks"].labels(kind).set(number)
        for task in tasks:
            self._gauges["parcelwatch_unsettled_entries"].labels(str(task.id)).set(task.unsettled)
            for name in inputs(task):
                watermark = task.watermark(name).watermark
                if BEGINNING < watermark < IDLE:
                    gauge = self._gauges["parcelwatch_watermark_seconds"].labels(str(task.id), name)
                    gauge.set(watermark / 1e6)
                self._hold(task.id, name, task.holder(name) if watermark < IDLE else None)
            for topic, external in task.external.items():
                self._count(task.id, topic, external.clock.late, external.clock.left_out)
        for topic, share in self._lateness.shares().items():
            self._gauges["parcelwatch_late_share"].labels(topic).set(share)

    def _hold(self, task: TaskId, name: str, holder: str | None) -> None:
        """One series an input at the most: that of its holder now."""
        before = self._holders.pop((task, name), None)
        gauge = self._gauges["parcelwatch_watermark_holder"]
        if before is not None and before != holder:
            gauge.remove(str(task), name, before)
        if holder is not None:
            self._holders[task, name] = holder
            gauge.labels(str(task), name, holder).set(1)

    def _count(self, task: TaskId, topic: str, late: int, left_out: int) -> None:
        before = self._counted.get((task, topic), (0, 0))
        self._counters["parcelwatch_late_total"].labels(topic).inc(max(late - before[0], 0))
        self._lateness.take(topic, 0, max(late - before[0], 0))
        self._counters["parcelwatch_left_out_total"].labels(topic).inc(max(left_out - before[1], 0))
        self._counted[task, topic] = (late, left_out)

    def forget(self, task: Task) -> None:
        """The task is another worker's now: what is told of it here holds no longer."""
        self._gauges["parcelwatch_unsettled_entries"].remove(str(task.id))
        self._gauges["parcelwatch_restoring_offsets"].remove(str(task.id))
        for name in inputs(task):
            self._gauges["parcelwatch_watermark_seconds"].remove(str(task.id), name)
            self._hold(task.id, name, None)
        for topic in task.external:
            self._counted.pop((task.id, topic), None)
            self._gauges["parcelwatch_lag_records"].remove(topic, str(task.id.partition))


def inputs(task: Task) -> tuple[str, ...]:
    """The names of all inputs of a task."""
    return (*(item.name for item in task.external.values()), *(edge.name for edge in task.incoming.values()))
