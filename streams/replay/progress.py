"""The progress bar of commands that read files: on a terminal, none elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from streams.replay.reading import Line, Source, read, size
from streams.replay.reading import Progress as Told

_T = TypeVar("_T")


def reading(source: Source, what: str, console: Console) -> AbstractContextManager[Iterator[Line]]:
    """The lines of the input, with a bar named `what` where `console` is a terminal. Raises MissingInput."""
    return watched(source, what, console, read)


@contextmanager
def watched(
    source: Source, what: str, console: Console, read: Callable[[Source, Told | None], Iterator[_T]]
) -> Iterator[Iterator[_T]]:
    """What `read` makes of the input, with the bar of `reading`. Raises MissingInput."""
    with bar(size(source), what, console) as told:
        yield read(source, told)


@contextmanager
def bar(total: int, what: str, console: Console) -> Iterator[Told | None]:
    """What is told of the bytes read; moves a bar named `what` where `console` is a terminal, else None."""
    if not console.is_terminal:
        yield None
        return
    columns = (
        TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(what, total=total)
        yield lambda done: progress.advance(task, done)
