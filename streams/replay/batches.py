"""Reads a replay's input in batches of valid events and dead letters, fast.

A line in the usual form is sliced, not parsed: if the text between the known prefix and the last brace is one valid
value, the whole line is valid. Any other line, and any whose value is invalid, is read by `streams.replay.reading`,
which alone decides what is reported.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from schemas.decode import MAX_AHEAD, Invalid, Reason, decode
from schemas.events import AnyEvent
from streams.replay.reading import TOPICS, Line, Progress, chunks, merged, tagged, time_of

#: Topic, event, its time in microseconds, the bytes of its value, the number of its line.
Event = tuple[str, AnyEvent, int, bytes, int]
#: Lines of a batch, where they do not come from one file.
_LINES = 256


class Dead(NamedTuple):
    """An invalid line, as it is reported. `topic`: None if unknown; `line`: 1-based, in its file."""

    topic: str | None
    line: int
    error_code: str
    error_detail: str


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
            self.dead.append(Dead(topic, line.number, str(line.reason or Reason.NOT_JSON), line.detail))
        elif value == b"null":
            self.passed_over[topic] += 1
            self.tombstones += 1
        else:
            try:
                self.events.append((topic, *decode(topic, value, now), value, line.number))
            except Invalid as invalid:
                self.passed_over[topic] += 1
                self.dead.append(Dead(topic, line.number, str(invalid.reason), invalid.detail))


def batches(path: Path, now: int | None = None, progress: Progress | None = None) -> Iterator[Batch]:
    """The input in arrival order. Raises MissingInput."""
    return _merged(path, now, progress) if path.is_dir() else _tagged(path, now, progress)


def batches_of(lines: Iterable[Line], now: int | None = None) -> Iterator[Batch]:
    """The same from lines that are read."""
    rest = iter(lines)
    while some := list(islice(rest, _LINES)):
        batch = Batch()
        for line in some:
            batch.take(line, now)
        yield batch


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
    form_of = _FORMS.get
    for first, lines in chunks(path, progress):
        batch = Batch()
        take = batch.events.append
        for number, line in enumerate(lines, first):
            topic, begins, length = form_of(line[:_TELLING], _OTHER)
            if line[:length] == begins and line[-3:] == b"}}\n":
                value = line[length - 1 : -2]
                try:
                    event, time = decode(topic, value, now)
                except Invalid:
                    # Of the value or of the line around it: that is told below.
                    pass
                else:
                    take((topic, event, time, value, number))
                    continue
            read = tagged(number, line)
            if read is not None:
                batch.take(read, now)
        yield batch


def _merged(path: Path, now: int | None, progress: Progress | None) -> Iterator[Batch]:
    latest = None if now is None else now + MAX_AHEAD
    heads = merged(path, progress, _look)
    while some := list(islice(heads, _LINES)):
        batch = Batch()
        for time, order, number, value, event in some:
            topic = TOPICS[order]
            if event is None or (latest is not None and time > latest):
                batch.take(Line(number, topic, value), now)
            else:
                batch.events.append((topic, event, time, value, number))
        yield batch


def _look(topic: str, line: bytes) -> tuple[int, bytes, AnyEvent | None]:
    """The line as an event, where it is one, so that its time is told without a look of its own."""
    if line[:1] == b"{" and line[-2:] == b"}\n":
        value = line[:-1]
        try:
            event, time = decode(topic, value)
        except Invalid:
            # The line has its place among the others all the same.
            pass
        else:
            return time, value, event
    return time_of(line), line.strip(), None
