"""The input of a replay: one file of `{"topic","value"}` lines, or a folder of one file per topic.

Files may be plain, `.gz` or `.zst`. Nothing is decoded here but what says where a line belongs.
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import zstandard

from schemas import times
from schemas.decode import Reason
from schemas.events import CHATS, ORDERS, SCANS

#: The order in which heads of equal times go.
TOPICS = (ORDERS, SCANS, CHATS)
_SUFFIXES = (".jsonl", ".jsonl.gz", ".jsonl.zst")


class MissingInput(Exception):
    """There is nothing to read at that path; the text is one line."""


class Line(NamedTuple):
    """One line that is not blank. `value` None: the line has none, and `reason` and `detail` say why."""

    number: int
    topic: str | None
    value: bytes | None
    reason: Reason | None = None
    detail: str = ""


#: Called with the bytes read from disk since the last call.
Progress = Callable[[int], None]


def size(path: Path) -> int:
    """Bytes on disk of the input, for a progress bar. Raises MissingInput."""
    return sum(file.stat().st_size for file in _files(path))


def read(path: Path, progress: Progress | None = None) -> Iterator[Line]:
    """The lines of the input in arrival order. Raises MissingInput."""
    if path.is_dir():
        return _merged(path, progress)
    return _tagged(path, progress)


def _files(path: Path) -> list[Path]:
    if not path.exists():
        raise MissingInput(f"{path}: no such file or folder")
    if not path.is_dir():
        return [path]
    found = [file for topic in TOPICS if (file := _topic_file(path, topic)) is not None]
    if not found:
        raise MissingInput(f"{path}: holds none of {', '.join(topic + '.jsonl' for topic in TOPICS)} (or .gz, .zst)")
    return found


def _topic_file(folder: Path, topic: str) -> Path | None:
    return next((file for suffix in _SUFFIXES if (file := folder / (topic + suffix)).is_file()), None)


def _lines(path: Path, progress: Progress | None) -> Iterator[tuple[int, bytes]]:
    """Numbered lines, blank ones left out."""
    try:
        with path.open("rb") as raw:
            opened: Iterable[bytes]
            if path.suffix == ".gz":
                opened = gzip.GzipFile(fileobj=raw)
            elif path.suffix == ".zst":
                opened = io.BufferedReader(zstandard.ZstdDecompressor().stream_reader(raw))
            else:
                opened = raw
            before = 0
            for number, line in enumerate(opened, 1):
                if progress is not None and not number & 0xFFF:
                    here = raw.tell()
                    progress(here - before)
                    before = here
                if not line.isspace():
                    yield number, line
    except (OSError, EOFError, zstandard.ZstdError) as error:
        raise MissingInput(f"{path}: cannot be read: {' '.join(str(error).split())}") from None


class _Tagged(msgspec.Struct, gc=False):
    topic: str
    value: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


_TAGGED = msgspec.json.Decoder(_Tagged)


def _tagged(path: Path, progress: Progress | None) -> Iterator[Line]:
    _files(path)
    decode = _TAGGED.decode
    for number, line in _lines(path, progress):
        try:
            if not line.isascii():
                # The decoder passes over the text inside the value.
                str(line, "utf-8")
            tagged = decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            yield Line(number, None, None, *_untagged(line))
            continue
        topic, value = tagged.topic, tagged.value
        if topic not in TOPICS:
            yield Line(number, None, None, Reason.UNKNOWN_TOPIC, "topic: none of those that are read")
        elif value is msgspec.UNSET:
            yield Line(number, topic, None, Reason.MISSING_FIELD, "value: missing")
        else:
            yield Line(number, topic, bytes(value))


def _untagged(line: bytes) -> tuple[Reason, str]:
    try:
        plain = msgspec.json.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return Reason.NOT_JSON, "not one JSON value in UTF-8"
    if not isinstance(plain, dict):
        return Reason.NOT_OBJECT, "a JSON value, but not an object"
    return Reason.UNKNOWN_TOPIC, "topic: missing, or not a string"


class _Head(msgspec.Struct, gc=False):
    occurred_at: str


_HEAD = msgspec.json.Decoder(_Head)


def _merged(folder: Path, progress: Progress | None) -> Iterator[Line]:
    """The files' heads by time; one without a valid time goes first; a tie goes by topic."""
    _files(folder)
    sources = []
    for order, topic in enumerate(TOPICS):
        file = _topic_file(folder, topic)
        if file is not None:
            sources.append((order, topic, _lines(file, progress)))
    heads: list[tuple[int, int, str, int, bytes, Iterator[tuple[int, bytes]]]] = []
    for order, topic, lines in sources:
        _put_head(heads, order, topic, lines)
    while heads:
        head = min(heads, key=lambda one: one[:2])
        heads.remove(head)
        _, order, topic, number, line, lines = head
        yield Line(number, topic, line.strip())
        _put_head(heads, order, topic, lines)


def _put_head(
    heads: list[tuple[int, int, str, int, bytes, Iterator[tuple[int, bytes]]]],
    order: int,
    topic: str,
    lines: Iterator[tuple[int, bytes]],
) -> None:
    for number, line in lines:
        try:
            time = times.parse(_HEAD.decode(line).occurred_at)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError):
            time = -(1 << 62)
        heads.append((time, order, topic, number, line, lines))
        return
