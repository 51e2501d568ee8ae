"""The AsyncAPI document is current, its examples agree with its schemas, and AsyncAPI's own parser takes it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator, Draft202012Validator

from schemas.events import EVENTS
from schemas.topics import ALERTS, DEAD_LETTERS, INGEST_DEAD_LETTERS, INPUTS, OUTPUTS, TABLES
from streams.cli.security import MECHANISMS
from streams.policy import load
from streams.rules.alert_types import ALERT_TYPES
from streams.stages.dataflow import dataflow
from streams.topics import asyncapi
from streams.topics.desired import Settings, external, internal
from tests.patience import PATIENCE

DOCUMENT: dict[str, Any] = yaml.safe_load(asyncapi.FILE.read_text())
MESSAGES: dict[str, Any] = DOCUMENT["components"]["messages"]
CHANNELS: dict[str, Any] = DOCUMENT["channels"]
PARSER = asyncapi.ROOT / "target" / "asyncapi"


def test_the_document_is_that_of_the_code() -> None:
    assert asyncapi.main(["--check"]) == 0


def test_a_document_that_is_missing_or_changed_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "asyncapi.yaml"
    assert asyncapi.main([str(file), "--check"]) == 1
    assert asyncapi.main([str(file)]) == 0
    assert asyncapi.main([str(file), "--check"]) == 0
    file.write_text(file.read_text().replace("partitions: 12", "partitions: 13"))
    assert asyncapi.main([str(file), "--check"]) == 1
    assert capsys.readouterr().err.count("asyncapi.yaml: not current") == 2


def referred(reference: dict[str, Any]) -> dict[str, Any]:
    """The schema that a message refers to, as one that stands alone."""
    file, _, pointer = reference["schema"]["$ref"].partition("#")
    whole: dict[str, Any] = json.loads((asyncapi.FILE.parent / file).read_text())
    return {"$ref": f"#{pointer}", "$defs": whole["$defs"]}


@pytest.mark.parametrize("name", MESSAGES)
def test_the_examples_of_a_message_agree_with_its_schemas(name: str) -> None:
    message = MESSAGES[name]
    assert message["examples"]
    for example in message["examples"]:
        for part in ("payload", "headers"):
            if "schema" in message.get(part, {}):
                schema = referred(message[part])
                # By the draft that the files are of, and by the one that the document names.
                for draft in (Draft202012Validator, Draft7Validator):
                    draft.check_schema(schema)
                    draft(schema).validate(example[part])
                    assert not draft(schema).is_valid({})


def test_every_topic_is_a_channel_as_it_is_created() -> None:
    flow = dataflow(load.default())
    settings, counts = Settings(app_id="parcelwatch", dataflow=flow), {kind.name: 12 for kind in flow.kinds}
    inner = internal(settings, counts)
    specs = {spec.topic: spec for spec in [*external(settings, counts, {}), *inner]}
    assert CHANNELS.keys() == specs.keys() == {*INPUTS, *OUTPUTS, INGEST_DEAD_LETTERS, *(spec.topic for spec in inner)}
    for topic, channel in CHANNELS.items():
        kafka = channel["bindings"]["kafka"]
        config = dict(specs[topic].config)
        assert channel["address"] == topic
        assert kafka["partitions"] == specs[topic].partitions
        assert kafka["topicConfiguration"]["cleanup.policy"] == [config.get("cleanup.policy", "delete")]
        assert str(kafka["topicConfiguration"].get("retention.ms")) == config.get("retention.ms", "None")
    for spec in inner:
        assert "not for others" in CHANNELS[spec.topic]["description"]
        assert "messages" not in CHANNELS[spec.topic]


def names_in(topic: str) -> set[str]:
    return {MESSAGES[name]["name"] for name in CHANNELS[topic]["messages"]}


def test_every_channel_has_the_messages_that_come_in_it() -> None:
    tags = {topic: {str(each.__struct_config__.tag) for each in EVENTS[topic]} for topic in INPUTS}
    for topic in INPUTS:
        assert {name.removeprefix(f"{topic}.") for name in names_in(topic)} == tags[topic]
        assert names_in(DEAD_LETTERS[topic]) == {"dead-letter"}
    for audience, topic in ALERTS.items():
        assert names_in(topic) == {
            f"parcelwatch.{name}.v1" for name, type_ in ALERT_TYPES.items() if audience in type_.audiences
        }
    for table in TABLES:
        assert names_in(table) == {table}
    assert names_in(INGEST_DEAD_LETTERS) == {"push-dead-letter"}
    assert set.union(*map(names_in, [*INPUTS, *OUTPUTS, INGEST_DEAD_LETTERS])) == MESSAGES.keys()


def test_operations_are_the_applications() -> None:
    done = {
        (each["action"], each["channel"]["$ref"].removeprefix("#/channels/"))
        for each in DOCUMENT["operations"].values()
    }
    assert done == {
        *(("receive", topic) for topic in INPUTS),
        *(("send", topic) for topic in (*OUTPUTS, INGEST_DEAD_LETTERS)),
        *(("receive", topic) for topic in DEAD_LETTERS.values()),
    }


def test_alerts_say_how_they_are_keyed_and_what_their_headers_are() -> None:
    slow = MESSAGES["parcelwatch.shipment.slow.v1"]
    assert "shop_id" in slow["bindings"]["kafka"]["key"]["description"]
    assert slow["contentType"] == "application/cloudevents+json; charset=UTF-8"
    assert slow["examples"][0]["headers"] == {"content-type": slow["contentType"]}


def test_every_way_to_authenticate_is_a_security_scheme() -> None:
    schemes = DOCUMENT["components"]["securitySchemes"]
    for mechanism in MECHANISMS:
        assert f"`--sasl-mechanism {mechanism}`" in str(schemes)
    assert {each["$ref"].rpartition("/")[2] for each in DOCUMENT["servers"]["secured"]["security"]} == schemes.keys()


def parsed(file: Path) -> dict[str, Any]:
    if not (PARSER / ".ready").exists() or shutil.which("node") is None:
        pytest.skip("no parser of AsyncAPI: `make asyncapi` installs it (needs node and npm)")
    check = asyncapi.ROOT / "tests" / "asyncapi" / "check.cjs"
    environment = {**os.environ, "NODE_PATH": str(PARSER / "node_modules")}
    done = subprocess.run(["node", check, file], capture_output=True, check=True, env=environment, timeout=PATIENCE)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_the_parser_of_asyncapi_finds_nothing_wrong() -> None:
    found = parsed(asyncapi.FILE)
    # 0 is an error, 1 a warning. That there is a later version of AsyncAPI is neither: more tools read 3.0.
    assert [each for each in found["diagnostics"] if each["code"] != "asyncapi-latest-version"] == []
    assert set(found["channels"]) == CHANNELS.keys()
    assert {name for name, _ in found["operations"]} == DOCUMENT["operations"].keys()
    # Every reference has been followed.
    assert found["payloads"].keys() == MESSAGES.keys()
    assert "$ref" not in json.dumps(found["payloads"])


def test_the_parser_of_asyncapi_finds_what_is_wrong(tmp_path: Path) -> None:
    shutil.copytree(asyncapi.FILE.parent / "jsonschema", tmp_path / "jsonschema")
    text = asyncapi.FILE.read_text()
    for right, wrong in (("#/$defs/OrderPaid", "#/$defs/Gone"), ("action: send", "action: shout")):
        assert right in text
        (tmp_path / "asyncapi.yaml").write_text(text.replace(right, wrong, 1))
        assert [each for each in parsed(tmp_path / "asyncapi.yaml")["diagnostics"] if each["severity"] == 0]
