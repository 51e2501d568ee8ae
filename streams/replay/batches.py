"""Reads a replay's input in batches of valid events and dead letters, fast.

A line in the usual form is sliced, not parsed: if the text between the known prefix and the last brace is one valid
value, the whole line is valid. Any other line, and any whose value is invalid, is read by `streams.replay.reading`,
which alone decides what is reported.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from schemas.decode import MAX_AHEAD, Invalid, Reason, decode
from schemas.events import AnyEvent
from streams.replay.reading import (
    TOPICS,
    Line,
    Progress,
    Source,
    chunks,
    files_named,
    inputs,
    is_one_file,
    merged,
    placed,
    tagged,
    time_of,
)

#: Topic, event, its time in microseconds, the bytes of its value, the number of its line, and its file where there are
#: several inputs.
Event = tuple[str, AnyEvent, int, bytes, int, str | None]
#: Lines of a batch, where they do not come from one file.
LINES = 256


class Dead(NamedTuple):
    """An invalid line. `topic`: None if unknown; `line`: 1-based, in its file; `file`: of several inputs."""

    topic: str | None
    line: int
    error_code: str
    error_detail: str
    file: str | None = None

    def row(self) -> dict[str, str | int | None]:
        """What is reported of it: without a file where it is not told."""
        told = self._asdict()
        file = told.pop("file")
        return told if file is None else {"file": file, **told}


@dataclass(slots=True)
class Batch:
    """The contents of some consecutive lines. `passed_over`: by topic, the number of invalid values."""

    events: list[Event] = field(default_factory=list)
    dead: list[Dead] = field(default_factory=list)
    passed_over: Counter[str] = field(default_factory=Counter)
    tombstones: int = 0

    def take(self, line: Line, now: int | None) -> None:
        """Adds one line. `now`: microseconds, what `decode` compares with."""
        topic, value = line.topic, line.value
        if topic is None or value is None:
            self.dead.append(Dead(topic, line.number, str(line.reason or Reason.NOT_JSON), line.detail, line.file))
        elif value == b"null":
            self.passed_over[topic] += 1
            self.tombstones += 1
        else:
            try:
                self.events.append((topic, *decode(topic, value, now), value, line.number, line.file))
            except Invalid as invalid:
                self.bury(topic, line.number, invalid, line.file)

    def bury(self, topic: str, line: int, invalid: Invalid, file: str | None) -> None:
        """Adds a line whose value is no event."""
        self.passed_over[topic] += 1
        self.dead.append(Dead(topic, line, str(invalid.reason), invalid.detail, file))


def batches(source: Source, now: int | None = None, progress: Progress | None = None) -> Iterator[Batch]:
    """The input in arrival order. Raises MissingInput."""
    return _tagged(inputs(source)[0], now, progress) if is_one_file(source) else _merged(source, now, progress)


def batches_of(lines: Iterable[Line], now: int | None = None) -> Iterator[Batch]:
    """The same from lines that are read."""
    rest = iter(lines)
    while some := list(islice(rest, LINES)):
        batch = Batch()
        for line in some:
            batch.take(line, now)
        yield batch


#: What is told before anything is known of the whole value.
_OF_THE_LINE = frozenset({Reason.NOT_JSON, Reason.TOO_LARGE})
#: So many bytes at the beginning of a line tell the forms apart.
_TELLING = 14
#: What the usual lines begin with, up to the value's own brace: topic, beginning, its length.
_FORMS = {
    begins[:_TELLING]: (topic, begins, len(begins))
    for topic in TOPICS
    for begins in (f'{{"topic":"{topic}","value":{{'.encode(), f'{{"topic": "{topic}", "value": {{'.encode())
}
#: No line begins with its end.
_OTHER = ("", b"\n", 0)


def _tagged(path: Path, now: int | None, progress: Progress | None) -> Iterator[Batch]:
    for first, lines in chunks(path, progress):
        yield batch_of(first, lines, now)


def batch_of(first: int, lines: Sequence[bytes], now: int | None) -> Batch:
    """The contents of lines with a topic and a value; `first`: the number of the first of them."""
    form_of = _FORMS.get
    batch = Batch()
    take = batch.events.append
    for number, line in enumerate(lines, first):
        topic, begins, length = form_of(line[:_TELLING], _OTHER)
        if line[:length] == begins and line[-3:] == b"}}\n":
            value = line[length - 1 : -2]
            try:
                event, time = decode(topic, value, now)
            except Invalid as invalid:
                # Of the value, if that is one JSON value; otherwise perhaps of the line around it: that is told below.
                if invalid.reason not in _OF_THE_LINE:
                    batch.bury(topic, number, invalid, None)
                    continue
            else:
                take((topic, event, time, value, number, None))
                continue
        read = tagged(number, line)
        if read is not None:
            batch.take(read, now)
    return batch


def _merged(source: Source, now: int | None, progress: Progress | None) -> Iterator[Batch]:
    latest = None if now is None else now + MAX_AHEAD
    names = files_named(source)
    heads = merged(source, progress, _look)
    while some := list(islice(heads, LINES)):
        batch = Batch()
        for time, order, place, (number, value, event) in some:
            if isinstance(value, Line):
                batch.take(value._replace(file=names[place]), now)
            elif event is None or (latest is not None and time > latest):
                batch.take(Line(number, TOPICS[order], value, file=names[place]), now)
            else:
                batch.events.append((TOPICS[order], event, time, value, number, names[place]))
        yield batch


#: The number of a line, and its value, with the event that it is; or the whole line where it is not in the usual form.
_Looked = tuple[int, bytes | Line, AnyEvent | None]


def _look(topic: str | None, number: int, line: bytes) -> tuple[int, int, _Looked] | None:
    """The line as an event, where it is one, so that its time is told without a look of its own."""
    if topic is None:
        own, begins, length = _FORMS.get(line[:_TELLING], _OTHER)
        usual = line[:length] == begins and line[-3:] == b"}}\n"
        value = line[length - 1 : -2]
    else:
        own, usual, value = topic, line[:1] == b"{" and line[-2:] == b"}\n", line[:-1]
    if usual:
        try:
            event, time = decode(own, value)
        except Invalid:
            # The line has its place among the others all the same.
            pass
        else:
            return time, TOPICS.index(own), (number, value, event)
    if topic is None:
        found = placed(tagged(number, line))
        return None if found is None else (found[0], found[1], (number, found[2], None))
    value = line.strip()
    return (time_of(line), TOPICS.index(topic), (number, value, None)) if value else None
