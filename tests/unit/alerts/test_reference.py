"""The page and the schemas of alerts are current, and what is really put out agrees with the schemas of its type."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator

from schemas import generate
from schemas.outputs import Summary
from streams.alerts import reference
from streams.alerts.cloudevents import AlertWriter, name_of
from streams.alerts.handbook import example
from streams.policy import load
from streams.replay.batches import batches_of
from streams.replay.reading import Line
from streams.replay.run import Replay
from streams.rules.alert_types import ALERT_TYPES, AlertType
from streams.rules.evidence import Field
from tests.every_rule import POLICY, stream
from tests.oracle.streams import random_stream
from tests.unit.alerts.samples import an_alert, every_alert

TYPES = list(ALERT_TYPES.values())
PUBLISHED = Path(__file__).parents[1] / "schemas" / "published"


def validator(path: Path) -> Draft202012Validator:
    schema = json.loads(path.read_bytes())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)


CHECKS = {name: validator(generate.FOLDER / "alerts" / f"{name}.json") for name in ALERT_TYPES}


def check_of(event: dict[str, Any]) -> Draft202012Validator:
    return CHECKS[name_of(event["type"])]


def events(*alerts: Any) -> list[dict[str, Any]]:
    writer = AlertWriter("default@1", "tmall")
    return [json.loads(record.value) for alert in alerts for record in writer.records(alert)]


def test_the_page_and_the_schemas_are_those_of_the_registry() -> None:
    assert reference.outdated(reference.ROOT) == []


def test_a_file_that_is_missing_changed_or_left_over_is_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reference.write(tmp_path)
    assert reference.main([str(tmp_path), "--check"]) == 0
    schemas = tmp_path / "schemas/jsonschema/alerts"
    (schemas / "shipment.slow.json").unlink()
    (schemas / "gone.json").write_bytes(b"{}")
    (tmp_path / "docs/alerts.md").write_text("")
    assert reference.main([str(tmp_path), "--check"]) == 1
    said = capsys.readouterr().err
    assert [line.split(":")[0] for line in said.splitlines()] == [
        "docs/alerts.md", "schemas/jsonschema/alerts/gone.json", "schemas/jsonschema/alerts/shipment.slow.json",
    ]  # fmt: skip
    assert reference.main([str(tmp_path)]) == 0
    assert reference.outdated(tmp_path) == []


@pytest.mark.parametrize("type_", TYPES, ids=lambda one: one.name)
def test_the_page_tells_of_every_type_with_an_example_that_is_one(type_: AlertType) -> None:
    page = (reference.ROOT / "docs/alerts.md").read_text()
    assert f"\n## `{type_.name}`\n" in page
    for event in events(example(type_)):
        CHECKS[type_.name].validate(event)
        assert event["data"]["message"]["en"] in page


@pytest.mark.parametrize("type_", TYPES, ids=lambda one: one.name)
def test_a_schema_holds_an_example_of_each_status(type_: AlertType) -> None:
    found = CHECKS[type_.name].schema["examples"]
    assert [one["data"]["status"] for one in found] == ["raised", "resolved"][: 1 + bool(type_.resolutions)]
    for event in found:
        assert [name for name, check in CHECKS.items() if check.is_valid(event)] == [type_.name]
        assert strangers(event["data"]["evidence"], type_.evidence) <= {"raised_at"}


def test_every_alert_that_can_be_made_up_agrees_with_the_schema_of_its_type_alone() -> None:
    for event in events(*every_alert()):
        # The words cope with causes of which nothing is known; the rules give none.
        if all(None not in cause.values() for cause in event["data"]["evidence"].get("causes", ())):
            assert [name for name, check in CHECKS.items() if check.is_valid(event)] == [name_of(event["type"])]


@pytest.mark.parametrize(
    ("wrong", "changed"),
    [
        ("shipment.stalled", {"resolution": "collected", "status": "resolved"}),
        ("shipment.stalled", {"status": "resolved"}),
        ("shipment.stalled", {"severity": "warning"}),
        ("shipment.slow", {"audience": "platform"}),
        ("shipment.slow", {"carrier": None}),
        ("order.ship_late", {"carrier": "ZTO"}),
        ("order.ship_late", {"evidence": {"paid_at": "2026-11-03T00:15:00Z"}}),
        ("ticket.due_soon", {"resolution": "responded"}),
        ("aftersales.review", {"status": "resolved", "resolution": "settled"}),
        ("help_rate.elevated", {"order_id": "O-1"}),
        ("facility.stall_cluster", {"shop_id": "S"}),
    ],
)
def test_an_alert_that_its_rule_cannot_give_does_not_agree(wrong: str, changed: dict[str, Any]) -> None:
    event = events(an_alert(wrong))[0]
    CHECKS[wrong].validate(event)
    event["data"].update(changed)
    assert not CHECKS[wrong].is_valid(event)


@pytest.mark.parametrize("field", ["last_status", "causes"])
def test_a_code_that_there_is_none_of_does_not_agree(field: str) -> None:
    event = events(an_alert("shipment.stalled"))[0]
    event["data"]["evidence"][field] = "lost" if field == "last_status" else [{"code": "lost"}]
    assert not CHECKS["shipment.stalled"].is_valid(event)


@pytest.fixture(scope="module")
def replayed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of a replay that raises every type of alert, and has dead letters."""
    folder = tmp_path_factory.mktemp("replayed")
    (folder / "lively.toml").write_text(POLICY)
    made, _ = stream()
    lines = [Line(number, topic, value) for number, (topic, _, value) in enumerate(made, 1)]
    lines += [Line(len(lines) + 1, "orders", b"{}"), Line(len(lines) + 2, None, b"no JSON")]
    replay = Replay(load.load(str(folder / "lively.toml")))
    replay.write(folder, replay.take(batches_of(lines, None)))
    return folder


