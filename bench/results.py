"""Stored results: one JSON file per section, with tables of plain figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

Cell = str | int | float | bool | None


class Table(msgspec.Struct, frozen=True):
    """`name` is that of its place in the document. A heading names the unit of its column."""

    name: str
    columns: list[str]
    rows: list[list[Cell]]

    def dicts(self) -> Iterator[dict[str, Any]]:
        """The rows, each by heading."""
        for row in self.rows:
            yield dict(zip(self.columns, row, strict=True))


class Result(msgspec.Struct, frozen=True):
    """One section as it was measured by `command`, in `seconds` altogether.

    `divided`: the sizes were so many times smaller than those that the document is made of. `busy`: cores that others
    kept busy just before.
    """

    section: str
    command: str
    machine: str
    divided: int
    seconds: float
    busy: float | None
    tables: list[Table]


def save(result: Result, folder: Path) -> None:
    """Writes it, in place of what was there of its section."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{result.section}.json").write_bytes(msgspec.json.format(msgspec.json.encode(result), indent=1) + b"\n")


def load(folder: Path) -> dict[str, Result]:
    """What a folder holds, by section."""
    decoder = msgspec.json.Decoder(Result)
    found = (decoder.decode(path.read_bytes()) for path in sorted(folder.glob("*.json")))
    return {result.section: result for result in found}


def tables(results: Mapping[str, Result]) -> dict[str, tuple[Result, Table]]:
    """Every table by its name, with the result that it is of."""
    return {table.name: (result, table) for result in results.values() for table in result.tables}
