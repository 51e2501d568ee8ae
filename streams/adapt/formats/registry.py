"""Which formats there are."""

from __future__ import annotations

from functools import cache
from importlib import resources
from importlib.metadata import entry_points

from streams.adapt.formats.format import Format, from_toml, packaged
from streams.adapt.formats.statuses import Statuses
from streams.adapt.olist import DERIVED, olist

GROUP = "parcelwatch.formats"
_OLIST = Format(
    "olist",
    "a folder of Olist's CSV files (.csv or .csv.gz)",
    "America/Sao_Paulo",
    lambda _document: iter(()),
    Statuses({}),
    details=DERIVED,
    read=olist,
)


class BrokenFormat(Exception):
    """A format of another package that cannot be loaded; the message says which and why."""


@cache
def _own() -> tuple[str, ...]:
    """The names of the formats that are described beside this module."""
    entries = sorted(entry.name for entry in resources.files(__package__).iterdir())
    return tuple(entry.removesuffix(".toml") for entry in entries if entry.endswith(".toml"))


def known() -> list[str]:
    """The names of all formats, without loading any."""
    return [*dict.fromkeys((_OLIST.name, *_own(), *sorted(entry_points(group=GROUP).names)))]


@cache
def _packaged(name: str) -> Format:
    return _OLIST if name == _OLIST.name else from_toml(name, packaged(name))


def find(name: str) -> Format | None:
    """The format of that name; None where there is none. BrokenFormat for one of another package that fails.

    A package cannot take the name of a format that comes with parcelwatch.
    """
    if name == _OLIST.name or name in _own():
        return _packaged(name)
    for entry in entry_points(group=GROUP, name=name):
        try:
            found = entry.load()
        except Exception as error:
            raise BrokenFormat(f"format {name} of {entry.value} cannot be loaded: {error}") from error
        if not isinstance(found, Format):
            raise BrokenFormat(f"format {name}: {entry.value} is no Format")
        return found
    return None


def formats() -> dict[str, Format]:
    """All formats by their names, as far as they can be loaded."""
    loaded: dict[str, Format] = {}
    for name in known():
        try:
            found = find(name)
        except BrokenFormat:
            continue
        if found is not None:
            loaded[name] = found
    return loaded
