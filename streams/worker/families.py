"""Families of the catalogue's metrics, for collectors that make them up whenever they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from streams.worker.catalogue import CATALOGUE


class Families:
    """One family for each of the names, in their order."""

    def __init__(self, *names: str) -> None:
        self._families: dict[str, CounterMetricFamily | GaugeMetricFamily] = {}
        for name in names:
            entry = CATALOGUE[name]
            family = CounterMetricFamily if entry.kind == "counter" else GaugeMetricFamily
            self._families[name] = family(name, entry.meaning, labels=entry.labels)

    def add(self, name: str, labels: Sequence[str], value: float) -> None:
        """Adds a series."""
        self._families[name].add_metric(labels, value)

    def __iter__(self) -> Iterator[Metric]:
        return iter(self._families.values())
