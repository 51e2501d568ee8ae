"""Which formats there are."""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoints, entry_points
from pathlib import Path

from streams.adapt.formats.format import Format, from_toml, packaged, packaged_names
from streams.adapt.formats.statuses import Statuses
from streams.adapt.olist import DERIVED, olist

GROUP = "parcelwatch.formats"
ANY = "any"
"""The format of whatever has the usual names of fields."""
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
    """A format of another package, or of a file, that cannot be loaded; the message says which and why."""


def known() -> list[str]:
    """The names of all formats, without loading any."""
    return [*dict.fromkeys((_OLIST.name, *packaged_names(), *sorted(_of_others().names)))]


@cache
def _of_others() -> EntryPoints:
    """The formats of other packages. To look for them takes longer than to read a push."""
    return entry_points(group=GROUP)


@cache
def _packaged(name: str) -> Format:
    return _OLIST if name == _OLIST.name else from_toml(name, packaged(name))


def find(name: str) -> Format | None:
    """The format of that name; None where there is none. BrokenFormat for one of another package that fails.

    A name that ends in `.toml` is the path of a file that describes a format. A package cannot take the name of a
    format that comes with parcelwatch.
    """
    if name.endswith(".toml"):
        return _described(Path(name))
    if name == _OLIST.name or name in packaged_names():
        return _packaged(name)
    for entry in _of_others().select(name=name):
        try:
            found = entry.load()
        except Exception as error:
            raise BrokenFormat(f"format {name} of {entry.value} cannot be loaded: {error}") from error
        if not isinstance(found, Format):
            raise BrokenFormat(f"format {name}: {entry.value} is no Format")
        return found
    return None


def _described(path: Path) -> Format:
    try:
        return from_toml(path.stem, path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BrokenFormat(f"{path}: cannot be read: {error.strerror or error}") from error
    except (ValueError, TypeError) as error:
        raise BrokenFormat(f"{path}: {error}") from error


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
