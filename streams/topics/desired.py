"""Which topics an application needs, with partitions, retention and compaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from schemas.topics import ALERTS, DEAD_LETTERS, INGEST_DEAD_LETTERS, PLAIN, TABLES, TopicNames
from streams.engine.log.interface import TopicSpec
from streams.engine.processor import Dataflow
from streams.engine.topology import Topology

DAY_MS = 86_400_000

#: Enough for a dozen workers; it cannot grow later under the same application id.
INPUT_PARTITIONS = 12

#: Alerts, tables and dead letters are few.
OUTPUT_PARTITIONS = 6

#: Retention of inputs in days: as long as the state derived from them, 400 for an open order.
INPUT_DAYS: Mapping[str, float] = MappingProxyType({"orders": 400, "logistics-scans": 180, "chats": 180})

#: Conversations are evidence in after-sales disputes for this long, in days.
CHATS_LEAST_DAYS = 180

ALERTS_DAYS = 180

#: Of pushes that could not be read: they may hold personal data.
INGEST_DAYS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the topics depend on.

    `partitions`: by kind of task, the number of its input topics, which are read together and so have the
    same; a kind that is not named takes the number of those of its topics that exist, else 12.
    `output_partitions` likewise, else 6. `retention_days`: by what the program calls an input.
    `replication_factor`: None takes the broker's default.
    Raises `ValueError` with one line.
    """

    app_id: str
    dataflow: Dataflow
    topics: TopicNames = PLAIN
    partitions: Mapping[str, int] = field(default_factory=dict)
    output_partitions: int | None = None
    retention_days: Mapping[str, float] = field(default_factory=lambda: INPUT_DAYS)
    alerts_days: float = ALERTS_DAYS
    replication_factor: int | None = None

    def __post_init__(self) -> None:
        kinds = {kind.name for kind in self.dataflow.kinds}
        if unknown := set(self.partitions) - kinds:
            raise ValueError(f"partitions of an unknown kind of task: {', '.join(sorted(unknown))}")
        counts = [*self.partitions.values(), self.output_partitions, self.replication_factor]
        if any(count is not None and count < 1 for count in counts):
            raise ValueError("a number of partitions or replicas must be at least 1")
        missing = [topic for topic in inputs(self.dataflow) if topic not in self.retention_days]
        if missing:
            raise ValueError(f"no retention is set for {', '.join(missing)}")
        if min(self.alerts_days, *self.retention_days.values()) <= 0:
            raise ValueError("a retention must be more than 0 days")
        if self.retention_days.get("chats", CHATS_LEAST_DAYS) < CHATS_LEAST_DAYS:
            raise ValueError(f"chats are kept for at least {CHATS_LEAST_DAYS} days")


def inputs(dataflow: Dataflow) -> tuple[str, ...]:
    """The topics that upstream systems write, by their names in the program."""
    return tuple(item.name for kind in dataflow.kinds for item in kind.inputs)


def external(settings: Settings, counts: Mapping[str, int], present: Mapping[str, int]) -> list[TopicSpec]:
    """Inputs, outputs and dead letters. `counts`: by kind of task; `present`: partitions of what exists."""
    specs = [
        TopicSpec(item.topic, counts[kind.name], kept(settings.retention_days[item.name]))
        for kind in settings.dataflow.kinds
        for item in kind.inputs
    ]

    def output(name: str, config: Mapping[str, str]) -> TopicSpec:
        topic = settings.topics[name]
        return TopicSpec(topic, settings.output_partitions or present.get(topic, OUTPUT_PARTITIONS), config)

    specs += [output(topic, kept(settings.alerts_days)) for topic in ALERTS.values()]
    specs += [output(topic, {"cleanup.policy": "compact"}) for topic in TABLES]
    # A dead letter refers to a record by offset, and may contain its value: kept for as long.
    specs += [output(DEAD_LETTERS[name], kept(settings.retention_days[name])) for name in inputs(settings.dataflow)]
    specs.append(output(INGEST_DEAD_LETTERS, kept(INGEST_DAYS)))
    return specs


def internal(settings: Settings, counts: Mapping[str, int]) -> list[TopicSpec]:
    """The topics between the application's tasks, and their changelogs."""
    return Topology(settings.app_id, settings.dataflow, counts).specs()


def kept(days: float) -> dict[str, str]:
    """The settings of a topic whose records expire after some days."""
    return {"cleanup.policy": "delete", "retention.ms": str(round(days * DAY_MS))}
