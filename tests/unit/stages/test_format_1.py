"""What 0.1.0 has written is gone on from: nothing is lost or told twice, and 0.1.0 reads nothing of what follows."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest

from streams.engine.errors import FatalError
from streams.engine.topology import TaskId
from streams.policy.load import load
from streams.rules.alert_types import ALERT_TYPES
from streams.stages.dataflow import ORDERS_TASK
from tests.unit.stages.cluster import Cluster, Event
from tests.unit.stages.one_reader import one_reader

FOLDER = Path(__file__).parent / "format_1"
POLICY = load(str(FOLDER / "policy.toml"))
#: What the alerts rest on that 0.1.0 did not keep: promises, payments, where a delivery was.
NOT_KEPT = ("shipment.delivery_late", "shipment.suspicious")
#: (topic, key, value), None for a tombstone.
Put = tuple[str, bytes, bytes | None]


class Written(msgspec.Struct):
    """See `tests.unit.stages.format_1.written`."""

    events: list[tuple[str, bytes]]
    at: int
    until: int
    rows: dict[str, dict[bytes, bytes]]
    edges: dict[str, tuple[int, list[bytes]]]
    outputs: list[Put]


@cache
def written() -> Written:
    return msgspec.msgpack.decode(gzip.decompress((FOLDER / "written.msgpack.gz").read_bytes()), type=Written)


def resumed(crash: float = 0) -> tuple[Cluster, list[Event]]:
    """Tasks that go on from it, and the events that are still to come."""
    known = written()
    cluster = Cluster(POLICY, known.until, orders=2, scans=2, random=Random(1))
    for event in known.events[: known.at]:
        cluster.append(event)
    cluster.resume(known.rows, known.edges)
    cluster.crash = crash
    return cluster, known.events[known.at :]


def alerts_of(puts: list[Put]) -> list[tuple[str, dict[str, Any]]]:
    """The alerts among them, each with the audience that it is for."""
    return [
        (topic.removeprefix("alerts."), json.loads(value))
        for topic, _, value in puts
        if value is not None and topic.startswith("alerts.")
    ]


def name_of(alert: dict[str, Any]) -> str:
    name: str = alert["type"].removeprefix("parcelwatch.").removesuffix(".v1")
    return name


@pytest.mark.parametrize("crash", [0, 0.3])
def test_tasks_go_on_from_the_state_of_0_1_0(crash: float) -> None:
    cluster, events = resumed(crash)
    for event in events:
        cluster.append(event)
    cluster.finish()
    known = written()
    before = alerts_of(known.outputs)
    after = alerts_of([(one.topic, one.key or b"", one.value) for one in cluster.outputs])
    times = Counter((audience, alert["id"]) for audience, alert in before + after)
    assert max(times.values()) == 1
    values, tables = one_reader(known.events, POLICY, known.until)
    wanted = {alert["id"]: alert for alert in map(json.loads, values)}
    told = {alert["id"]: alert for _, alert in before + after}
    assert {name_of(wanted[one]) for one in wanted.keys() - told.keys()} == set(NOT_KEPT)
    # What 0.1.0 had told and the rules have ceased to say is taken back.
    raised = {(alert["type"], alert["subject"]) for _, alert in before}
    for one in told.keys() - wanted.keys():
        data, what = told[one]["data"], (told[one]["type"], told[one]["subject"])
        assert data["status"] == "raised" or data["resolution"] == "late_event"
        assert what in raised
    # Last of all, the tables are the same: what they count was kept.
    left: dict[str, dict[bytes, Any]] = {}
    for topic, key, value in [*known.outputs, *((one.topic, one.key or b"", one.value) for one in cluster.outputs)]:
        if topic in tables:
            left.setdefault(topic, {})[key] = value and json.loads(value)
    assert {topic: {key: row for key, row in rows.items() if row} for topic, rows in left.items()} == tables
    # An item's counts by kind are among them, but for those from before, of which the sum is known.
    items = [alert["data"]["evidence"] for _, alert in after if name_of(alert) == "item.delisting_risk"]
    assert items
    kinds = ("disputes", "complaints", "interventions", "ticket_timeouts")
    assert all(sum(item[kind] for kind in kinds) == item["escalations"] for item in items)


def test_open_alerts_of_that_state_are_counted() -> None:
    cluster, _ = resumed()
    counted: Counter[tuple[str, str]] = Counter()
    for task in cluster.tasks.values():
        counted += task.processor.open_alerts.counts  # type: ignore[attr-defined]
    wanted: Counter[tuple[str, str]] = Counter()
    for audience, alert in alerts_of(written().outputs):
        if ALERT_TYPES[name_of(alert)].is_resolved_by_events:
            wanted[name_of(alert), audience] += 1 if alert["data"]["status"] == "raised" else -1
    assert counted == +wanted
    assert {"shipment.stalled", "help_rate.campaign_blocked", "item.delisting_risk"} <= {type_ for type_, _ in counted}


def test_a_version_that_knows_format_1_alone_can_read_neither_progress_nor_envelopes() -> None:
    cluster, events = resumed()
    for event in events:
        cluster.append(event)
    cluster.finish()
    progress = cluster.rows(TaskId(ORDERS_TASK, 0))[b"eprogress"]
    with pytest.raises(msgspec.ValidationError):
        msgspec.msgpack.decode(progress, type=tuple[dict[str, tuple[int, bool]], Any, Any, bool, int])
    envelopes = [value for _, value in cluster.sent]
    assert envelopes
    for value in envelopes:
        with pytest.raises(msgspec.ValidationError):
            msgspec.msgpack.decode(value, type=tuple[int, int, int, bool, str, list[Any]])


def test_rows_and_envelopes_of_a_newer_format_are_refused_with_what_to_do() -> None:
    known = written()
    rows = {name: dict(of_task) for name, of_task in known.rows.items()}
    for of_task in rows.values():
        of_task[b"eprogress"] = msgspec.msgpack.encode([3, "whatever"])
    cluster = Cluster(POLICY, known.until, orders=2, scans=2)
    with pytest.raises(FatalError, match=r"changelog app-\w+-changelog-0 was written by a newer version, in format 3;"):
        cluster.resume(rows, known.edges)
    for envelope in ([0, 1, 0, False, "", [], 3], [0, "of another form", 0, False, "", [], 3, 1]):
        value = msgspec.msgpack.encode(envelope)
        edges = {edge: (begin, [value]) for edge, (begin, _) in known.edges.items()}
        cluster = Cluster(POLICY, known.until, orders=2, scans=2)
        cluster.resume(known.rows, edges)
        with pytest.raises(FatalError, match=r"edge .+ was written by a newer version, in format 3"):
            cluster.finish()
