"""Paths into the objects of a document; see `streams.adapt.formats.layout` for their form."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from streams.adapt.reading.search import folded, names_of
from streams.adapt.reading.xml import TEXT

Object = dict[str, Any]
UTC_PREFIX = "utc:"
_NOTHING = frozenset({"null", "none", "undefined", "nan", "n/a"})
_LONGEST_NOTHING = max(map(len, _NOTHING))


def text_of(value: object) -> str:
    """A field that should be text, or a number that stands for it; "" for anything else, and for "null"."""
    if isinstance(value, dict):
        value = value.get(TEXT)
    if isinstance(value, str):
        text = value.strip()
        return "" if len(text) <= _LONGEST_NOTHING and text.casefold() in _NOTHING else text
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return ""


def field_of(value: Any, name: str) -> Any:
    """The field of an object, whatever the spelling of its name; of two that say something the first."""
    if not isinstance(value, dict):
        return None
    if name in value and value[name] not in (None, ""):
        return value[name]
    names = names_of(value).get(folded(name), ())
    return next((held for key in names if (held := value[key]) not in (None, "")), None)


def value_at(value: Any, path: str) -> Any:
    for name in _steps(path):
        if isinstance(value, list):
            value = next((held for held in value if isinstance(held, dict)), None)
        value = field_of(value, name)
    return value


@lru_cache(maxsize=4_096)
def _steps(path: str) -> tuple[str, ...]:
    return tuple(name.removesuffix("[]") for name in path.split("."))


@lru_cache(maxsize=4_096)
def _joined(path: str) -> tuple[str, ...]:
    """The paths that one joins."""
    return tuple(path.removeprefix(UTC_PREFIX).split("+"))


def holds(value: Object, path: str) -> bool:
    return path in value or folded(path) in names_of(value)


def texts_at(value: Any, path: str) -> Iterator[str]:
    """Every text at a path, through lists."""
    if "." not in path and "[" not in path:
        text = text_of(field_of(value, path))
        if text:
            yield text
        return
    for _, held in walk(value, path.split("."), value, ""):
        text = text_of(held)
        if text:
            yield text


def walk(value: Any, names: list[str], root: Any, where: str) -> Iterator[tuple[str, Any]]:
    if not names:
        yield where, value
        return
    name, bracket, condition = names[0].partition("[")
    held = field_of(value, name)
    at = f"{where}.{name}" if where else name
    if not bracket:
        if held is not None:
            yield from walk(held, names[1:], root, at)
        return
    left, _, right = condition.removesuffix("]").replace("/", ".").partition("=")
    for index, entry in enumerate(held if isinstance(held, list) else [held]):
        if entry is not None and (not left or text_of(value_at(entry, left)) == text_of(value_at(root, right))):
            yield from walk(entry, names[1:], root, f"{at}[{index}]")


def first_text(value: Object, paths: tuple[str, ...]) -> str:
    for path in paths:
        parts = [text_of(value_at(value, part)) for part in _joined(path)]
        if all(parts):
            return " ".join(parts)
    return ""


def text_around(holders: tuple[Object, ...], paths: tuple[str, ...]) -> str:
    """What the nearest enclosing object says at a path that begins with `^`; "" where none does."""
    sought = [path.removeprefix("^") for path in paths if path.startswith("^")]
    return next((said for holder in holders for path in sought if (said := first_text(holder, (path,)))), "")


def codes_at(value: Object, paths: tuple[str, ...]) -> Iterator[str]:
    for path in paths:
        prefix, _, plain_path = path.rpartition(":")
        code = text_of(value_at(value, plain_path))
        if code:
            yield f"{prefix}:{code}" if prefix else code


def time_at(item: Object, paths: tuple[str, ...]) -> tuple[object, str]:
    """The first time that there is, with the path that gave it."""
    for path in paths:
        parts = [value_at(item, part) for part in _joined(path)]
        if len(parts) == 1:
            if isinstance(parts[0], str) and not text_of(parts[0]):
                continue
            if parts[0] is not None and not isinstance(parts[0], dict | list):
                return parts[0], path
        elif all(text_of(part) for part in parts):
            return " ".join(text_of(part) for part in parts), path
    return None, ""
