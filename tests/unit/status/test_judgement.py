"""What is said to be wrong, from facts that are made up; the connected tests make the same faults on a real Kafka."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from schemas.times import DAY, HOUR, MINUTE, SECOND, parse
from schemas.topics import PLAIN
from streams.engine.log.interface import TopicPartition, TopicSpec
from streams.engine.log.kafka_groups import Group, GroupMember
from streams.engine.notes import InputNote, TaskNote, WorkerNote
from streams.engine.topology import TaskId, Topology
from streams.policy import load
from streams.stages.dataflow import dataflow
from streams.status.facts import Count, Facts, Holder, Span
from streams.status.judgement import FAR, SILENT, STUCK, judge
from streams.status.report import document, lines
from streams.status.wording import what
from streams.topics.report import Report

NOW = parse("2026-03-01T12:00:00Z")
FLOW = dataflow(load.default(), PLAIN)
TOPOLOGY = Topology("pw", FLOW, {"orders": 1, "shipments": 1})
ORDERS, SHIPMENTS = TOPOLOGY.tasks()
SCANS = TopicPartition("logistics-scans", 0)
ABOUT = {"version": "1", "policy": "default@1", "clock": "wall", "standbys": "0", "partitioner": "murmur2"}


def member(name: str, *tasks: TaskId) -> GroupMember:
    partitions = frozenset[TopicPartition]().union(*map(TOPOLOGY.partitions_of, tasks))
    return GroupMember(f"{name}-id", "parcelwatch-1", "10.0.0.1", name, partitions)


def note(name: str, *, at: int = NOW, behind: int = 0, left: int | None = None, **worker: Any) -> TaskNote:
    told = WorkerNote(ABOUT | worker.pop("about", {}), **worker)
    inputs = {item.name: InputNote(NOW - behind - HOUR, HOUR, f"{item.topic}-0")
              for kind in FLOW.kinds for item in kind.inputs}  # fmt: skip
    return TaskNote(at, f"{name}-id", left, inputs, told)


def facts(**more: Any) -> Facts:
    """One worker with both tasks, and all is well."""
    spans = {source: Span(0, 10, 10) for task in TOPOLOGY.tasks() for source in TOPOLOGY.partitions_of(task)}
    well: dict[str, Any] = {
        "group": Group("Stable", (member("one", ORDERS, SHIPMENTS),)),
        "spans": spans,
        "read": dict.fromkeys(spans, 10),
        "topics": Report((), (), (), True),
        "notes": {ORDERS: note("one"), SHIPMENTS: note("one")},
    }
    return Facts("pw", NOW, TOPOLOGY, True, **well | more)


def both(**told: Any) -> dict[TaskId, TaskNote]:
    return {ORDERS: note("one", **told), SHIPMENTS: note("one", **told)}


def found(given: Facts) -> list[tuple[bool, str]]:
    return [(finding.wrong, what(finding)) for finding in judge(given)]


def test_nothing_is_said_where_all_is_well() -> None:
    assert found(facts()) == []


@pytest.mark.parametrize(("age", "silent"), [(SILENT - 1, False), (SILENT, False), (SILENT + SECOND, True)])
def test_a_worker_that_tells_nothing_for_long_is_silent(age: int, silent: bool) -> None:
    said = found(facts(notes=both(at=NOW - age)))
    assert said == ([(True, "worker one at 10.0.0.1 has been silent for 7 s")] if silent else [])


def test_a_worker_with_tasks_that_has_never_told_anything_is_named_and_one_without_is_not() -> None:
    group = Group("Stable", (member("one", ORDERS, SHIPMENTS), member("spare")))
    assert found(facts(group=group, notes={})) == [
        (True, "worker one at 10.0.0.1 has told nothing of its tasks"),
    ]


def test_a_task_that_nobody_has_is_named() -> None:
    group = Group("Stable", (member("one", ORDERS),))
    assert found(facts(group=group)) == [(True, "nobody has shipments-0")]


def test_a_rebalance_is_told_and_nothing_is_concluded_from_its_assignment() -> None:
    group = Group("PreparingRebalance", (member("one"),))
    assert found(facts(group=group)) == [(True, "the group is rebalancing (PreparingRebalance)")]


@pytest.mark.parametrize(("left", "said"), [(-1, "begins"), (0, "0 offsets left"), (12_345, "12,345 offsets left")])
def test_a_restore_is_told_with_what_is_left(left: int, said: str) -> None:
    notes = {ORDERS: note("one", left=left), SHIPMENTS: note("one")}
    assert found(facts(notes=notes)) == [(True, f"being restored: orders-0 ({said})")]


def test_a_restore_that_another_worker_told_of_before_it_lost_the_task_is_over() -> None:
    notes = {ORDERS: note("gone", left=5), SHIPMENTS: note("one")}
    assert found(facts(notes=notes)) == []


@pytest.mark.parametrize(("age", "stuck"), [(STUCK, False), (STUCK + 1, True)])
def test_a_transaction_in_which_nobody_writes_is_stuck(age: int, stuck: bool) -> None:
    spans = facts().spans | {SCANS: Span(0, 4, 10)}
    given = facts(spans=spans, holders={SCANS: [Holder("producer 7", NOW - age)]})
    assert [what.partition(":")[0] for _, what in found(given)] == (
        ["an open transaction of producer 7 holds logistics-scans-0 at offset 4"] if stuck else []
    )


@pytest.mark.parametrize(("behind", "said"), [(MINUTE, False), (MINUTE + 1, True)])
def test_an_input_is_behind_by_event_time_beyond_its_lateness(behind: int, said: bool) -> None:
    assert bool(found(facts(notes=both(behind=behind)))) is said


def test_whether_records_are_unread_tells_lag_from_a_watermark_that_stands() -> None:
    notes = both(behind=3 * HOUR)
    standing = [what for _, what in found(facts(notes=notes))]
    assert "the watermark of logistics-scans stands, 3 h behind: logistics-scans-0 holds it back" in standing
    lagging = [what for _, what in found(facts(notes=notes, read=facts().read | {SCANS: 4}))]
    assert "logistics-scans is 3 h behind: 6 records are unread, logistics-scans-0 is the last" in lagging


def test_event_time_that_the_clock_does_not_move_is_behind_nothing() -> None:
    assert found(facts(notes=both(behind=3 * HOUR, about={"clock": "stream"}))) == []


@pytest.mark.parametrize(
    ("what", "wrong"), [("policy", True), ("partitioner", True), ("version", False), ("store", None)]
)
def test_workers_that_differ(what: str, wrong: bool | None) -> None:
    group = Group("Stable", (member("one", ORDERS), member("two", SHIPMENTS)))
    notes = {ORDERS: note("one", about={what: "a"}), SHIPMENTS: note("two", about={what: "b"})}
    said = [(wrong, f"workers differ in their {what}: a, b")] if wrong is not None else []
    assert found(facts(group=group, notes=notes)) == said


@pytest.mark.parametrize(("left", "said"), [(-1, True), (0, False), (FAR, False), (FAR + 1, True)])
def test_a_standby_that_is_behind_is_worth_a_look(left: int, said: bool) -> None:
    notes = both(standbys={"orders-1": left})
    assert found(facts(notes=notes)) == ([(False, "standbys are behind: orders-1")] if said else [])


def test_standbys_that_nobody_could_be_are_told() -> None:
    assert found(facts(notes=both(about={"standbys": "1"}))) == [
        (False, "standbys are asked for, and there is one worker")
    ]


@pytest.mark.parametrize(
    ("measured", "said"),
    [
        ({"parcelwatch_late_ratio orders": 0.1}, None),
        ({"parcelwatch_late_ratio orders": 0.11},
         (True, "11% of orders's records in the last minute were late (worker one)")),
        ({"parcelwatch_numbers_under_two_names_total": 3.0},
         (False, "worker one saw 3 numbers under two names of one carrier")),
        ({"parcelwatch_clock_ahead_seconds": -6.0}, (False, "the clock of worker one is -6 s from the brokers'")),
        ({"parcelwatch_clock_ahead_seconds": 5.0}, None),
        ({"parcelwatch_records_lost_total chats": 9.0},
         (False, "up to 9 records of chats were deleted before worker one read them")),
        ({"parcelwatch_catching_up": 1.0}, (False, "worker one reads the past (--catch-up)")),
    ],
)  # fmt: skip
def test_what_a_worker_has_measured(measured: dict[str, float], said: tuple[bool, str] | None) -> None:
    assert found(facts(notes=both(measured=measured))) == ([] if said is None else [said])


@pytest.mark.parametrize(
    ("life", "left", "said"),
    [
        # A week of a long life, a fifth of a short one.
        (365, 7.0, None),
        (365, 7.0 - 1e-5, (False, "a certificate of worker one expires in 6 days: client")),
        (10, 2.0, None),
        (10, 2.0 - 1e-5, (False, "a certificate of worker one expires in 47 h: client")),
        (10, 1e-5, (False, "a certificate of worker one expires in 0 s: client")),
        (10, 0.0, (True, "a certificate of worker one has expired: client")),
    ],
)
def test_a_certificate_is_told_of_as_its_rule_has_it(life: int, left: float, said: tuple[bool, str] | None) -> None:
    end = (NOW + left * DAY) / SECOND
    measured = {
        "parcelwatch_certificate_start_timestamp_seconds client": end - life * DAY / SECOND,
        "parcelwatch_certificate_expiry_timestamp_seconds client": end,
    }
    assert found(facts(notes=both(measured=measured))) == ([] if said is None else [said])


def test_the_reasons_of_a_worker_that_is_not_ready_are_told() -> None:
    assert found(facts(notes=both(wrong={"standstill": "orders-0 has read nothing", "tasks": "1 of 2"}))) == [
        (True, "worker one is not ready (standstill): orders-0 has read nothing")
    ]


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ("pw-orders-changelog", "the state is gone with pw-orders-changelog"),
        ("pw-links", "what tasks sent to each other is gone with pw-links"),
        ("alerts.merchant", "topics are missing: alerts.merchant"),
    ],
)
def test_a_topic_that_is_missing_is_made_anew_only_where_nothing_is_lost_with_it(missing: str, said: str) -> None:
    report = Report((TopicSpec(missing, 1, {}),), (), (), True)
    assert found(facts(topics=report)) == [(True, said)]
    assert found(facts(topics=report, read={})) == [(True, f"topics are missing: {missing}")]


def test_settings_that_lose_data_are_wrong_and_others_worth_a_look() -> None:
    severe = "pw-orders-changelog has cleanup.policy delete, wanted cleanup.policy compact"
    light = "orders has retention.ms 1 (0 days), wanted retention.ms 2 (0 days)"
    assert found(facts(topics=Report((), (), (light, severe), True))) == [
        (True, severe),
        (False, f"1 settings of topics are not as wanted: {light}"),
    ]


def test_without_workers_what_is_unread_is_told_and_when_the_last_one_told_of_itself() -> None:
    given = facts(group=Group("Empty", ()), notes=both(at=NOW - HOUR), read=facts().read | {SCANS: 4})
    assert found(given) == [
        (True, "no worker runs; the last one told of itself 60 min ago"),
        (True, "6 records of logistics-scans are unread"),
    ]


def test_letters_are_worth_a_look() -> None:
    given = facts(letters={"orders.dlq": {("bad_time",): Count(2, NOW), ("bad_key",): Count(1, NOW)}})
    assert found(given) == [(False, "3 dead letters in the last day")]


def test_the_screen_is_as_wide_as_a_screen_and_the_document_has_all_of_it() -> None:
    given = facts(alerts={"alerts.merchant": {("parcelwatch.order.ship_late.v1", "raised"): Count(2, NOW - HOUR)}})
    screen = list(lines(given, judge(given)))
    assert screen[0] == "pw is healthy, 2026-03-01T12:00:00Z"
    assert "alerts.merchant order.ship_late  2       0         2026-03-01T11:00:00Z" in screen
    assert max(map(len, screen)) < 100
    whole = document(given, judge(given))
    assert whole["healthy"] is True
    assert [each["task"] for each in whole["tasks"]] == ["orders-0", "shipments-0"]
    assert [each["topic"] for each in whole["inputs"] if each["topic"]] == ["orders", "chats", "logistics-scans"]


def test_an_application_that_is_not_there_is_all_that_is_said() -> None:
    given = replace(facts(), exists=False, others=["a", "b"])
    assert found(given) == [(True, "there is no application pw here, but a, b")]
    assert len(list(lines(given, judge(given)))) == 3
