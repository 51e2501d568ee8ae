"""Tables: text with a header and a delimiter, and Parquet, into objects by the header's names."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import Any

from streams.adapt.reading.files import LARGEST, Unreadable

PARQUET = b"PAR1"
_DELIMITERS = ("\t", ";", ",", "|")
_FEWEST_COLUMNS = 3
_LONGEST_NAME = 40
_FIRST_LINES = 4000
_LONGEST_HEADER = 4000
_ROWS, _CELL = 256, 8
"""Rows of a Parquet file that are unpacked at once; bytes that a cell counts for, beside those of its text."""
_IN_CELL = re.compile(r'"[{\[]\s*(?:\{\s*)?""\w')
"""JSON in a quoted cell, as a database exports it."""
_BODY = re.compile(r'[{\[]\s*"\w|%7b|%5b', re.IGNORECASE)


def table(text: str) -> Iterator[tuple[int, dict[str, Any]]] | None:
    """The rows of a delimited text, each with the number of its first line; None where it is none.

    The delimiter is the one that gives the most columns; Excel's `sep=` line is understood.
    """
    start = text.lstrip("\n")
    skipped = text[: len(text) - len(start)].count("\n")
    delimiters: tuple[str, ...] = _DELIMITERS
    if start[:4].casefold() == "sep=" and "\n" in start:
        line, _, start = start.partition("\n")
        skipped += 1
        delimiters = (line[4:5],)
    header = start.partition("\n")[0]
    if len(header) > _LONGEST_HEADER:
        return None
    try:
        columns = {mark: next(csv.reader([header], delimiter=mark), []) for mark in delimiters}
    except (csv.Error, TypeError, ValueError):
        # A stray carriage return in the header; a `sep=` that names no delimiter.
        return None
    mark, names = max(columns.items(), key=lambda column: len(column[1]))
    fewest = 2 if _IN_CELL.search(start[:_FIRST_LINES]) else _FEWEST_COLUMNS
    if len(names) < fewest or _BODY.search(start[:_FIRST_LINES]) or not _names(names):
        return None
    return _rows(start, mark, names, skipped)


def _names(cells: list[str]) -> bool:
    """Whether cells may be the names of columns: short, told apart, and no numbers."""
    told = [cell.strip() for cell in cells if cell.strip()]
    return len(set(told)) == len(told) > 0 and all(
        len(cell) <= _LONGEST_NAME and not cell[0].isdigit() and cell[0] not in "{[<" for cell in told
    )


def _rows(text: str, mark: str, names: list[str], skipped: int) -> Iterator[tuple[int, dict[str, Any]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark)
    line = skipped + 1
    try:
        next(reader)
        line = reader.line_num + skipped + 1
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield line, {name.strip(): cell for name, cell in zip(names, cells, strict=False) if name.strip()}
            line = reader.line_num + skipped + 1
    except csv.Error as error:
        raise Unreadable(f"line {line}: no row of a table: {error}") from error


def parquet(raw: bytes) -> Iterator[dict[str, Any]]:
    """The rows of a Parquet file, some at a time. Unreadable where it is broken, or where pyarrow is not installed.

    A few bytes may hold any number of rows: behind `LARGEST` bytes of them it is Unreadable, too.
    """
    try:
        from pyarrow import ArrowException, BufferReader
        from pyarrow.parquet import ParquetFile
    except ImportError:
        raise Unreadable("is Parquet, which needs pyarrow: pip install 'parcelwatch[parquet]'") from None
    held = 0
    try:
        for batch in ParquetFile(BufferReader(raw)).iter_batches(batch_size=_ROWS):
            for row in batch.to_pylist():
                held += _CELL * len(row) + sum(len(cell) for cell in row.values() if isinstance(cell, str | bytes))
                if held > LARGEST:
                    raise Unreadable(f"holds more than {LARGEST >> 20} MiB: split it, if that is meant")
                yield row
    except (ArrowException, OSError, ValueError) as error:
        raise Unreadable(f"broken Parquet: {str(error).splitlines()[0]}") from error
