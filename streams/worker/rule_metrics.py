"""Metrics of what the rules have said and seen, read when they are asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Protocol, runtime_checkable

import structlog
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from schemas.decode import Reason
from schemas.topics import INPUTS, PLAIN, TopicNames
from streams.rules.alert import RAISED, RESOLVED
from streams.rules.alert_types import ALERT_TYPES
from streams.rules.cases.case import KINDS
from streams.rules.help_rate.levels import INSUFFICIENT, LEVELS, OK
from streams.stages.intake import Counts
from streams.stages.open_alerts import OpenAlerts
from streams.worker.families import Families

log = structlog.get_logger(__name__)


class TwoNames(Counter[tuple[str, str]]):
    """Tracking numbers that came under two names of one carrier; each pair of names is told in the log, once."""

    def __setitem__(self, names: tuple[str, str], count: int) -> None:
        if names not in self:
            hint = "[carriers] canonical = true in the policy makes them one"
            log.warning("a tracking number came under two names of one carrier", names=names, hint=hint)
        super().__setitem__(names, count)


@runtime_checkable
class Alerting(Protocol):
    """A processor that knows how many of its alerts are open."""

    open_alerts: OpenAlerts


@runtime_checkable
class Levelled(Protocol):
    """A processor that knows how many of its shops have which level."""

    @property
    def levels(self) -> Mapping[str, int]: ...


@runtime_checkable
class Hearing(Protocol):
    """A processor that knows which carriers' feeds are silent."""

    @property
    def silent_carriers(self) -> Collection[str]: ...


class RuleMetrics(Collector):
    """Alerts, dead letters and repeats of this process; open alerts, shops and silent carriers of its tasks.

    `processors` gives those of the tasks that the worker has at the moment. Every type of alert and every reason has a
    series from the start, so that the first one is an increase.
    """

    def __init__(
        self, counts: Counts, processors: Callable[[], Iterable[object]] = tuple, topics: TopicNames = PLAIN
    ) -> None:
        self._counts = counts
        self._processors = processors
        self._topics = topics.all(INPUTS)

    def describe(self) -> Iterator[Metric]:
        """The same: who wants some metrics only finds the collector by their names."""
        return self.collect()

    def collect(self) -> Iterator[Metric]:
        """A family for each metric."""
        families = Families(
            "parcelwatch_alerts_total",
            "parcelwatch_dead_letters_total",
            "parcelwatch_repeats_total",
            "parcelwatch_tombstones_total",
            "parcelwatch_native_scans_total",
            "parcelwatch_numbers_under_two_names_total",
            "parcelwatch_open_alerts",
            "parcelwatch_shops",
            "parcelwatch_help_rate_events_total",
            "parcelwatch_carrier_silent",
        )
        counts = self._counts
        for name, type_ in ALERT_TYPES.items():
            for status in (RAISED, RESOLVED):
                families.add("parcelwatch_alerts_total", (name, type_.severity, status), counts.alerts[name, status])
        for topic in self._topics:
            for reason in Reason:
                number = counts.dead[topic, str(reason)]
                families.add("parcelwatch_dead_letters_total", (topic, str(reason)), number)
        for event in KINDS:
            for withdrawn, change in enumerate(("counted", "withdrawn")):
                number = counts.help_rates[event, bool(withdrawn)]
                families.add("parcelwatch_help_rate_events_total", (event, change), number)
        families.add("parcelwatch_repeats_total", (), counts.repeated)
        families.add("parcelwatch_tombstones_total", (), counts.tombstones)
        families.add("parcelwatch_native_scans_total", (), counts.native)
        families.add("parcelwatch_numbers_under_two_names_total", (), counts.two_names.total())
        self._add_tasks(families)
        return iter(families)

    def _add_tasks(self, families: Families) -> None:
        open_alerts: Counter[tuple[str, str]] = Counter()
        levels: Counter[str] = Counter()
        silent: set[str] = set()
        for each in self._processors():
            if isinstance(each, Alerting):
                open_alerts.update(each.open_alerts.counts)
            if isinstance(each, Levelled):
                levels.update(each.levels)
            if isinstance(each, Hearing):
                silent.update(each.silent_carriers)
        for name, type_ in ALERT_TYPES.items():
            if type_.is_resolved_by_events:
                for audience in type_.audiences:
                    families.add("parcelwatch_open_alerts", (name, audience), open_alerts[name, audience])
        for level in (INSUFFICIENT, OK, *LEVELS):
            families.add("parcelwatch_shops", (level,), levels[level])
        for carrier in sorted(silent):
            families.add("parcelwatch_carrier_silent", (carrier,), 1)
