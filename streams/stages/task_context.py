"""Shared by all tasks of a worker: policy, partition counts, alert rendering, counters."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import orjson

from schemas.topics import ALERTS, PLAIN, TopicNames
from streams.alerts.cloudevents import HEADERS, AlertWriter
from streams.engine.processor import Output
from streams.policy.model import Policy
from streams.rules.alert import Alert
from streams.stages.buyer_hash import BuyerHash
from streams.stages.intake import Counts, Intake, Partitioner
from streams.stages.intake_log import IntakeLog
from streams.stages.tables import TableRecord


class Setting:
    """`order_partitions`, `scan_partitions`: how many partitions the topics have.

    `native`: the module that takes the common scans (`streams.stages.shipments.native_scans`) and keeps rows, if any.
    `clock` gives the wall clock in microseconds, for dead letter headers only. `buyer_hash`: the keyed hash under which
    the state stores buyers; without it, buyers are not stored.
    """

    def __init__(
        self,
        policy: Policy,
        order_partitions: int,
        scan_partitions: int,
        partitioner: Partitioner,
        clock: Callable[[], int],
        counts: Counts | None = None,
        *,
        dead_letter_payload: bool = False,
        buyer_hash: BuyerHash | None = None,
        topics: TopicNames = PLAIN,
        native: ModuleType | None = None,
    ) -> None:
        self.policy = policy
        self.native = native
        self.order_partitions = order_partitions
        self.scan_partitions = scan_partitions
        self.buyer_hash = buyer_hash
        self.topics = topics
        self.counts = counts if counts is not None else Counts()
        self._partitioner = partitioner
        self._clock = clock
        self._payload = dead_letter_payload
        #: One for all tasks: a flood reaches all of them.
        self._log = IntakeLog(clock)
        self._writer = AlertWriter(policy.label, policy.platform)

    def intake(self, partitions: int) -> Intake:
        """The input validator of a task whose topics have `partitions` partitions."""
        payload, topics = self._payload, self.topics
        return Intake(
            self._partitioner, partitions, self._clock, self.counts, with_payload=payload, topics=topics, log=self._log
        )

    def order_partition(self, key: str) -> int:
        """The partition of a key of `orders` and `chats`, and of all state co-partitioned with it."""
        return self._partitioner(key.encode(), self.order_partitions)

    def scan_partition(self, tracking_no: str) -> int:
        """The partition of a tracking number."""
        return self._partitioner(tracking_no.encode(), self.scan_partitions)

    def alert(self, alert: Alert) -> list[Output]:
        """The records of an alert."""
        self.counts.alerts[alert.type, alert.status] += 1
        return [
            Output(self.topics[ALERTS[record.audience]], record.key, record.value, HEADERS)
            for record in self._writer.records(alert)
        ]

    def table(self, record: TableRecord) -> Output:
        """The record of a table; a tombstone if nothing is left."""
        value = None if record.value is None else orjson.dumps(record.value)
        return Output(self.topics[record.table], record.key.encode(), value)
