"""Where things are in a record of a platform: its own paths, and what an entry says at them.

A path is names joined by `.`, which match whatever their case, `_` and `-`; `.` alone is the entry itself. `^a` is the
`a` of the nearest object around the entry that says one; `a+b` joins what both say; `utc:a` is a time in UTC. The path
of entries goes through lists by `name[]` (one object counts as a list of one), and `name[a='b']` keeps those whose `a`
is b.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from streams.adapt.reading.paths import UTC_PREFIX, field_of, text_of, value_at

Object = dict[str, Any]
_PART = re.compile(r"(?P<name>[^\[\]]+)(?P<list>\[(?:(?P<left>[^=\]]+)='(?P<right>[^']*)')?\])?")
_ZERO = re.compile(r"[0:./T\s-]*")
"""How platforms write that there is no time: 0, 0000-00-00 00:00:00."""


class Entry(NamedTuple):
    """A value, where it is (`data[0]`), and the objects around it, the nearest first."""

    where: str
    value: Any
    holders: tuple[Object, ...] = ()


def said(value: object) -> str:
    """A value as text: a boolean is true or false, what is no text or number says nothing."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return text_of(value)


def checked(path: str) -> str:
    """`path`, where it is the path of entries; else ValueError."""
    if path != "." and not all(_PART.fullmatch(part) for part in path.split(".")):
        raise ValueError(f"{path!r} is no path of entries: names joined by ., name[] goes through a list")
    return path


def entries(entry: Entry, paths: tuple[str, ...]) -> list[Entry]:
    """The entries at the first of `paths` that has any; without paths the entry itself."""
    if not paths:
        return [entry]
    return next((found for path in paths if (found := list(_walk(entry, path)))), [])


def _walk(entry: Entry, path: str) -> Iterator[Entry]:
    if path == ".":
        yield entry
        return
    first, _, rest = path.partition(".")
    part = _PART.fullmatch(first)
    if part is None or not isinstance(entry.value, dict):
        return
    held = field_of(entry.value, part["name"])
    if held is None:
        return
    at = f"{entry.where}.{part['name']}" if entry.where else part["name"]
    holders = (entry.value, *entry.holders)
    if part["list"] is None:
        yield from _walk(Entry(at, held, holders), rest or ".")
        return
    for index, inner in enumerate(held if isinstance(held, list) else [held]):
        if inner is not None and (not part["left"] or said(value_at(inner, part["left"])) == part["right"]):
            yield from _walk(Entry(f"{at}[{index}]", inner, holders), rest or ".")


def held_at(entry: Entry, path: str) -> Any:
    """What an entry holds at a path, whatever it is; None where it holds nothing."""
    if path == ".":
        return entry.value
    if path.startswith("^"):
        around = (value_at(holder, path.removeprefix("^")) for holder in entry.holders)
        return next((held for held in around if held not in (None, "")), None)
    return value_at(entry.value, path)


def texts(entry: Entry, paths: tuple[str, ...]) -> Iterator[str]:
    """What an entry says at each of the paths that say anything."""
    for path in paths:
        parts = [said(held_at(entry, part)) for part in path.removeprefix(UTC_PREFIX).split("+")]
        if all(parts):
            yield " ".join(parts)


def text(entry: Entry, paths: tuple[str, ...]) -> str:
    """What an entry says at the first of the paths that say anything; "" where none does."""
    return next(texts(entry, paths), "")


def time(entry: Entry, paths: tuple[str, ...]) -> tuple[object, bool]:
    """The first time that there is, as it is written, and whether it is in UTC; None where there is none."""
    for path in paths:
        plain = path.removeprefix(UTC_PREFIX)
        value = held_at(entry, plain) if "+" not in plain else text(entry, (plain,))
        if isinstance(value, dict | list | bool) or value is None:
            continue
        if not (isinstance(value, str | int | float) and (value == 0 or _ZERO.fullmatch(text_of(value)))):
            return value, path.startswith(UTC_PREFIX)
    return None, False
