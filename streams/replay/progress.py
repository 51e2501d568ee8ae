"""The progress bar of commands that read files: on a terminal, none elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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


@contextmanager
def reading(source: Path, what: str, console: Console) -> Iterator[Iterator[Line]]:
    """The lines of the input, with a bar named `what` where `console` is a terminal. Raises MissingInput."""
    total = size(source)
    if not console.is_terminal:
        yield read(source)
        return
    columns = (
        TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(what, total=total)
        yield read(source, lambda done: progress.advance(task, done))