def rows(file: Path) -> Iterator[dict[str, Any]]:
    for line in file.read_bytes().splitlines():
        yield json.loads(line)


def test_the_files_of_a_replay_agree_with_their_schemas(replayed: Path) -> None:
    names = {file.stem for file in replayed.glob("*.jsonl")} - {"alerts.merchant", "alerts.platform"}
    assert names == generate.OUTPUTS.keys() - {"alerts", "summary"}
    for name in names:
        found = list(rows(replayed / f"{name}.jsonl"))
        assert found, name
        check = validator(generate.FOLDER / f"{name}.json")
        for row in found:
            check.validate(row)
            assert list(row) == [field.encode_name for field in _fields(name)]


def _fields(name: str) -> tuple[Any, ...]:
    return msgspec.structs.fields(generate.OUTPUTS[name])


def test_the_summary_of_a_replay_agrees_with_its_schema_and_has_no_other_member(replayed: Path) -> None:
    summary = json.loads((replayed / "summary.json").read_bytes())
    validator(generate.FOLDER / "summary.json").validate(summary)
    assert list(summary) == list(Summary.__struct_fields__)
    assert summary["dead"] == {"total": 2, "by_reason": {"missing_field": 1, "not_json": 1}}


@pytest.mark.parametrize("folder", sorted(PUBLISHED.iterdir()), ids=lambda folder: folder.name)
def test_a_reader_of_an_earlier_release_understands_what_a_replay_puts_out(replayed: Path, folder: Path) -> None:
    for file in replayed.glob("*.jsonl"):
        name = "alerts" if file.stem.startswith("alerts.") else file.stem
        check = validator(folder / f"{name}.json")
        for row in rows(file):
            check.validate(row)


def test_every_alert_of_a_replay_agrees_with_the_schema_of_its_type_and_holds_nothing_else(replayed: Path) -> None:
    whole = validator(generate.FOLDER / "alerts.json")
    seen = set()
    ends: dict[str, set[str]] = {}
    for audience in ("merchant", "platform"):
        for event in rows(replayed / f"alerts.{audience}.jsonl"):
            data = event["data"]
            name = name_of(event["type"])
            seen.add((name, data["audience"]))
            ends.setdefault(name, set()).add(data["resolution"])
            check_of(event).validate(event)
            assert whole.is_valid(event)
            assert strangers(data["evidence"], ALERT_TYPES[name].evidence) <= {"raised_at"}
    assert seen == {(name, audience) for name, type_ in ALERT_TYPES.items() for audience in type_.audiences}


@pytest.mark.parametrize("seed", range(4))
def test_what_late_events_do_to_alerts_agrees_with_the_schemas(seed: int, tmp_path: Path) -> None:
    (tmp_path / "lively.toml").write_text(POLICY)
    rng = Random(seed)
    made = random_stream(rng, 400, weeks=6, forgetting=False)
    rng.shuffle(made)
    lines = [Line(number, one["topic"], json.dumps(one["value"]).encode()) for number, one in enumerate(made, 1)]
    replay = Replay(load.load(str(tmp_path / "lively.toml")))
    replay.write(tmp_path, replay.take(batches_of(lines, None)))
    ends = set()
    for audience in ("merchant", "platform"):
        for event in rows(tmp_path / f"alerts.{audience}.jsonl"):
            check_of(event).validate(event)
            assert strangers(event["data"]["evidence"], ALERT_TYPES[name_of(event["type"])].evidence) <= {"raised_at"}
            ends.add(event["data"]["resolution"])
    assert "late_event" in ends


def strangers(evidence: dict[str, Any], fields: tuple[Field, ...]) -> set[str]:
    """The names in the evidence that are no fields of it."""
    found = evidence.keys() - {field.name for field in fields}
    for field in fields:
        value = evidence.get(field.name)
        if field.kind == "object" and value is not None:
            found |= strangers(value, field.parts[""])
        elif field.kind == "causes" and value is not None:
            for cause in value:
                found |= strangers(cause, field.parts[cause["code"]]) - {"code"}
    return set(found)
