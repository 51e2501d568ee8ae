"""Writes the JSON Schemas of all inputs and outputs.

    python -m schemas.generate [--check] [FOLDER]

One file a topic or file, and one for the headers of alerts and of dead letters: draft 2020-12, generated from the
structs in `schemas.events` and `schemas.outputs`, with the examples of `schemas.examples`.
`--check` writes nothing, and ends with status 1 where a file is not what would be written.
"""

from __future__ import annotations

import sys
from functools import reduce
from inspect import cleandoc
from operator import or_
from pathlib import Path
from typing import Any

import msgspec
import orjson

from schemas import examples, outputs
from schemas.events import EVENTS
from schemas.made_files import MadeFiles

FOLDER = Path(__file__).parent / "jsonschema"
DRAFT = "https://json-schema.org/draft/2020-12/schema"

#: What goes out, by the name of its topic or file.
OUTPUTS: dict[str, type[msgspec.Struct]] = {
    "alerts": outputs.AlertEvent,
    "help-rates": outputs.HelpRates,
    "category-baselines": outputs.CategoryBaseline,
    "conversation-topics": outputs.ConversationTopics,
    "refund-reasons": outputs.RefundReasons,
    "dead-letters": outputs.DeadLetterLine,
    "summary": outputs.Summary,
}
#: Headers of records, by the name of the schema.
HEADERS: dict[str, type[msgspec.Struct]] = {
    "alert-headers": outputs.AlertHeaders,
    "dead-letter-headers": outputs.DeadLetterHeaders,
    "push-dead-letter-headers": outputs.PushDeadLetterHeaders,
}
_EXAMPLES = {
    **examples.TABLES,
    "alert-headers": {"content-type": "application/cloudevents+json; charset=UTF-8"},
    "dead-letter-headers": examples.DEAD_LETTER_HEADERS,
    "push-dead-letter-headers": examples.PUSH_DEAD_LETTER_HEADERS,
}

#: What a worker checks and a schema cannot say.
_BEYOND = (
    "Beyond this schema, a worker refuses a value of more than 65,536 bytes or not in UTF-8, a whole number that is "
    "written with a fraction (1.0), a number beyond a double's range, a 29th of February in a year without one, a time "
    "outside of the years 1 to 9999 in UTC or, of `occurred_at`, more than 24 hours ahead of the record's timestamp, "
    "and a record whose key or partition is not the one that its event asks for."
)


def schemas() -> dict[str, bytes]:
    """The content of every schema file, by its name."""
    found = {topic: _of_events(topic, structs) for topic, structs in EVENTS.items()}
    found |= {name: _of_output(name, type_) for name, type_ in (OUTPUTS | HEADERS).items()}
    return {f"{name}.json": _encoded(name, schema) for name, schema in found.items()}


def json_schema(type_: Any) -> dict[str, Any]:
    """The schema of a type, with `$defs`; descriptions are Markdown, without the indentation of docstrings."""
    schema = msgspec.json.schema(type_, ref_template="#/$defs/{name}")
    for definition in schema["$defs"].values():
        if "description" in definition:
            definition["description"] = cleandoc(definition["description"])
    return schema


def _of_events(topic: str, structs: tuple[type[msgspec.Struct], ...]) -> dict[str, Any]:
    schema = json_schema(reduce(or_, structs))
    for struct, example in zip(structs, examples.EVENTS[topic], strict=True):
        schema["$defs"][struct.__name__]["examples"] = [example]
    return {"description": _BEYOND, **schema}


def _of_output(name: str, type_: type[msgspec.Struct]) -> dict[str, Any]:
    schema = json_schema(type_)
    return {**schema, "examples": [_EXAMPLES[name]]} if name in _EXAMPLES else schema


def _encoded(name: str, schema: dict[str, Any]) -> bytes:
    whole = {"$schema": DRAFT, "$id": f"urn:parcelwatch:{name}", "title": name, **schema}
    return orjson.dumps(whole, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


MADE = MadeFiles("schemas.generate", "Writes the JSON Schemas.", FOLDER, schemas, "*.json")
outdated, write, main = MADE.outdated, MADE.write, MADE.main


if __name__ == "__main__":
    sys.exit(main())
