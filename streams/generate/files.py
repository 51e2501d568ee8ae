"""The marketplace as files that `parcelwatch replay` reads."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import IO

import orjson

from schemas.events import CHATS, ORDERS, SCANS
from streams.cli.files import whole_file
from streams.marketplace.market import Produced


def write_folder(records: Iterable[Produced], folder: Path) -> int:
    """Writes `orders.jsonl`, `logistics-scans.jsonl` and `chats.jsonl`; how many records. Raises OSError.

    The files get their names when all of them are whole.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = {topic: folder / f"{topic}.jsonl" for topic in (ORDERS, SCANS, CHATS)}
    count = 0
    with ExitStack() as stack:
        parts = {topic: stack.enter_context(whole_file(path)) for topic, path in paths.items()}
        files = {topic: stack.enter_context(part.open("wb")) for topic, part in parts.items()}
        for record in records:
            files[record.topic].write(record.encode() + b"\n")
            count += 1
    return count


def write_lines(records: Iterable[Produced], out: IO[bytes]) -> int:
    """Writes lines `{"topic": ..., "value": ...}` in the order of arrival; how many. Raises BrokenPipeError."""
    count = 0
    for record in records:
        out.write(orjson.dumps({"topic": record.topic, "value": record.value}) + b"\n")
        count += 1
    return count
