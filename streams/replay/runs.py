"""The lines of a replay's input for the native path, in the order and the portions in which Python would read them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from streams.replay.batches import LINES, Batch, batch_of
from streams.replay.reading import TOPICS, Line, Progress, chunks, files_of, time_of


class Run(NamedTuple):
    """Some consecutive lines and their numbers. `topics`: of each the place of its topic in TOPICS, where the lines are
    values; None where they tell their topics.
    """

    lines: list[bytes]
    numbers: Sequence[int]
    topics: bytes | None

    def batch(self, place: int, now: int | None) -> Batch:
        """What Python says of one of the lines."""
        line, number = self.lines[place], self.numbers[place]
        if self.topics is None:
            return batch_of(number, [line], now)
        batch = Batch()
        batch.take(Line(number, TOPICS[self.topics[place]], line), now)
        return batch


def runs(path: Path, module: ModuleType, progress: Progress | None = None) -> Iterator[Run]:
    """One input, a file or a folder, in arrival order. Raises MissingInput."""
    if path.is_dir():
        return _merged(path, module, progress)
    return (Run(lines, range(first, first + len(lines)), None) for first, lines in chunks(path, progress))


def _merged(folder: Path, module: ModuleType, progress: Progress | None) -> Iterator[Run]:
    files = {TOPICS.index(str(topic)): chunks(file, progress) for file, topic in files_of(folder)}
    heads = module.Heads(len(TOPICS), _look)
    for order in range(len(TOPICS)):
        if order not in files:
            heads.end(order)
    lines: list[bytes] = []
    numbers: list[int] = []
    topics = b""
    while True:
        for order in heads.wanting():
            some = next(files[order], None)
            if some is None:
                heads.end(order)
            else:
                heads.feed(order, *some)
        found = heads.take(LINES - len(lines))
        lines, topics, numbers = lines + found[0], topics + found[1], numbers + found[2]
        if len(lines) < LINES and heads.wanting():
            continue
        if lines:
            yield Run(lines, numbers, topics)
        if len(lines) < LINES:
            return
        lines, topics, numbers = [], b"", []


def _look(line: bytes) -> tuple[int, bytes]:
    return time_of(line), line.strip()
