"""The sections: what each measures, what it needs, and its time limit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bench import active, backfill, comparison, latency, memory, replay, restore, stages, watermarks, workers
from bench.asked import Asked
from bench.results import Table


@dataclass(frozen=True, slots=True)
class Section:
    """`broker`: whether it needs one. `minutes`: after so many it is given up; by far more than it takes."""

    name: str
    what: str
    run: Callable[[Asked], Awaitable[list[Table]]]
    minutes: float
    broker: bool = True


SECTIONS = (
    Section(
        "throughput", "parcelwatch beside Kafka Streams, Flink, Quix Streams, PyFlink and Faust", comparison.run, 90
    ),
    Section("throughput-long", "the same with three times as many scans", comparison.run_long, 150),
    Section(
        "throughput-streams", "with more and fewer silent parcels, and with escaped JSON", comparison.run_streams, 90
    ),
    Section("workers", "one worker and two", workers.run, 30),
    Section("stages", "where a worker's time goes", stages.run, 6),
    Section("active", "the cost of a scan by the number of active shipments", active.run, 15, broker=False),
    Section("latency", "from an event to its alert, at half of the greatest load", latency.run, 15),
    Section("restore", "restores, and the time to be back at work after kill -9", restore.run, 40),
    Section("watermarks", "traffic between tasks, and a reader behind a killed worker", watermarks.run, 8),
    Section("backfill", "two years of hours against a week", backfill.run, 6, broker=False),
    Section("memory", "memory and disk of a shipment", memory.run, 20, broker=False),
    Section("replay", "a replay, and where its time goes", replay.run, 20, broker=False),
)
BY_NAME = {section.name: section for section in SECTIONS}
