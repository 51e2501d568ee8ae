"""The marketplace as files that `parcelwatch replay` reads."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import IO

import orjson

from schemas.events import CHATS, ORDERS, SCANS
from streams.marketplace.market import Produced

#: A file that is not whole yet bears this behind its name, so that no half of one is read.
PART = ".part"


def write_folder(records: Iterable[Produced], folder: Path) -> int:
    """Writes `orders.jsonl`, `logistics-scans.jsonl` and `chats.jsonl`; how many records. Raises OSError.

    The files get their names when all of them are whole.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = {topic: folder / f"{topic}.jsonl" for topic in (ORDERS, SCANS, CHATS)}
    count = 0
    with ExitStack() as stack:
        files = {topic: stack.enter_context(_part(path).open("wb")) for topic, path in paths.items()}
        for record in records:
            files[record.topic].write(record.encode() + b"\n")
            count += 1
    for path in paths.values():
        _part(path).replace(path)
    return count


def write_lines(records: Iterable[Produced], out: IO[bytes]) -> int:
    """Writes lines `{"topic": ..., "value": ...}` in the order of arrival; how many. Raises BrokenPipeError."""
    count = 0
    for record in records:
        out.write(orjson.dumps({"topic": record.topic, "value": record.value}) + b"\n")
        count += 1
    return count


def _part(path: Path) -> Path:
    return path.with_name(path.name + PART)
