"""Files of events, as records in the order of their times."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from heapq import merge
from pathlib import Path
from typing import NamedTuple

from schemas.decode import Invalid, decode
from schemas.events import record_key
from schemas.times import BEFORE_ALL
from streams.replay.reading import Line, Progress, read


class BadLine(NamedTuple):
    """A line that holds no event: a dead letter of this command."""

    source: Path
    line: int
    topic: str | None
    why: str

    def __str__(self) -> str:
        return f"{self.source}{f'/{self.topic}' if self.source.is_dir() else ''}: line {self.line}: {self.why}"


class Event(NamedTuple):
    """A valid event. `topic`: as the program knows it; `value`: as it stood there; `at`: its time, in microseconds."""

    topic: str
    key: bytes
    value: bytes
    at: int


def events(
    sources: Sequence[Path], now: Callable[[], int], progress: Progress | None = None
) -> Iterator[Event | BadLine]:
    """What the inputs hold, each in its own order, merged by the times of their heads; a tie by the inputs' order.

    An input is what `parcelwatch replay` reads. `now` (microseconds) is what an event may not be a day ahead of.
    Raises MissingInput.
    """
    heads = (_heads(number, source, now, progress) for number, source in enumerate(sources))
    return (found for _, _, found in merge(*heads, key=lambda head: head[:2]))


def _heads(
    number: int, source: Path, now: Callable[[], int], progress: Progress | None
) -> Iterator[tuple[int, int, Event | BadLine]]:
    for line in read(source, progress):
        found = _event(source, line, now())
        yield (found.at if isinstance(found, Event) else BEFORE_ALL), number, found


def _event(source: Path, line: Line, now: int) -> Event | BadLine:
    if line.topic is None or line.value is None:
        return BadLine(source, line.number, line.topic, f"{line.reason}: {line.detail}")
    try:
        event, at = decode(line.topic, line.value, now)
    except Invalid as invalid:
        return BadLine(source, line.number, line.topic, str(invalid))
    return Event(line.topic, record_key(event).encode(), line.value, at)
