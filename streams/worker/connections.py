"""What a process measures of the connections to its own endpoint."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge

from streams.worker.catalogue import CATALOGUE


class Connections:
    """The two series of an endpoint, in the registry that it shows."""

    def __init__(self, registry: CollectorRegistry) -> None:
        there, dropped = CATALOGUE["parcelwatch_http_connections"], CATALOGUE["parcelwatch_http_dropped_total"]
        self._there = Gauge(there.name, there.meaning, registry=registry)
        self._dropped = Counter(dropped.name, dropped.meaning, registry=registry)

    def there(self, number: int) -> None:
        """So many there are, with the one that has just come."""
        self._there.set(number)

    def dropped(self) -> None:
        """One has been ended."""
        self._dropped.inc()
