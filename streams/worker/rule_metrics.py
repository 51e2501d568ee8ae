"""Metrics of what the rules have said and seen, read when they are asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, runtime_checkable

import structlog
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from streams.stages.intake import Counts

log = structlog.get_logger(__name__)


class TwoNames(Counter[tuple[str, str]]):
    """Tracking numbers that came under two names of one carrier; each pair of names is told in the log, once."""

    def __setitem__(self, names: tuple[str, str], count: int) -> None:
        if names not in self:
            hint = "[carriers] canonical = true in the policy makes them one"
            log.warning("a tracking number came under two names of one carrier", names=names, hint=hint)
        super().__setitem__(names, count)


@runtime_checkable
class Stalls(Protocol):
    """A processor that knows how many of its stalls are open."""

    open_stalls: int


class RuleMetrics(Collector):
    """Alerts, dead letters, repeats and open stalls of this process. No label holds an id.

    `processors` gives those of the tasks that the worker has at the moment.
    """

    def __init__(self, counts: Counts, processors: Callable[[], Iterable[object]] = tuple) -> None:
        self._counts = counts
        self._processors = processors

    def collect(self) -> Iterator[Metric]:
        """One family per count."""
        alerts = CounterMetricFamily(
            "parcelwatch_alerts", "Alerts raised and resolved, by type", labels=("type", "status")
        )
        for (type_, status), count in sorted(self._counts.alerts.items()):
            alerts.add_metric((type_, status), count)
        yield alerts
        dead = CounterMetricFamily(
            "parcelwatch_dead_letters",
            "Records that are no valid event, by topic and reason",
            labels=("topic", "reason"),
        )
        for (topic, reason), count in sorted(self._counts.dead.items()):
            dead.add_metric((topic, reason), count)
        yield dead
        yield CounterMetricFamily("parcelwatch_repeats", "Events that were known", value=self._counts.repeated)
        yield CounterMetricFamily("parcelwatch_tombstones", "Records without a value", value=self._counts.tombstones)
        yield CounterMetricFamily(
            "parcelwatch_numbers_under_two_names",
            "Tracking numbers that came under two names of one carrier",
            value=self._counts.two_names.total(),
        )
        stalls = sum(each.open_stalls for each in self._processors() if isinstance(each, Stalls))
        yield GaugeMetricFamily("parcelwatch_open_stalls", "Stalled shipments, now", value=stalls)
