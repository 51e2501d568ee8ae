"""What an ingest measures, by its catalogue (`streams.ingest.catalogue`)."""

from __future__ import annotations

from collections import Counter as Counts
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, disable_created_metrics

from schemas.topics import INPUTS
from streams.ingest.answers import Outcome
from streams.ingest.catalogue import CATALOGUE
from streams.worker.certificates import Certificates
from streams.worker.connections import Connections


class IngestMetrics:
    """The metrics of one process in a registry of their own. `formats`: those that are served."""

    def __init__(self, formats: Iterable[str]) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.http = Connections(self.registry)
        self.certificates = Certificates(self.registry)
        self._pushes = self._counter("parcelwatch_ingest_pushes_total")
        self._events = self._counter("parcelwatch_ingest_events_total")
        self._dead = self._counter("parcelwatch_ingest_dead_letters_total")
        entry = CATALOGUE["parcelwatch_ingest_seconds"]
        self._seconds = Histogram(
            entry.name, entry.meaning, entry.labels, buckets=entry.buckets, registry=self.registry
        )
        self._in_flight = self._gauge("parcelwatch_ingest_in_flight")
        self._ready = self._gauge("parcelwatch_ingest_ready")
        # By these, as to look them up by their labels costs more than to count.
        self._by_push = {(one, outcome): self._pushes.labels(one, outcome) for one in formats for outcome in Outcome}
        self._by_format = {one: self._seconds.labels(one) for one in formats}
        self._by_topic = {topic: self._events.labels(topic) for topic in INPUTS}

    def begun(self) -> None:
        """A push has come."""
        self._in_flight.inc()

    def answered(self, format_name: str, outcome: Outcome, seconds: float) -> None:
        """It has been answered, after so many seconds."""
        self._in_flight.dec()
        self._by_push[format_name, outcome].inc()
        self._by_format[format_name].observe(seconds)

    def delivered(self, topics: Counts[str]) -> None:
        """Kafka has so many events, by topic."""
        for topic, count in topics.items():
            self._by_topic[topic].inc(count)

    def dead_letter(self, format_name: str, reason: str) -> None:
        """A push, or a part of it, has become a dead letter."""
        self._dead.labels(format_name, reason).inc()

    def ready(self, ready: bool) -> None:
        """Whether Kafka takes events."""
        self._ready.set(ready)

    def _counter(self, name: str) -> Counter:
        entry = CATALOGUE[name]
        return Counter(name, entry.meaning, entry.labels, registry=self.registry)

    def _gauge(self, name: str) -> Gauge:
        entry = CATALOGUE[name]
        return Gauge(name, entry.meaning, entry.labels, registry=self.registry)
