"""The columns of a table of orders or tickets: what a format knows of, and which of a table's they are.

[columns]                      # of the user's map: our name, and theirs; of several the first that says anything
order_id = "Order no."
tracking_no = ["Parcel 1", "Parcel 2"]

[statuses]                     # their words for an order's end, and ours: completed, cancelled
[kinds]                        # their words for the kind of a refund or a ticket
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from schemas.did_you_mean import did_you_mean
from streams.adapt.reading.search import folded
from streams.adapt.times import zone

_MAP = ("zone", "shop", "columns", "statuses", "kinds")
_MOST_NAMED = 30
_FEWEST = 3


@dataclass(frozen=True, slots=True)
class Column:
    """A column that a format knows: our name, what it says, the usual names of it, whether there has to be one."""

    name: str
    what: str
    usual: tuple[str, ...] = ()
    needed: bool = False


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a format, and its words; `key` is the one by which rows belong together."""

    key: str
    known: tuple[Column, ...]
    statuses: dict[str, str]
    kinds: dict[str, str]


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """Which columns of a table say what: by our names, theirs. `guessed` where no user said so."""

    columns: Mapping[str, tuple[str, ...]]
    statuses: dict[str, str] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    zone: str | None = None
    shop: str | None = None
    guessed: bool = False


class BadMap(Exception):
    """A map of columns that cannot be used; the message is one line."""


def columns(raw: Mapping[str, Any]) -> Columns | None:
    """The columns that a format's TOML describes; None for one whose documents are no rows. ValueError for a fault."""
    if "rows" not in raw:
        return None
    tables = raw.get("columns")
    if not isinstance(tables, dict) or not all(isinstance(table, dict) for table in tables.values()):
        raise ValueError("a format of rows has its columns as tables: [columns.NAME]")
    if raw["rows"] not in tables:
        raise ValueError(f"rows is the column by which rows belong together, not {raw['rows']!r}")
    known = tuple(
        Column(name, str(table.get("what", "")), tuple(map(str, table.get("names", []))), table.get("needed") is True)
        for name, table in tables.items()
    )
    return Columns(raw["rows"], known, _words(raw, "statuses"), _words(raw, "kinds"))


def read_map(path: Path, known: Columns) -> ColumnMap:
    """The map of columns in a TOML file. BadMap where it cannot be read, or says what there is not."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise BadMap(f"{path}: cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise BadMap(f"{path}: {' '.join(str(error).split())}") from error
    try:
        return _map(raw, known)
    except ValueError as error:
        raise BadMap(f"{path}: {error}") from error


def _map(raw: Mapping[str, Any], known: Columns) -> ColumnMap:
    for given in raw:
        if given not in _MAP:
            raise ValueError(f"a map of columns has no {given!r}{did_you_mean(given, _MAP)}")
    named = {column.name for column in known.known}
    given_columns = raw.get("columns", {})
    if not isinstance(given_columns, dict):
        raise ValueError("columns is a table of our names and theirs: [columns]")  # noqa: TRY004  it is in the file
    found: dict[str, tuple[str, ...]] = {}
    for name, theirs in given_columns.items():
        if name not in named:
            raise ValueError(
                f"there is no column {name!r}{did_you_mean(name, sorted(named))}; there are {', '.join(sorted(named))}"
            )
        names = [theirs] if isinstance(theirs, str) else theirs
        if not isinstance(names, list) or not names or not all(isinstance(one, str) and one for one in names):
            raise ValueError(f"{name} is the name of a column, or a list of names, not {theirs!r}")
        found[name] = tuple(names)
    for column in known.known:
        if column.needed and column.name not in found:
            raise ValueError(f"no {column.name}: {column.what}")
    for name in ("zone", "shop"):
        if not isinstance(raw.get(name, ""), str):
            raise ValueError(f"{name} is a text, not {raw[name]!r}")  # noqa: TRY004  it is in the file
    given_zone = raw.get("zone")
    return ColumnMap(
        found, _words(raw, "statuses"), _words(raw, "kinds"), zone(given_zone).key if given_zone else None,
        raw.get("shop") or None,
    )  # fmt: skip


def usual(known: Columns, header: Iterable[str]) -> ColumnMap:
    """The columns of a header that have usual names; a Chinese one is in China's time."""
    theirs = {folded(name): name for name in header}
    found: dict[str, tuple[str, ...]] = {}
    taken: set[str] = set()
    for column in known.known:
        name = next((theirs[one] for one in map(folded, (column.name, *column.usual)) if one in theirs), None)
        if name is not None and name not in taken:
            taken.add(name)
            found[column.name] = (name,)
    chinese = any(not name.isascii() for name in taken)
    return ColumnMap(found, zone="Asia/Shanghai" if chinese else None, guessed=True)


def are_usual(known: Columns, header: Iterable[str]) -> bool:
    """Whether a header tells by usual names that a table is of these columns: its key, a time and one more."""
    found = usual(known, header).columns
    return known.key in found and len(found) >= _FEWEST and any(name.endswith("_at") for name in found)


def lacking(known: Columns, given: ColumnMap, header: Iterable[str]) -> str | None:
    """Why a table with that header cannot be read by a map: one line; None where it can."""
    there = {folded(name): name for name in header}
    for column in known.known:
        if column.needed and not any(folded(name) in there for name in given.columns.get(column.name, ())):
            listed = ", ".join(list(there.values())[:_MOST_NAMED])
            sought = " or ".join(map(repr, given.columns.get(column.name, ())))
            what = f"no column {sought} for {column.name}" if sought else f"no column for {column.name} ({column.what})"
            return f"{what}; it has {listed}{'; --draft-map drafts a map' if given.guessed else ''}"
    return None


def _words(raw: Mapping[str, Any], name: str) -> dict[str, str]:
    given = raw.get(name, {})
    if not isinstance(given, dict) or not all(isinstance(to, str) for to in given.values()):
        raise ValueError(f"{name} is a table of their words and ours: [{name}]")
    return {words.strip().casefold(): to for words, to in given.items()}
