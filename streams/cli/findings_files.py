"""Files and tables in which a command writes what it found."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

import click
from rich import box
from rich.console import Console
from rich.table import Table

from streams.cli.files import whole_file

#: The type of an option that names a file to write.
FILE = click.Path(path_type=Path, dir_okay=False, writable=True)
#: Columns off a terminal: wide enough that no line is broken.
PLAIN_WIDTH = 250


def lacking(extra: str, *modules: str) -> str | None:
    """What to install, where one of the modules of an extra is not there."""
    missing = [name for name in modules if find_spec(name) is None]
    return f"needs {' and '.join(missing)}: pip install 'parcelwatch[{extra}]'" if missing else None


def new_file(_context: click.Context, parameter: click.Parameter, value: Path | None) -> Path | None:
    """A writable file, as far as that can be checked in advance."""
    if value is not None and not value.parent.is_dir():
        raise click.BadParameter(f"{value}: its folder does not exist", param=parameter)
    return value


def new_report(context: click.Context, parameter: click.Parameter, value: Path | None) -> Path | None:
    """The same of a report with plots, which need the extra `report`."""
    said = lacking("report", "matplotlib") if value is not None else None
    if said is not None:
        raise click.BadParameter(said, param=parameter)
    return new_file(context, parameter, value)


def write(file: Path, content: bytes) -> None:
    """Writes the file whole, or not at all."""
    try:
        with whole_file(file) as part:
            part.write_bytes(content)
    except OSError as error:
        raise click.UsageError(f"{file}: cannot be written: {error.strerror}") from None


def show_tables(tables: Iterable[Table], console: Console) -> None:
    """Prints tables under their titles: ruled on a terminal, as plain columns elsewhere; of an empty one the title."""
    for table in tables:
        console.print()
        console.print(table.title, style="bold")
        table.title = None
        if table.row_count:
            table.box = box.SIMPLE_HEAD if console.is_terminal else None
            table.pad_edge = False
            table.collapse_padding = True
            console.print(table)
