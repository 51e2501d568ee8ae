"""Guesses, from its first lines, what an input is if hardly any of its lines are events."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from schemas import json_text
from schemas.events import EVENTS
from streams.replay.reading import TOPICS, MissingInput, chunks, topic_file

_EXPECTED = 'lines like {"topic":"orders","value":{...}} are read'
_MAGIC = {
    b"\x1f\x8b": "a gzip file, whose name has to end with .gz",
    b"\x28\xb5\x2f\xfd": "a Zstandard file, whose name has to end with .zst",
    b"PAR1": "a Parquet file: " + _EXPECTED,
    b"PK\x03\x04": "a zip archive or a spreadsheet: " + _EXPECTED,
    b"\xff\xfe": "text in UTF-16: it has to be UTF-8",
    b"\xfe\xff": "text in UTF-16: it has to be UTF-8",
}


def looks_like(source: Path) -> str:
    """What a file, or the first file of a folder, looks like, and what is expected instead."""
    folder = source.is_dir()
    try:
        files = [file for topic in TOPICS if (file := topic_file(source, topic)) is not None] if folder else [source]
        if not files or not files[0].is_file():
            return f"something else: {_EXPECTED}"
        lines = next((lines for _, lines in chunks(files[0], None) if b"".join(lines).strip()), [])
    except MissingInput:
        return f"something else: {_EXPECTED}"
    told = _of_lines(lines, folder)
    return f"{told} ({files[0].name})" if folder else told


def _of_lines(lines: list[bytes], folder: bool) -> str:
    content = b"".join(lines)
    if not content:
        return f"an empty file: {_EXPECTED}"
    for magic, told in _MAGIC.items():
        if content.startswith(magic):
            return told
    if b"\0" in content:
        return f"a binary file: {_EXPECTED}"
    first = next(line for line in lines if line.strip())
    try:
        value = json_text.read(first.decode("utf-8-sig").strip()).value
    except ValueError:
        return _of_text(first)
    if isinstance(value, list):
        return "one JSON array: an event is a line of its own"
    return _of_object(value, folder) if isinstance(value, dict) else f"JSON, but no objects: {_EXPECTED}"


def _of_text(first: bytes) -> str:
    if first.lstrip()[:1] in (b"{", b"["):
        return "JSON over several lines: an event is one line"
    if b"," in first or b"\t" in first or b";" in first:
        return f"a table with columns, of which `parcelwatch adapt` reads some: {_EXPECTED}"
    return f"text that is no JSON: {_EXPECTED}"


def _of_object(value: dict[str, Any], folder: bool) -> str:
    if "specversion" in value:
        return "alerts, which parcelwatch writes and does not read"
    if "error_code" in value:
        return "dead letters, which parcelwatch writes and does not read"
    if "topic" in value and "value" in value:
        if folder:
            return "lines that name their topics: give the file itself, not its folder"
        if isinstance(value["value"], str):
            return "lines whose values are text: a value has to be an object, not text that holds one"
        if value["topic"] not in TOPICS:
            return f"lines of other topics than {', '.join(TOPICS)}"
    found = [
        topic for topic, kinds in EVENTS.items() if any(one.__struct_config__.tag == value.get("type") for one in kinds)
    ]
    if found and "topic" not in value:
        if folder:
            return f"events of {' or '.join(found)}, whose file has another name"
        return f"events without a topic: name the file {found[0]}.jsonl, and give the folder that it is in"
    return "JSON of another kind: `parcelwatch adapt` makes events of carriers' and platforms' data"
