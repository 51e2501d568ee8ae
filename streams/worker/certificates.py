"""When the certificates run out that a process connects with, read when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from streams.engine.log.certificates import validity_of
from streams.worker.families import Families

_START = "parcelwatch_certificate_start_timestamp_seconds"
_EXPIRY = "parcelwatch_certificate_expiry_timestamp_seconds"


class Certificates(Collector):
    """The two series of each certificate, in the registry of a process; `client`: its options for Kafka clients."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.client: Mapping[str, Any] = {}
        registry.register(self)

    def describe(self) -> Iterator[Metric]:
        """Their names: who wants some metrics only finds the collector by them."""
        return iter(Families(_START, _EXPIRY))

    def collect(self) -> Iterator[Metric]:
        """Without certificates in files there is no series."""
        families = Families(_START, _EXPIRY)
        for kind, validity in validity_of(self.client).items():
            families.add(_START, (kind,), validity.begin)
            families.add(_EXPIRY, (kind,), validity.end)
        yield from families
