"""What the settings of topics refuse, and how partitions are resolved, without a broker."""

from __future__ import annotations

import pytest

from streams.engine.processor import Dataflow, ExternalInput, TaskKind
from streams.topics.desired import DAY_MS, INPUT_DAYS, Settings, external, internal
from streams.topics.ensure import resolve
from streams.topics.report import Found, disagreements, duration

DATAFLOW = Dataflow(
    kinds=(
        TaskKind("orders", (ExternalInput("orders", 0), ExternalInput("chats", 0)), {}),
        TaskKind("shipments", (ExternalInput("logistics-scans", 0),), {}),
    ),
    edges=(),
)


def settings(**changes: object) -> Settings:
    return Settings(app_id="pw", dataflow=DATAFLOW, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"retention_days": {**INPUT_DAYS, "chats": 179.9}}, "at least 180 days"),
        ({"retention_days": {"orders": 1, "chats": 180}}, "no retention is set for logistics-scans"),
        ({"retention_days": {**INPUT_DAYS, "orders": 0}}, "more than 0 days"),
        ({"partitions": {"order": 3}}, "unknown kind of task: order"),
        ({"partitions": {"orders": 0}}, "at least 1"),
        ({"output_partitions": 0}, "at least 1"),
        ({"replication_factor": 0}, "at least 1"),
    ],
)
def test_settings_that_cannot_work_are_refused_in_one_line(changes: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        settings(**changes)


def test_chats_are_kept_for_180_days_or_longer() -> None:
    for days in (180, 180.1, 365):
        specs = external(settings(retention_days={**INPUT_DAYS, "chats": days}), {"orders": 1, "shipments": 1}, {})
        (chats,) = (spec for spec in specs if spec.topic == "chats")
        assert int(chats.config["retention.ms"]) == days * DAY_MS


def test_every_input_has_a_dead_letter_topic_that_stays_as_long() -> None:
    specs = {spec.topic: spec.config for spec in external(settings(), {"orders": 1, "shipments": 1}, {})}
    for topic in INPUT_DAYS:
        assert specs[f"{topic}.dlq"] == specs[topic]


def test_changelogs_are_compacted_and_named_by_application_and_task() -> None:
    specs = internal(settings(), {"orders": 4, "shipments": 8})
    compacted = {
        "cleanup.policy": "compact",
        "max.compaction.lag.ms": str(7 * DAY_MS),
        "message.timestamp.type": "LogAppendTime",
    }
    assert [(spec.topic, spec.partitions, dict(spec.config)) for spec in specs] == [
        ("pw-orders-changelog", 4, compacted),
        ("pw-shipments-changelog", 8, compacted),
    ]


def test_partitions_are_those_found_then_those_asked_for_then_the_default() -> None:
    assert resolve(settings(), {}) == ({"orders": 12, "shipments": 12}, [])
    asked = settings(partitions={"shipments": 3})
    assert resolve(asked, {"chats": 7}) == ({"orders": 7, "shipments": 3}, [])
    counts, problems = resolve(asked, {"logistics-scans": 4})
    assert counts == {"orders": 12, "shipments": 4}
    assert problems == ["logistics-scans: 4 partitions, wanted 3; they cannot change"]


def test_the_order_of_cleanup_policies_means_nothing() -> None:
    (spec,) = [one for one in external(settings(), {"orders": 1, "shipments": 1}, {}) if one.topic == "orders"]
    both = spec._replace(config={"cleanup.policy": "compact,delete"})
    assert disagreements(both, Found(1, {"cleanup.policy": "delete,compact"})) == []


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [("-1", "for ever"), ("15552000000", "180 days"), ("43200000", "0.5 days"), (str((1 << 63) - 1), "for ever")],
)
def test_durations_are_told_in_days(milliseconds: str, words: str) -> None:
    assert duration(milliseconds) == words
