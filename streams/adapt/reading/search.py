"""Objects inside a document, however wrapped, and why a platform gave none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

_DEEPEST = 24
"""Levels of wrapping that are searched."""
_USUAL_NAME, _USUAL_FIELDS, _USUAL_LENGTH = 100, 80, 2_000
"""Characters of a name, fields of an object and characters of all their names, up to which these are remembered."""
_NAMED = 12
"""How many names of fields a message lists."""
_REASONS = (
    *("reason", "errormsg", "errormessage", "errordescription", "submsg", "errmsg", "error", "errors", "fault"),
    *("message", "msg", "detail", "details", "title", "description", "faultstring", "errtext", "returnmessage"),
    *("apierrormsg", "resultmsg", "resultmessage", "remark", "info", "statusmessage", "longmessage", "code"),
)
"""Names of fields in which platforms give the reason of a refusal, the likeliest first."""
_CERTAIN = _REASONS.index("msg") + 1
_NO_REASONS = frozenset({"", "ok", "success", "successful", "成功", "操作成功", "null", "200", "true", "查询成功"})


class Found(NamedTuple):
    """A piece of a document, where it is (`line 3: data[0]`), and the name under which it was found.

    `holders` are the objects that enclose it, the nearest first.
    """

    where: str
    value: Any
    key: str = ""
    holders: tuple[dict[str, Any], ...] = ()


def folded(name: str) -> str:
    """A field's name without case, `_`, `-` and spaces: platforms and their clients do not agree on them."""
    return _folded(name) if len(name) <= _USUAL_NAME else _folded.__wrapped__(name)


@lru_cache(maxsize=4_096)
def _folded(name: str) -> str:
    return name.casefold().replace("_", "").replace("-", "").replace(" ", "")


def names_of(value: Mapping[str, Any]) -> Mapping[str, Sequence[str]]:
    """The names of an object's fields by their `folded` ones, each in its order."""
    names = tuple(value)
    # Platforms send objects of a few kinds. What others send must not fill the memory.
    known = len(names) <= _USUAL_FIELDS and sum(map(len, names)) <= _USUAL_LENGTH
    return _by_folded(names) if known else _by_folded.__wrapped__(names)


@lru_cache(maxsize=1_024)
def _by_folded(names: tuple[str, ...]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(folded(name), []).append(name)
    return found


def objects(document: Found, wanted: Callable[[dict[str, Any]], bool]) -> Iterator[Found]:
    """The objects in a document that are `wanted`, in order, however wrapped; none inside another."""
    yield from _search(document.value, document.where, "", "", wanted, ())


def _search(
    value: Any,
    at: str,
    path: str,
    key: str,
    wanted: Callable[[dict[str, Any]], bool],
    holders: tuple[dict[str, Any], ...],
    depth: int = 0,
) -> Iterator[Found]:
    if depth > _DEEPEST:
        return
    if isinstance(value, dict):
        if wanted(value):
            yield Found(": ".join(part for part in (at, path) if part), value, key, holders)
            return
        for name, inner in value.items():
            inside = (value, *holders)
            yield from _search(inner, at, f"{path}.{name}" if path else name, name, wanted, inside, depth + 1)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _search(inner, at, f"{path}[{index}]", key, wanted, holders, depth + 1)


def lists_in(document: Found) -> str:
    """The end of a message: a document's deepest list of objects, and the names in it; "" where it has none."""
    found = list(_lists(document.value))
    if not found:
        return ""
    where, names = max(found, key=lambda entry: entry[0].count("."))
    return f"; it has {where} with {', '.join(names[:_NAMED])}"


def _lists(value: Any, path: str = "", depth: int = 0) -> Iterator[tuple[str, list[str]]]:
    """The paths of the lists of objects in a value, each with the names that its first object has."""
    if depth > _DEEPEST:
        return
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _lists(inner, f"{path}.{name}" if path else name, depth + 1)
    elif isinstance(value, list):
        first = next((inner for inner in value if isinstance(inner, dict)), None)
        if first is not None:
            yield f"{path}[]", list(first)
        yield from _lists(first, f"{path}[]", depth + 1)


def reason(value: Any, *, parcel: bool = False, depth: int = 0) -> str | None:
    """Why a platform gave nothing, in its own words: the likeliest field of the outermost object that has one.

    Of a `parcel` without scans only the fields count that hold nothing else. A list of several objects that are no
    errors is data, of which no word is a reason.
    """
    if depth > _DEEPEST:
        return None
    if isinstance(value, list):
        return next((found for inner in value if (found := reason(inner, parcel=parcel, depth=depth + 1))), None)
    if not isinstance(value, dict):
        return None
    fields = {folded(name): inner for name, inner in value.items()}
    for name in _REASONS[:_CERTAIN] if parcel else _REASONS:
        said = fields.get(name)
        if isinstance(said, str) and any(map(str.isalpha, said)) and said.strip().casefold() not in _NO_REASONS:
            return " ".join(said.split())
    inner = (held for name, held in fields.items() if parcel or not _is_data(name, held))
    return next((found for held in inner if (found := reason(held, parcel=parcel, depth=depth + 1))), None)


def _is_data(name: str, held: Any) -> bool:
    """Whether a field is a list of several objects that are no errors: their words are data, and no reason."""
    several = isinstance(held, list) and sum(isinstance(entry, dict) for entry in held) > 1
    return several and not any(word in name for word in ("error", "fault", "message", "notification", "warning"))
