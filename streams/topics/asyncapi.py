"""Writes the AsyncAPI document of all topics: `schemas/asyncapi.yaml`.

    python -m streams.topics.asyncapi [--check] [FILE]

It is made from what the code knows of topics, events, alerts and tables, and refers to the JSON Schemas beside it.
Operations are the application's: it receives inputs and sends outputs. `--check` writes nothing, and exits with status
1 if the file is not current.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from inspect import cleandoc
from pathlib import Path
from typing import Any

import yaml

from schemas import examples, generate
from schemas.events import CHATS, EVENTS, ORDERS, SCANS
from schemas.made_files import MadeFiles
from schemas.outputs import AlertEvent, AlertHeaders, DeadLetterHeaders, PushDeadLetterHeaders
from schemas.topics import ALERTS, DEAD_LETTERS, INGEST_DEAD_LETTERS, INPUTS, TABLES
from streams.alerts import alert_schemas
from streams.alerts.cloudevents import CONTENT_TYPE, type_of
from streams.alerts.wording import catalogue
from streams.engine.log.interface import TopicSpec
from streams.policy import load
from streams.rules.alert_types import ALERT_TYPES, AlertType
from streams.stages.dataflow import dataflow
from streams.topics.desired import INPUT_PARTITIONS, Settings, external, internal
from streams.topics.security_schemes import SCHEMES

ROOT = Path(__file__).parents[2]
FILE = ROOT / "schemas" / "asyncapi.yaml"
APP_ID = "parcelwatch"
#: Of the contract, not of the program: the `v1` at the end of the alerts' types.
VERSION = "1"

_BINDING = "0.5.0"
#: The files are of draft 2020-12, which AsyncAPI's parser does not know; draft 07 reads nothing in them otherwise.
_FORMAT = "application/schema+json;version=draft-07"
_JSON = "application/json"

_KEYS = {
    ORDERS: "the order (`order_id`)",
    SCANS: "the tracking number (`tracking_no`)",
    CHATS: "the order (`order_id`) where the event has one, else the conversation, else the event's own id: "
    "`ticket_id`, `complaint_id`, `intervention_id` or `escalation_id`",
    ALERTS["merchant"]: "the shop (`data.shop_id`)",
    ALERTS["platform"]: "the `subject`",
    "help-rates": "the shop (`shop_id`)",
    "category-baselines": "the category (`category_id`)",
    "conversation-topics": "the shop (`shop_id`)",
    "refund-reasons": "the shop (`shop_id`)",
    **dict.fromkeys(DEAD_LETTERS.values(), "that of the original record"),
    INGEST_DEAD_LETTERS: "the same for the same push",
}
_INFO = """\
What parcelwatch reads from Kafka and writes to it. It watches a marketplace's parcels and help rate, and raises alerts.

Names of topics are those of a default deployment: `--topic-prefix` and `--topics` change them, and internal topics
begin with the application id. Numbers of partitions are those that `parcelwatch topics` creates unless told otherwise.

