"""The progress bar of commands that read files: on a terminal, none elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
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

from streams.replay.reading import Line, read, size
from streams.replay.reading import Progress as Told

_T = TypeVar("_T")


def reading(source: Path, what: str, console: Console) -> AbstractContextManager[Iterator[Line]]:
    """The lines of the input, with a bar named `what` where `console` is a terminal. Raises MissingInput."""
    return watched(source, what, console, read)


@contextmanager
def watched(
    source: Path, what: str, console: Console, read: Callable[[Path, Told | None], Iterator[_T]]
) -> Iterator[Iterator[_T]]:
    """What `read` makes of the input, with the bar of `reading`. Raises MissingInput."""
    total = size(source)
    if not console.is_terminal:
        yield read(source, None)
        return
    columns = (
        TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(what, total=total)
        yield read(source, lambda done: progress.advance(task, done))
