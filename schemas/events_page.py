"""Writes `docs/events.md`, the page of all events and tables with their fields, from the JSON Schemas.

    python -m schemas.events_page [--check] [FILE]

`--check` writes nothing, and exits with status 1 if the file is not current.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import orjson

from schemas.events import EVENTS
from schemas.generate import OUTPUTS, schemas
from schemas.made_files import MadeFiles

FILE = Path(__file__).parents[1] / "docs/events.md"

_HEAD = """\
# Events and tables

<!-- Made from the schemas by `make reference`. -->

What goes in, by topic, and the tables that come out. Fields in bold are required; unknown fields are ignored, and null
means absent. `schemas/jsonschema` has the same as JSON Schemas, and [asyncapi.yaml](../schemas/asyncapi.yaml) describes
all topics with their keys, headers and examples. [alerts.md](alerts.md) describes the alerts.
"""
_COLUMNS = "| field | value | |\n|---|---|---|"


def page() -> str:
    """The content of the file."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    made = {name.removesuffix(".json"): orjson.loads(content) for name, content in schemas().items()}
    yield _HEAD
    for topic in EVENTS:
        schema = made[topic]
        yield f"## {topic}\n"
        yield from _definitions(schema["$defs"], {struct.__name__: _type(struct) for struct in EVENTS[topic]})
    for name in OUTPUTS:
        if name != "alerts":
            yield f"## {name}\n"
            yield from _definitions(made[name]["$defs"], {OUTPUTS[name].__name__: ""})


def _type(struct: type[msgspec.Struct]) -> str:
    return str(struct.__struct_config__.tag)


def _definitions(found: Mapping[str, Any], titles: Mapping[str, str]) -> Iterator[str]:
    """The definitions with those titles, "" for none, and then those that they refer to."""
    for name in sorted(found, key=lambda one: one not in titles):
        schema = found[name]
        if title := titles.get(name, name):
            yield f"### {title}\n"
        if "description" in schema:
            yield f"{schema['description']}\n"
        if "properties" in schema:
            required = set(schema.get("required", ()))
            yield _COLUMNS
            yield from (_row(field, of, field in required) for field, of in schema["properties"].items())
            yield ""


def _row(field: str, of: Mapping[str, Any], required: bool) -> str:
    name = f"**`{field}`**" if required else f"`{field}`"
    return f"| {name} | {_value(of)} | {' '.join(of.get('description', '').split())} |"


def _value(of: Mapping[str, Any]) -> str:
    if "anyOf" in of:
        return " or ".join(_value(one) for one in of["anyOf"] if one != {"type": "null"})
    if "$ref" in of:
        return f"`{of['$ref'].rpartition('/')[2]}`"
    if "enum" in of:
        return ", ".join(f"`{one}`" for one in of["enum"] if one is not None)
    if of.get("type") == "array":
        return f"list of {_value(of.get('items', {}))}"
    if of.get("type") == "object" and "additionalProperties" in of:
        return f"object, each {_value(of['additionalProperties'])}"
    if of.get("format") == "date-time":
        return "time"
    bounds = [f"{sign} {of[key]:g}" for key, sign in (("minimum", "at least"), ("maximum", "at most")) if key in of]
    kind = str(of.get("type", "anything"))
    kind = {"string": "text", "integer": "whole number", "boolean": "true or false"}.get(kind, kind)
    return ", ".join([kind, *bounds])


def files() -> dict[str, bytes]:
    """The file itself."""
    return {"": page().encode()}


main = MadeFiles("schemas.events_page", (__doc__ or "").split("\n")[0], FILE, files).main


if __name__ == "__main__":
    sys.exit(main())
