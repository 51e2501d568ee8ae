"""What a worker measures, by the catalogue (`streams.worker.catalogue`)."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, disable_created_metrics

from streams.engine.errors import ClockError, DeniedError, FencedError, LogError, LostMemberError, OutOfRangeError
from streams.engine.log.interface import TopicPartition, Transaction
from streams.engine.processor import BEGINNING, Processor
from streams.engine.task import Task
from streams.engine.topology import TaskId, Topology
from streams.worker.catalogue import CATALOGUE
from streams.worker.certificates import Certificates
from streams.worker.connections import Connections
from streams.worker.health import KINDS, Health, Kind
from streams.worker.lateness import Lateness
from streams.worker.task_metrics import TaskMetrics

log = structlog.get_logger(__name__)

#: Errors that have a series from the start, so that the first one is an increase.
_ERRORS = tuple(
    kind.__name__ for kind in (LogError, FencedError, DeniedError, OutOfRangeError, ClockError, LostMemberError)
)


class Metrics:
    """The metrics of one worker in a registry of their own, to which others may add theirs.

    It observes tasks and standbys, as `streams.engine.runner.Observer` and `streams.engine.standby.Watcher` say.
    """

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = registry or CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._tasks = TaskMetrics()
        self.registry.register(self._tasks)
        self._counted: dict[tuple[TaskId, str], tuple[int, int]] = {}
        #: The external partitions of the tasks that have been restored here and are not given up.
        self._held: dict[TaskId, list[TopicPartition]] = {}
        self._lateness = Lateness()
        self._read = self._counter("parcelwatch_records_read_total")
        self._lag_records = self._gauge("parcelwatch_lag_records")
        self._lag_seconds = self._gauge("parcelwatch_lag_seconds")
        self._held_up = self._gauge("parcelwatch_held_up_records")
        self._lost = self._counter("parcelwatch_records_lost_total")
        self._fetch_failures = self._counter("parcelwatch_fetch_failures_total")
        self._standstill = self._gauge("parcelwatch_standstill_seconds")
        self._started_again = self._counter("parcelwatch_standstill_restarts_total")
        for step in ("task", "member"):
            self._started_again.labels(step)
        self._late = self._counter("parcelwatch_late_events_total")
        self._late_ratio = self._gauge("parcelwatch_late_ratio")
        self._left_out = self._counter("parcelwatch_left_out_events_total")
        self._catching_up = self._gauge("parcelwatch_catching_up")
        self._clock_ahead = self._gauge("parcelwatch_clock_ahead_seconds")
        self._commits = self._counter("parcelwatch_commits_total")
        self._commit_seconds = self._histogram("parcelwatch_commit_seconds")
        self._commit_failures = self._counter("parcelwatch_commit_failures_total")
        self._task_failures = self._counter("parcelwatch_task_failures_total")
        self._envelopes = self._counter("parcelwatch_envelopes_total")
        self._changelog_bytes = self._counter("parcelwatch_changelog_bytes_total")
        self._restored_rows = self._counter("parcelwatch_restored_rows_total")
        self._restoring_offsets = self._gauge("parcelwatch_restoring_offsets")
        self._restore_seconds = self._histogram("parcelwatch_restore_seconds")
        self._standby_rows = self._counter("parcelwatch_standby_rows_total")
        self._standby_lag = self._gauge("parcelwatch_standby_lag_offsets")
        self._rebalances = self._counter("parcelwatch_rebalances_total")
        self._ready = self._gauge("parcelwatch_ready")
        self._not_ready = self._gauge("parcelwatch_not_ready")
        self._broker_answer = self._gauge("parcelwatch_broker_answer_timestamp_seconds")
        self._loop_turn = self._gauge("parcelwatch_loop_turn_timestamp_seconds")
        self._rebuilds = self._counter("parcelwatch_client_rebuilds_total")
        self._missing_rights = self._gauge("parcelwatch_missing_rights")
        self.http = Connections(self.registry)
        self.certificates = Certificates(self.registry)

    def _counter(self, name: str) -> Counter:
        return Counter(name, CATALOGUE[name].meaning, CATALOGUE[name].labels, registry=self.registry)

    def _gauge(self, name: str) -> Gauge:
        return Gauge(name, CATALOGUE[name].meaning, CATALOGUE[name].labels, registry=self.registry)

    def _histogram(self, name: str) -> Histogram:
        entry = CATALOGUE[name]
        return Histogram(name, entry.meaning, entry.labels, registry=self.registry, buckets=entry.buckets)

    # -- what the worker is

    def build(self, application: str, version: str, policy: str, native: str) -> None:
        """The application's id, the version, the policy's label, and the version of parcelwatch-native or `off`."""
        self._gauge("parcelwatch_build_info").labels(application, version, policy, native).set(1)

    def state_dir(self, folder: Path) -> None:
        """The folder that holds the state, whose file system is watched. It must exist when metrics are asked for."""
        self._gauge("parcelwatch_state_dir_free_bytes").set_function(lambda: shutil.disk_usage(folder).free)
        self._gauge("parcelwatch_state_dir_size_bytes").set_function(lambda: shutil.disk_usage(folder).total)

    def begin(self, topology: Topology, health: Health) -> None:
        """Gives every series that is known by now its first value. Health is asked whenever metrics are."""
        self._tasks.counts = topology.counts
        for topic in topology.topics():
            self._read.labels(topic)
        for item in (item for kind in topology.dataflow.kinds for item in kind.inputs):
            for counter in (self._lost, self._late, self._left_out):
                counter.labels(item.topic)
        for kind in topology.counts:
            for family in (
                self._commits,
                self._commit_seconds,
                self._envelopes,
                self._changelog_bytes,
                self._restored_rows,
                self._restore_seconds,
                self._standby_rows,
            ):
                family.labels(kind)
            for error in _ERRORS:
                self._commit_failures.labels(kind, error)
                self._task_failures.labels(kind, error)
        for error in _ERRORS:
            self._fetch_failures.labels(error)
        self._ready.set_function(lambda: health.ready)
        for reason in KINDS:
            self._not_ready.labels(reason).set_function(partial(_is_wrong, health, reason))
        self._loop_turn.set_function(lambda: time.time() - health.late)

    def watch(self, living: Callable[[], Sequence[Task]]) -> None:
        """`living` gives the tasks that the worker has and that run, whenever it is asked."""
        self._tasks.tasks = living

    def processors(self) -> list[Processor]:
        """The logic of the tasks that the worker has and that run, now."""
        return [task.processor for task in self._tasks.tasks()]

    # -- reading

    def read(self, topic: str, records: int) -> None:
        self._read.labels(topic).inc(records)
        self._lateness.take(topic, records, 0)

    def lag(self, source: TopicPartition, offsets: int, now: int, greatest: int) -> None:
        """`offsets` are left to read at `now`; the latest event read is of the time `greatest` (microseconds)."""
        if not self._is_held(source):
            return  # it was asked for while the task was being given up
        place = source.topic, str(source.partition)
        self._lag_records.labels(*place).set(offsets)
        self._held_up.labels(*place)
        if not offsets or greatest > BEGINNING:
            seconds = max(now - greatest, 0) / 1e6 if offsets else 0.0
            self._lag_seconds.labels(*place).set(seconds)

    def catching_up(self, behind: bool) -> None:
        self._catching_up.set(behind)

    def lost(self, source: TopicPartition, offsets: int) -> None:
        self._lost.labels(source.topic).inc(offsets)

    def clock_ahead(self, seconds: float) -> None:
        self._clock_ahead.set(seconds)

    def held_up(self, source: TopicPartition, offsets: int) -> None:
        if self._is_held(source):
            self._held_up.labels(source.topic, str(source.partition)).set(offsets)

    def fetch_failed(self, error: LogError) -> None:
        self._fetch_failures.labels(type(error).__name__).inc()

    def standstill(self, seconds: float) -> None:
        self._standstill.set(seconds)

    def started_again(self, step: str) -> None:
        self._started_again.labels(step).inc()

    # -- group and health

    def rebalanced(self) -> None:
        self._rebalances.inc()

    def broker_answered(self, ago: float) -> None:
        """A broker has answered so many seconds ago."""
        self._broker_answer.set(time.time() - ago)

    def rebuilt(self) -> None:
        self._rebuilds.inc()

    def missing_rights(self, count: int) -> None:
        self._missing_rights.set(count)

    # -- restores and standbys

    def restoring(self, task: TaskId, rows: int, left: int) -> None:
        self._restored_rows.labels(task.kind).inc(rows)
        self._restoring_offsets.labels(str(task)).set(left)

    def restored(self, task: Task, rows: int, seconds: float) -> None:
        self.restoring(task.id, 0, 0)
        log.info("restored", task=str(task.id), rows=rows, seconds=round(seconds, 3))
        self._restore_seconds.labels(task.id.kind).observe(seconds)
        self._held[task.id] = [TopicPartition(topic, task.id.partition) for topic in task.external]
        # It begins with what it had counted before: that is no increase.
        for topic, external in task.external.items():
            self._counted[task.id, topic] = (external.clock.late, external.clock.left_out)

    def followed(self, task: TaskId, rows: int, left: int) -> None:
        self._standby_rows.labels(task.kind).inc(rows)
        self._standby_lag.labels(str(task)).set(left)

    def unfollowed(self, task: TaskId) -> None:
        self._standby_lag.remove(str(task))

    # -- transactions

    def committed(self, task: Task, transaction: Transaction, seconds: float) -> None:
        kind = task.id.kind
        self._commits.labels(kind).inc()
        self._commit_seconds.labels(kind).observe(seconds)
        self._envelopes.labels(kind).inc(len(transaction.envelopes))
        written = sum(map(len, transaction.rows)) + sum(map(len, filter(None, transaction.rows.values())))
        self._changelog_bytes.labels(kind).inc(written)

    def commit_failed(self, task: TaskId, error: LogError) -> None:
        self._commit_failures.labels(task.kind, type(error).__name__).inc()

    def failed(self, task: TaskId, error: LogError) -> None:
        self._task_failures.labels(task.kind, type(error).__name__).inc()
        log.warning("task starts over", task=str(task), error=str(error))

    # -- what tasks count themselves

    def sample(self, tasks: Sequence[Task]) -> None:
        """Takes over the late events, and the events left out, that the tasks have counted."""
        for task in tasks:
            for topic, external in task.external.items():
                self._count(task.id, topic, external.clock.late, external.clock.left_out)
        for topic, share in self._lateness.shares().items():
            self._late_ratio.labels(topic).set(share)

    def _count(self, task: TaskId, topic: str, late: int, left_out: int) -> None:
        before = self._counted.get((task, topic), (0, 0))
        self._late.labels(topic).inc(max(late - before[0], 0))
        self._lateness.take(topic, 0, max(late - before[0], 0))
        self._left_out.labels(topic).inc(max(left_out - before[1], 0))
        self._counted[task, topic] = (late, left_out)

    def forget(self, task: TaskId) -> None:
        """The task is another worker's now, whether it ran or not: what is told of it here holds no longer.

        Call it once nothing of the task runs. What others tell of its partitions later is ignored.
        """
        self._restoring_offsets.remove(str(task))
        for source in self._held.pop(task, ()):
            self._counted.pop((task, source.topic), None)
            for lag in (self._lag_records, self._lag_seconds, self._held_up):
                lag.remove(source.topic, str(source.partition))

    def _is_held(self, source: TopicPartition) -> bool:
        return any(source in sources for sources in self._held.values())


def _is_wrong(health: Health, kind: Kind) -> bool:
    return kind in health.reasons
