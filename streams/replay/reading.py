"""The input of a replay: a file of `{"topic","value"}` lines, a folder of one file per topic, or several of these.

Files may be plain, `.gz` or `.zst`. Only the part of a line that tells where it belongs is decoded here.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable, Iterator, Sequence
from heapq import merge
from pathlib import Path
from typing import BinaryIO, NamedTuple, TypeVar

import msgspec

from schemas import json_text, times
from schemas.decode import MAX_BYTES, Reason
from schemas.events import CHATS, ORDERS, SCANS
from streams.replay.packed import ERRORS, unpacked

#: The order in which heads of equal times go.
TOPICS = (ORDERS, SCANS, CHATS)
_SUFFIXES = (".jsonl", ".jsonl.gz", ".jsonl.zst")


class MissingInput(Exception):
    """There is no input at the path; the text is one line."""


class Line(NamedTuple):
    """One line that is not blank. `value` None: the line has none, and `reason` and `detail` say why.

    Of several inputs `file` is the one that it is in. Of a broker it is a record: `number` is the offset in
    `partition`, and `reason` may say why its value is no event.
    """

    number: int
    topic: str | None
    value: bytes | None
    reason: Reason | None = None
    detail: str = ""
    partition: int | None = None
    file: str | None = None


#: One input, or several, which are merged by the time of their heads, as the files of a folder are.
Source = Path | Sequence[Path]
#: Called with the bytes read from disk since the last call.
Progress = Callable[[int], None]
#: Bytes of lines that are read at once: few enough to stay in the cache until they are decoded.
_CHUNK = 1 << 16
#: Bytes of a line, its end among them, that are held: a value of the greatest size with its topic around it.
LONGEST = MAX_BYTES + 4096


def inputs(source: Source) -> tuple[Path, ...]:
    """The paths of the input, as they were given."""
    return (source,) if isinstance(source, Path) else tuple(source)


def size(source: Source) -> int:
    """Bytes on disk of the input, for a progress bar. Raises MissingInput."""
    return sum(file.stat().st_size for file, _ in _files(source))


def read(source: Source, progress: Progress | None = None) -> Iterator[Line]:
    """The lines of the input in arrival order. Raises MissingInput."""
    if is_one_file(source):
        return _tagged(inputs(source)[0], progress)
    names = files_named(source)
    return (line._replace(file=names[place]) for _, _, place, line in merged(source, progress, _line))


def is_one_file(source: Source) -> bool:
    """Whether the input is one file, whose lines keep their order."""
    paths = inputs(source)
    return len(paths) == 1 and not paths[0].is_dir()


def files_named(source: Source) -> Sequence[str | None]:
    """What a line's file is called, by its place in `merged`; None where its topic tells. Raises MissingInput."""
    files = _files(source)
    return [str(file) for file, _ in files] if len(inputs(source)) > 1 else [None] * len(files)


def _files(source: Source) -> list[tuple[Path, str | None]]:
    """The files of the input, each with its topic; None: its lines name theirs."""
    return [one for path in inputs(source) for one in files_of(path)]


def files_of(path: Path) -> list[tuple[Path, str | None]]:
    """The files of one input, each with its topic; None: its lines name theirs. Raises MissingInput."""
    if not path.exists():
        raise MissingInput(f"{path}: no such file or folder")
    if not path.is_dir():
        return [(path, None)]
    found = [(file, topic) for topic in TOPICS if (file := topic_file(path, topic)) is not None]
    if not found:
        raise MissingInput(f"{path}: holds none of {', '.join(topic + '.jsonl' for topic in TOPICS)} (or .gz, .zst)")
    return list(found)


def topic_file(folder: Path, topic: str) -> Path | None:
    """The file of a topic; None: there is none. Raises MissingInput where what bears its name cannot be it."""
    named = [file for suffix in _SUFFIXES if os.path.lexists(file := folder / (topic + suffix))]
    if not named:
        return None
    if len(named) > 1:
        raise MissingInput(f"{' and '.join(map(str, named))}: only one of them can be what to read")
    if not named[0].is_file():
        what = "a link to nothing" if not named[0].exists() else "a folder" if named[0].is_dir() else "no regular file"
        raise MissingInput(f"{named[0]}: {what}")
    return named[0]


def chunks(path: Path, progress: Progress | None) -> Iterator[tuple[int, list[bytes]]]:
    """The lines of a file with their ends, blank ones too, some at a time, and the number of the first of them.

    Of a line of more than LONGEST bytes the first LONGEST + 1 come. Raises MissingInput.
    """
    files_of(path)
    number = 1
    before = 0
    try:
        with path.open("rb", _CHUNK) as raw:
            for lines in _bounded(unpacked(path.suffix, raw, _CHUNK)):
                if progress is not None:
                    # A pipe has no place.
                    here = raw.tell() if raw.seekable() else before
                    progress(here - before)
                    before = here
                yield number, lines
                number += len(lines)
    except ERRORS as error:
        raise MissingInput(f"{path}: cannot be read: {' '.join(str(error).split())}") from None


