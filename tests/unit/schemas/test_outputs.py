"""The JSON Schemas are current, and what we put out and take in agrees with them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator

from schemas import examples, generate
from schemas.events import EVENTS
from schemas.outputs import AlertEvent
from schemas.topics import TABLES
from streams.alerts.cloudevents import AlertWriter
from streams.marketplace.market import Plan, market
from tests.unit.alerts.samples import an_alert, every_alert

WINDOW = {
    "orders": 40,
    "disputes": 1,
    "complaints": 0,
    "interventions": 1,
    "ticket_timeouts": 0,
    "escalations": 2,
    "rate": 0.05,
    "logistics_linked": 1,
    "window_closed": 0,
}
AS_OF = "2026-11-03T01:00:00Z"
RECORDS: dict[str, dict[str, Any]] = {
    "help-rates": {
        "shop_id": "S1", "as_of": AS_OF, "main_category": "c1", "state": "ok", "baseline": None,
        "7d": {**WINDOW, "orders": 0, "rate": None}, "30d": WINDOW,
    },
    "category-baselines": {"category_id": "c1", "as_of": AS_OF, "shops": 4, "rate": None},
    "conversation-topics": {"shop_id": "S1", "as_of": AS_OF, "7d": {}, "30d": {"logistics": 3, "other": 0}},
    "refund-reasons": {
        "shop_id": "S1", "as_of": AS_OF, "7d": [],
        "30d": [{"kind": "exchange", "reason": "wrong_size", "count": 2}],
    },
    "dead-letters": {"topic": None, "line": 1, "error_code": "not_json", "error_detail": "not one JSON value"},
}  # fmt: skip


def validator(name: str) -> Draft202012Validator:
    schema = json.loads((generate.FOLDER / f"{name}.json").read_bytes())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)


def test_the_schema_files_are_those_of_the_structs() -> None:
    assert generate.outdated(generate.FOLDER) == []


def test_a_schema_that_is_missing_changed_or_left_over_is_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    generate.write(tmp_path)
    assert generate.main([str(tmp_path), "--check"]) == 0
    (tmp_path / "orders.json").unlink()
    (tmp_path / "alerts.json").write_bytes(b"{}")
    (tmp_path / "old.json").write_bytes(b"{}")
    assert generate.outdated(tmp_path) == ["alerts.json", "old.json", "orders.json"]
    assert generate.main([str(tmp_path), "--check"]) == 1
    assert "old.json: not current" in capsys.readouterr().err
    assert generate.main([str(tmp_path)]) == 0
    assert generate.outdated(tmp_path) == []


def test_there_is_a_schema_for_every_topic_and_every_event() -> None:
    names = (*EVENTS, *generate.OUTPUTS, *generate.HEADERS)
    assert set(generate.schemas()) == {f"{name}.json" for name in names}
    for topic, structs in EVENTS.items():
        definitions = json.loads(generate.schemas()[f"{topic}.json"])["$defs"]
        assert {struct.__name__ for struct in structs} <= set(definitions)


def test_every_alert_that_is_written_agrees_with_its_schema() -> None:
    check = validator("alerts")
    writer = AlertWriter("default@1", "tmall")
    for alert in every_alert():
        for record in writer.records(alert):
            check.validate(orjson.loads(record.value))


@pytest.mark.parametrize(
    "wrong",
    [
        {"specversion": "0.3"},
        {"time": "2026-11-03T08:15:00+08:00"},
        {"subject": ""},
        {"type": "shipment.stalled"},
        {"data": {}},
    ],
)
def test_an_alert_of_another_form_does_not_agree(wrong: dict[str, object]) -> None:
    (record,) = AlertWriter("default@1", "tmall").records(an_alert("shipment.slow"))
    assert not validator("alerts").is_valid({**orjson.loads(record.value), **wrong})


@pytest.mark.parametrize("name", RECORDS)
def test_a_table_record_agrees_with_its_schema_and_lacks_nothing(name: str) -> None:
    check = validator(name)
    check.validate(RECORDS[name])
    for member in RECORDS[name]:
        less = {key: value for key, value in RECORDS[name].items() if key != member}
        assert not check.is_valid(less), member


@pytest.mark.parametrize("name", [*examples.TABLES, *generate.HEADERS])
def test_the_example_of_an_output_is_one(name: str) -> None:
    check = validator(name)
    (example,) = check.schema["examples"]
    check.validate(example)
    for member in example:
        assert not check.is_valid({key: value for key, value in example.items() if key != member}), member


def test_every_table_has_an_example() -> None:
    assert set(examples.TABLES) == set(TABLES)


def test_events_of_the_marketplace_agree_with_the_schemas_of_their_topics() -> None:
    checks = {topic: validator(topic) for topic in EVENTS}
    for record in market(Plan(days=4, orders_per_day=12, faults=0.0)):
        checks[record.topic].validate(record.value)
        assert not checks[record.topic].is_valid({**record.value, "type": "order.teleported"})


def test_the_alert_struct_has_the_members_in_the_order_in_which_they_are_written() -> None:
    fields = list(AlertEvent.__struct_fields__)
    (record,) = AlertWriter("default@1", "tmall").records(an_alert("ticket.timed_out"))
    assert list(orjson.loads(record.value)) == fields
