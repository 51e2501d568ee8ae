"""What a notifier measures, by the catalogue (`streams.notify.catalogue`)."""

from __future__ import annotations

import time
from collections import Counter as Counts

from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector, disable_created_metrics

from streams.notify.book import Book
from streams.notify.catalogue import NOTIFIER
from streams.notify.settings import Settings
from streams.worker.certificates import Certificates
from streams.worker.connections import Connections

#: Seconds between two counts of what waits.
_PAUSE = 5.0
_ENTRIES = {entry.name: entry for entry in NOTIFIER.entries}


class NotifyMetrics:
    """The metrics of one notifier, in a registry of their own."""

    def __init__(self, settings: Settings) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.http = Connections(self.registry)
        self.certificates = Certificates(self.registry)
        self._leading = self._gauge("parcelwatch_notify_leading")
        self._read = self._counter("parcelwatch_notify_alerts_total")
        self._unreadable = self._counter("parcelwatch_notify_unreadable_total")
        self._lost = self._counter("parcelwatch_notify_lost_total")
        self._attempts = self._counter("parcelwatch_notify_attempts_total")
        self._untold = self._counter("parcelwatch_notify_untold_total")
        self._dead_letters = self._counter("parcelwatch_notify_dead_letters_total")
        self._waiting = self._gauge("parcelwatch_notify_waiting")
        self._dead = self._gauge("parcelwatch_notify_channel_dead")
        self._channels = tuple(settings.channels)
        self._counted: Counts[str] = Counts()
        self._counted_at = 0.0
        self.leads(False)
        for channel in self._channels:
            self._attempts.labels(channel, "accepted")
            self._dead_letters.labels(channel, "dead_channel")
            self._waiting.labels(channel).set(0)
            self._dead.labels(channel).set(0)

    def leads(self, leads: bool) -> None:
        """Whether it is this notifier that tells. A new term counts from nothing."""
        self._leading.set(leads)
        self._counted = Counts()

    def read(self) -> None:
        self._read.inc()

    def unreadable(self) -> None:
        self._unreadable.inc()

    def lost(self, offsets: int) -> None:
        self._lost.inc(offsets)

    def outcome(self, channel: str, verdict: str) -> None:
        self._attempts.labels(channel, verdict).inc()

    def given_up(self, channel: str, reason: str) -> None:
        self._dead_letters.labels(channel, reason).inc()

    def show(self, book: Book) -> None:
        """Takes over what the book counts."""
        for reason, count in book.counts.items():
            self._untold.labels(reason).inc(count - self._counted[reason])
        self._counted = Counts(book.counts)
        dead = book.dead
        for channel in self._channels:
            self._dead.labels(channel).set(channel in dead)
        # It looks at all that is kept.
        if time.monotonic() - self._counted_at >= _PAUSE:
            self._counted_at = time.monotonic()
            waiting = book.waiting()
            for channel in self._channels:
                self._waiting.labels(channel).set(waiting[channel])

    def _counter(self, name: str) -> Counter:
        return Counter(name, _ENTRIES[name].meaning, _ENTRIES[name].labels, registry=self.registry)

    def _gauge(self, name: str) -> Gauge:
        return Gauge(name, _ENTRIES[name].meaning, _ENTRIES[name].labels, registry=self.registry)
