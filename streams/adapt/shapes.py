"""The shapes in which platforms give the scans of a parcel, each into the same rows.

A shape knows where the platform puts the tracking number, the carrier, the time, the codes and the words;
what they mean is in the tables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from streams.adapt.places import Place
from streams.adapt.reading import Found, objects

Object = dict[str, Any]


class Row(NamedTuple):
    """One scan as the platform tells it: `codes` finest first, `carriers` best first, perhaps no `number`."""

    where: str
    number: str
    carriers: tuple[str, ...]
    time: object
    codes: tuple[str, ...]
    text: str
    place: Place


class Parcel(NamedTuple):
    """A parcel that was found, before its rows, so that one without scans counts as read."""

    where: str


class Fault(NamedTuple):
    """A piece of a document that is no row, and why."""

    where: str
    what: str


Piece = Row | Parcel | Fault


@dataclass(frozen=True, slots=True)
class Shape:
    """How to find the rows of a document.

    `carrier` is that of a platform which is a carrier itself; `number_from_file` says that a file may be of
    one parcel without naming it, so that the file's name has to.
    """

    rows: Callable[[Found], Iterator[Piece]]
    carrier: str | None = None
    number_from_file: bool = False


def text_of(value: object) -> str:
    """A field that should be text, or a number that stands for it; "" for anything else."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return ""


def field_of(item: Object, *names: str) -> Any:
    """The first of `names` that says anything."""
    for name in names:
        if item.get(name) not in (None, ""):
            return item[name]
    return None


def texts_of(*values: object) -> tuple[str, ...]:
    """The fields that say anything, as text."""
    return tuple(text for text in map(text_of, values) if text)


def merged(first: Place, second: Place) -> Place:
    """What `first` says, and `second` where it says nothing."""
    return Place(first.facility or second.facility, first.region or second.region)


def entries(where: str, listed: list[Any]) -> Iterator[tuple[str, Object | None]]:
    """A list's entries, each with where it is; None for one that is no object."""
    for index, entry in enumerate(listed):
        yield f"{where}[{index}]", entry if isinstance(entry, dict) else None


def nested(
    document: Found,
    lists: tuple[str, ...],
    wanted: Callable[[Object], bool],
    row: Callable[[str, Object, Object], Row],
) -> Iterator[Piece]:
    """Parcels that hold their scans in the first non-empty of the fields `lists`."""

    def parcel(value: Object) -> bool:
        return wanted(value) and any(isinstance(value.get(name), list) for name in lists)

    for found in objects(document, parcel):
        yield Parcel(found.where)
        held = [name for name in lists if isinstance(found.value.get(name), list)]
        name = next((name for name in held if found.value[name]), held[0])
        at = f"{found.where}.{name}" if found.where else name
        for where, entry in entries(at, found.value[name]):
            yield Fault(where, "not an object") if entry is None else row(where, found.value, entry)