Producers partition by murmur2 of the key, as Java clients do, or all of them by CRC-32. Consumers of outputs read with
isolation level `read_committed`, and ignore fields and types of alerts that they do not know.
"""


def document() -> dict[str, Any]:
    """The whole document."""
    flow = dataflow(load.default())
    settings = Settings(app_id=APP_ID, dataflow=flow)
    counts = {kind.name: INPUT_PARTITIONS for kind in flow.kinds}
    specs = {spec.topic: spec for spec in external(settings, counts, {})}
    channels = {topic: _channel(topic, specs[topic]) for topic in specs}
    channels |= {spec.topic: _internal(spec) for spec in internal(settings, counts)}
    return {
        "asyncapi": "3.0.0",
        "id": "urn:parcelwatch",
        "info": {
            "title": "parcelwatch", "version": VERSION, "description": _INFO,
            "license": {"name": "Apache-2.0"},
            "tags": [{"name": name} for name in ("input", "alert", "table", "dead-letter", "internal")],
        },
        "defaultContentType": _JSON,
        "servers": {
            "plain": {"host": "kafka:9092", "protocol": "kafka", "description": "A cluster without authentication."},
            "secured": {
                "host": "kafka:9093", "protocol": "kafka-secure",
                "description": "A cluster with TLS, and with one of these kinds of authentication.",
                "security": [{"$ref": f"#/components/securitySchemes/{name}"} for name in SCHEMES],
            },
        },
        "channels": channels,
        "operations": dict(_operations()),
        "components": {"messages": dict(_messages()), "securitySchemes": SCHEMES},
    }  # fmt: skip


def content() -> bytes:
    """The content of the file."""
    head = "# Written by `python -m streams.topics.asyncapi` from the code. Do not edit.\n"
    return (head + yaml.dump(document(), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)).encode()


class _Dumper(yaml.SafeDumper):
    """Without anchors: the same example may stand in two places."""

    def ignore_aliases(self, data: Any) -> bool:
        del data
        return True


def _channel(topic: str, spec: TopicSpec) -> dict[str, Any]:
    return {
        "address": topic,
        "title": topic,
        "description": f"{_says(topic)} Key: {_KEYS[topic]}.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in _messages_of(topic)},
        "tags": [{"name": _tag(topic)}],
        "bindings": _topic(spec),
    }


def _internal(spec: TopicSpec) -> dict[str, Any]:
    return {
        "address": spec.topic,
        "title": spec.topic,
        "description": "Internal to one application, not for others: its content changes without notice.",
        "tags": [{"name": "internal"}],
        "bindings": _topic(spec),
    }


def _topic(spec: TopicSpec) -> dict[str, Any]:
    config: dict[str, Any] = {"cleanup.policy": spec.config.get("cleanup.policy", "delete").split(",")}
    if "retention.ms" in spec.config:
        config["retention.ms"] = int(spec.config["retention.ms"])
    if "max.compaction.lag.ms" in spec.config:
        config["max.compaction.lag.ms"] = int(spec.config["max.compaction.lag.ms"])
    return {"kafka": {"partitions": spec.partitions, "topicConfiguration": config, "bindingVersion": _BINDING}}


def _says(topic: str) -> str:
    if topic in INPUTS:
        return (
            "Written by upstream systems. Events may be repeated and come out of order. An invalid record goes to "
            f"`{DEAD_LETTERS[topic]}`."
        )
    if topic in ALERTS.values():
        return "Alerts, as CloudEvents in structured mode: raised, and later resolved under the same `data.episode`."
    if topic in TABLES:
        return "A compacted table: the last record of a key is its current value, one without a value deletes it."
    if topic == INGEST_DEAD_LETTERS:
        return (
            "Dead letters of `parcelwatch ingest`: pushes of which something could not be read, with the reason in "
            "their headers. The value is null unless it has `--dead-letter-payload`."
        )
    return (
        "Dead letters: records that are no events, with the reason in their headers. The value is null unless workers "
        "have `--dead-letter-payload`; `parcelwatch redrive` sends them back."
    )


def _tag(topic: str) -> str:
    if topic in INPUTS:
        return "input"
    return "alert" if topic in ALERTS.values() else "table" if topic in TABLES else "dead-letter"


def _messages_of(topic: str) -> list[str]:
    """The names of the messages in a topic."""
    if topic in INPUTS:
        return [_event_name(topic, struct) for struct in EVENTS[topic]]
    for audience, name in ALERTS.items():
        if topic == name:
            return [type_of(type_.name) for type_ in ALERT_TYPES.values() if audience in type_.audiences]
    if topic == INGEST_DEAD_LETTERS:
        return ["push-dead-letter"]
    return [topic] if topic in TABLES else ["dead-letter"]


def _event_name(topic: str, struct: type[Any]) -> str:
    """A type may be of two topics."""
    tag = str(struct.__struct_config__.tag)
    shared = sum(each.__struct_config__.tag == tag for structs in EVENTS.values() for each in structs) > 1
    return f"{topic}.{tag}" if shared else tag


def _operations() -> Iterable[tuple[str, dict[str, Any]]]:
    group = {"kafka": {"groupId": {"type": "string", "default": APP_ID}, "bindingVersion": _BINDING}}
    for topic in INPUTS:
        yield f"receive.{topic}", {**_operation("receive", topic), "bindings": group}
    for topic in (*ALERTS.values(), *TABLES, *DEAD_LETTERS.values(), INGEST_DEAD_LETTERS):
        yield f"send.{topic}", _operation("send", topic)
    for topic in INPUTS:
        dead = DEAD_LETTERS[topic]
        yield f"redrive.{dead}", {**_operation("receive", dead), "summary": "`parcelwatch redrive`, when told to."}


def _operation(action: str, topic: str) -> dict[str, Any]:
    return {"action": action, "channel": {"$ref": f"#/channels/{topic}"}, "tags": [{"name": _tag(topic)}]}


def _messages() -> Iterable[tuple[str, dict[str, Any]]]:
    for topic, structs in EVENTS.items():
        for struct, example in zip(structs, examples.EVENTS[topic], strict=True):
            payload = _reference(topic, struct)
            summary = cleandoc(struct.__doc__ or "")
            name = _event_name(topic, struct)
            yield name, _message(name, summary, payload, _KEYS[topic], [{"payload": example}])
    for type_ in ALERT_TYPES.values():
        yield type_of(type_.name), _alert(type_)
    for table in TABLES:
        summary = cleandoc(generate.OUTPUTS[table].__doc__ or "")
        payload = _reference(table, generate.OUTPUTS[table])
        yield table, _message(table, summary, payload, _KEYS[table], [{"payload": examples.TABLES[table]}])
    yield "dead-letter", _dead_letter()
    yield "push-dead-letter", _push_dead_letter()


def _message(
    name: str, summary: str, payload: Mapping[str, Any], key: str, shown: list[dict[str, Any]], **more: Any
) -> dict[str, Any]:
    return {
        "name": name,
        "title": name,
        "summary": summary,
        **more,
        "payload": payload,
        "bindings": {"kafka": {"key": {"type": "string", "description": key}, "bindingVersion": _BINDING}},
        "examples": shown,
    }


def _alert(type_: AlertType) -> dict[str, Any]:
    keys = [f"{_KEYS[ALERTS[audience]]} on `{ALERTS[audience]}`" for audience in type_.audiences]
    headers = {"content-type": CONTENT_TYPE}
    shown = [
        {"name": event["data"]["status"], "headers": headers, "payload": event}
        for event in alert_schemas.examples(type_)
    ]
    return {
        **_message(
            type_of(type_.name), type_.meaning, _reference(f"alerts/{type_.name}", AlertEvent), ", ".join(keys), shown,
            contentType=CONTENT_TYPE, headers=_reference("alert-headers", AlertHeaders),
            correlationId={"location": "$message.payload#/data/episode"},
        ),
        "title": catalogue().alerts[type_.name].title["en"],
    }  # fmt: skip


def _dead_letter() -> dict[str, Any]:
    whole = {"type": ["string", "null"], "format": "binary", "description": "null, or the original bytes"}
    return _message(
        "dead-letter", "A record that is no event. Its own headers stand before these.", whole,
        _KEYS[DEAD_LETTERS[ORDERS]], [{"headers": examples.DEAD_LETTER_HEADERS, "payload": None}],
        contentType="application/octet-stream", headers=_reference("dead-letter-headers", DeadLetterHeaders),
    )  # fmt: skip


def _push_dead_letter() -> dict[str, Any]:
    whole = {"type": ["string", "null"], "format": "binary", "description": "null, or what was pushed"}
    return _message(
        "push-dead-letter", "A push of which something could not be read.", whole, _KEYS[INGEST_DEAD_LETTERS],
        [{"headers": examples.PUSH_DEAD_LETTER_HEADERS, "payload": None}],
        contentType="application/octet-stream", headers=_reference("push-dead-letter-headers", PushDeadLetterHeaders),
    )  # fmt: skip


def _reference(file: str, struct: type[Any]) -> dict[str, Any]:
    """To what a schema file says of the struct. A whole file is a reference itself, which parsers resolve elsewhere."""
    return {"schemaFormat": _FORMAT, "schema": {"$ref": f"./jsonschema/{file}.json#/$defs/{struct.__name__}"}}


def files() -> dict[str, bytes]:
    """The file itself."""
    return {"": content()}


main = MadeFiles("streams.topics.asyncapi", "Writes the document.", FILE, files).main


if __name__ == "__main__":
    sys.exit(main())
