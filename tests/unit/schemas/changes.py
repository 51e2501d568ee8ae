"""Compares two JSON Schemas: why a value of the one may not be a value of the other.

It knows the keywords that our schemas use, and calls a difference in any other one a problem. Members that only one
schema names are nothing: readers ignore what they do not know, and no producer has used a name before there was one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]

#: What says nothing of a value. `format` is one of them: readers need not check it, so a pattern stands beside it.
_NOTES = {
    "$schema", "$id", "$defs", "title", "description", "examples", "default", "discriminator", "format",
    "x-supersedes", "x-superseded-by",
}  # fmt: skip
_LEAST, _MOST = ("minimum", "minLength", "minItems"), ("maximum", "maxLength", "maxItems")
_KNOWN = {
    "type", "enum", "const", "anyOf", "pattern", "properties", "required", "additionalProperties", "items",
    *_LEAST, *_MOST,
}  # fmt: skip


def lost(old: Schema, new: Schema) -> list[str]:
    """Why something that was valid may not be any more: for inputs."""
    return sorted(set(_beyond(_Side(old), _Side(new), "")))


def unheard_of(old: Schema, new: Schema) -> list[str]:
    """Why a reader of the old schema may not understand what the new one allows: for outputs."""
    return lost(new, old)


class _Side:
    """A part of a whole schema, with its references followed."""

    def __init__(self, whole: Schema, part: Any = None) -> None:
        self.whole = whole
        part = whole if part is None else {} if part is True else part
        while isinstance(part, dict) and "$ref" in part:
            part = whole["$defs"][part["$ref"].removeprefix("#/$defs/")]
        self.part: Schema = (
            {name: value for name, value in part.items() if name not in _NOTES} if part is not True else {}
        )

    def at(self, part: Any) -> _Side:
        return _Side(self.whole, part)

    def __getitem__(self, keyword: str) -> Any:
        return self.part.get(keyword)

    def alternatives(self) -> list[_Side]:
        return [self.at(one) for one in self["anyOf"]] if "anyOf" in self.part else [self]

    def values(self) -> list[Any] | None:
        """The values that there are, where the schema lists them."""
        return [self["const"]] if "const" in self.part else self["enum"]

    def tag(self) -> Any:
        """What tells an event from others of its topic."""
        type_ = (self["properties"] or {}).get("type", {})
        return type_.get("const") or type_.get("enum")


def _beyond(inner: _Side, outer: _Side, at: str) -> Iterator[str]:
    """Why a value of `inner` may not be one of `outer`."""
    if "anyOf" in inner.part or "anyOf" in outer.part:
        for one in inner.alternatives():
            yield from _in_none(one, outer.alternatives(), at)
        return
    for keyword in sorted((inner.part.keys() | outer.part.keys()) - _KNOWN):
        if inner[keyword] != outer[keyword]:
            yield f"{at}: {keyword}"
    if outer["type"] is not None and not _types(inner) <= _types(outer):
        yield f"{at}: type"
    if outer.values() is not None and not (inner.values() is not None and set(inner.values()) <= set(outer.values())):
        yield f"{at}: values"
    if outer["pattern"] is not None and inner["pattern"] != outer["pattern"]:
        yield f"{at}: pattern"
    for keyword in _LEAST:
        if outer[keyword] is not None and (inner[keyword] is None or inner[keyword] < outer[keyword]):
            yield f"{at}: {keyword}"
    for keyword in _MOST:
        if outer[keyword] is not None and (inner[keyword] is None or inner[keyword] > outer[keyword]):
            yield f"{at}: {keyword}"
    yield from _members(inner, outer, at)
    if outer["items"] is not None:
        yield from _beyond(inner.at(inner["items"] or {}), outer.at(outer["items"]), f"{at}[]")


def _in_none(inner: _Side, candidates: list[_Side], at: str) -> Iterator[str]:
    """What keeps `inner` out of the candidate that is most like it, unless it is in one."""
    found = [list(_beyond(inner, candidate, at)) for candidate in candidates]
    if [] in found:
        return
    same = [problems for problems, candidate in zip(found, candidates, strict=True) if candidate.tag() == inner.tag()]
    if inner.tag() is not None and not same:
        yield f"{at}: no {inner.tag()[0]}"
        return
    yield from min(same or found, key=len)


def _types(side: _Side) -> set[str]:
    values = side.values()
    if side["type"] is None and values is not None:
        names = {str: "string", type(None): "null", bool: "boolean", int: "integer"}
        return {names[type(value)] for value in values}
    listed = side["type"] if isinstance(side["type"], list) else [side["type"] or "anything"]
    # Whole numbers are numbers.
    return {*listed, *(["integer"] if "number" in listed else [])}


def _members(inner: _Side, outer: _Side, at: str) -> Iterator[str]:
    for name in sorted(set(outer["required"] or ()) - set(inner["required"] or ())):
        yield f"{at}.{name}: required"
    named = inner["properties"] or {}
    more = outer["additionalProperties"]
    for name, value in named.items():
        if name in (outer["properties"] or {}):
            yield from _beyond(inner.at(value), outer.at(outer["properties"][name]), f"{at}.{name}")
        elif more is False:
            yield f"{at}.{name}: not allowed"
    if more is False and inner["additionalProperties"] is not False:
        yield f"{at}: closed"
    elif isinstance(more, dict):
        yield from _beyond(inner.at(inner["additionalProperties"] or {}), outer.at(more), f"{at}.*")
