"""Writes the JSON Schemas of all inputs and outputs.

    python -m schemas.generate [--check] [FOLDER]

One file a topic or file: draft 2020-12, generated from the structs in `schemas.events` and `schemas.outputs`.
`--check` writes nothing, and ends with status 1 where a file is not what would be written.
"""

from __future__ import annotations

import argparse
import sys
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Any

import msgspec
import orjson

from schemas import outputs
from schemas.events import EVENTS

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


def schemas() -> dict[str, bytes]:
    """The content of every schema file, by its name."""
    found: dict[str, Any] = {topic: reduce(or_, structs) for topic, structs in EVENTS.items()}
    return {f"{name}.json": _schema(name, type_) for name, type_ in (found | OUTPUTS).items()}


def _schema(name: str, type_: Any) -> bytes:
    schema = msgspec.json.schema(type_, ref_template="#/$defs/{name}")
    whole = {"$schema": DRAFT, "$id": f"urn:parcelwatch:{name}", "title": name, **schema}
    return orjson.dumps(whole, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def outdated(folder: Path) -> list[str]:
    """Names of files that are missing, different, or not ours any more."""
    wanted = schemas()
    there = {path.name: path.read_bytes() for path in folder.glob("*.json")}
    return sorted(name for name in wanted | there if wanted.get(name) != there.get(name))


def write(folder: Path) -> None:
    """Makes the folder hold exactly the schemas of now."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = schemas()
    for path in folder.glob("*.json"):
        if path.name not in wanted:
            path.unlink()
    for name, content in wanted.items():
        (folder / name).write_bytes(content)


def main(arguments: list[str] | None = None) -> int:
    """The exit status: 1 where `--check` finds a difference."""
    parser = argparse.ArgumentParser(prog="python -m schemas.generate", description="Writes the JSON Schemas.")
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    parser.add_argument("--check", action="store_true", help="compare only")
    options = parser.parse_args(arguments)
    if not options.check:
        write(options.folder)
        return 0
    wrong = outdated(options.folder)
    for name in wrong:
        sys.stderr.write(f"{name}: not current; run python -m schemas.generate\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