def _bounded(opened: BinaryIO) -> Iterator[list[bytes]]:
    """Lines, some at a time; never more in memory than a chunk and one line of the longest."""
    rest = b""
    #: Whether what follows belongs to a line that is too long and has been cut.
    cut = False
    while block := opened.read(_CHUNK):
        if cut:
            _, end, block = block.partition(b"\n")
            if not end:
                continue
            cut = False
        lines = io.BytesIO(rest + block).readlines()
        rest = lines.pop() if lines and lines[-1][-1:] != b"\n" else b""
        if len(rest) > LONGEST:
            lines.append(rest[: LONGEST + 1])
            rest, cut = b"", True
        if lines:
            if max(map(len, lines)) > LONGEST:
                lines = [line[: LONGEST + 1] for line in lines]
            yield lines
    if rest:
        yield [rest]


class _Tagged(msgspec.Struct, gc=False):
    topic: str
    value: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


_TAGGED = msgspec.json.Decoder(_Tagged)


def _tagged(path: Path, progress: Progress | None) -> Iterator[Line]:
    for first, lines in chunks(path, progress):
        for number, line in enumerate(lines, first):
            read = tagged(number, line)
            if read is not None:
                yield read


def tagged(number: int, line: bytes) -> Line | None:
    """What a line with a topic and a value says; None: it is blank."""
    if len(line) > LONGEST:
        topic = _TOPIC.match(line)
        # As much of it as shows that it is too large.
        return Line(number, topic[1].decode(), line) if topic is not None else Line(number, None, None, *_TOO_LARGE)
    try:
        if not line.isascii():
            # The decoder passes over the text inside the value.
            line.decode()
        found = _TAGGED.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        if line.isspace():
            return None
        if json_text.is_final(error, line):
            return Line(number, None, None, *_NOT_JSON)
        return _tagged_slowly(number, line)
    if found.topic not in TOPICS:
        return Line(number, None, None, *_NO_TOPIC)
    if found.value is msgspec.UNSET:
        return Line(number, found.topic, None, *_NO_VALUE)
    return Line(number, found.topic, bytes(found.value))


#: The topic, where it stands first.
_TOPIC = re.compile(rb'\s*\{\s*"topic"\s*:\s*"(' + "|".join(TOPICS).encode() + rb')"')
_TOO_LARGE = Reason.TOO_LARGE, f"a line of more than {LONGEST} bytes"
_NOT_JSON = Reason.NOT_JSON, "not one JSON value in UTF-8"
_NO_TOPIC = Reason.UNKNOWN_TOPIC, "topic: none of those that are read"
_NO_VALUE = Reason.MISSING_FIELD, "value: missing"


def _tagged_slowly(number: int, line: bytes) -> Line:
    """The same of a line that did not pass: as `schemas.decode` reads values."""
    try:
        text = line.decode()
        plain, spans = json_text.read(text)
    except ValueError:
        return Line(number, None, None, *_NOT_JSON)
    if not isinstance(plain, dict):
        return Line(number, None, None, Reason.NOT_OBJECT, "a JSON value, but not an object")
    topic = plain.get("topic")
    if not isinstance(topic, str):
        return Line(number, None, None, Reason.UNKNOWN_TOPIC, "topic: missing, or not a string")
    if topic not in TOPICS:
        return Line(number, None, None, *_NO_TOPIC)
    if "value" not in spans:
        return Line(number, topic, None, *_NO_VALUE)
    begin, end = spans["value"]
    return Line(number, topic, text[begin:end].encode())


class _Head(msgspec.Struct, gc=False):
    occurred_at: str


_HEAD = msgspec.json.Decoder(_Head)


def time_of(line: bytes) -> int:
    """When the event says that it occurred; one without a valid time comes before all others."""
    try:
        return times.parse(_HEAD.decode(line).occurred_at)
    except (msgspec.MsgspecError, RecursionError, ValueError):
        pass
    try:
        plain = json_text.read(line.decode()).value
        return times.parse(plain["occurred_at"])
    except (TypeError, LookupError, ValueError):
        return times.BEFORE_ALL


_T = TypeVar("_T")
#: From a file's topic (None: its lines name theirs), a line's number and the line to its time, the place of its topic
#: in TOPICS, and what the caller makes of it; None: it is blank.
Look = Callable[[str | None, int, bytes], tuple[int, int, _T] | None]


def merged(source: Source, progress: Progress | None, look: Look[_T]) -> Iterator[tuple[int, int, int, _T]]:
    """Time, topic (its place in TOPICS), file (its place in `files_named`) and the rest of the files' lines.

    The files' heads go by time, a tie by topic, then in the order of the files. Raises MissingInput.
    """
    # No two heads are of one file: nothing beyond its place is ever compared.
    return merge(*(_heads(file, topic, place, progress, look) for place, (file, topic) in enumerate(_files(source))))


def _heads(
    file: Path, topic: str | None, place: int, progress: Progress | None, look: Look[_T]
) -> Iterator[tuple[int, int, int, _T]]:
    for first, lines in chunks(file, progress):
        for number, line in enumerate(lines, first):
            found = look(topic, number, line)
            if found is not None:
                time, order, rest = found
                yield time, order, place, rest


def _line(topic: str | None, number: int, line: bytes) -> tuple[int, int, Line] | None:
    if topic is None:
        return placed(tagged(number, line))
    value = line.strip()
    return (time_of(line), TOPICS.index(topic), Line(number, topic, value)) if value else None


def placed(line: Line | None) -> tuple[int, int, Line] | None:
    """A line with its time and the place of its topic; one without a value comes before all others."""
    if line is None:
        return None
    if line.topic is None or line.value is None:
        return times.BEFORE_ALL, 0, line
    return time_of(line.value), TOPICS.index(line.topic), line
