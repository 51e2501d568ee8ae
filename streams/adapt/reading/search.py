"""Objects inside a document, however wrapped, and why a platform gave none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

_DEEPEST = 24
"""Levels of wrapping that are searched."""
_REASONS = (
    *("reason", "errormsg", "errormessage", "errordescription", "submsg", "errmsg", "error", "errors", "fault"),
    *("message", "msg", "detail", "details", "title", "description", "faultstring", "errtext", "returnmessage"),
    *("apierrormsg", "resultmsg", "resultmessage", "remark", "info", "statusmessage", "longmessage", "code"),
)
"""Names of fields in which platforms give the reason of a refusal, the likeliest first."""
_CERTAIN = _REASONS.index("msg") + 1
_NO_REASONS = frozenset({"", "ok", "success", "successful", "成功", "操作成功", "null", "200", "true", "查询成功"})


class Found(NamedTuple):
    """A piece of a document, where it is (`line 3: data[0]`), and the name under which it was found."""

    where: str
    value: Any
    key: str = ""


def folded(name: str) -> str:
    """A field's name without case, `_`, `-` and spaces: platforms and their clients do not agree on them."""
    return name.casefold().replace("_", "").replace("-", "").replace(" ", "")


def objects(document: Found, wanted: Callable[[dict[str, Any]], bool]) -> Iterator[Found]:
    """The objects in a document that are `wanted`, in order, however wrapped; none inside another."""
    yield from _search(document.value, document.where, "", "", wanted, 0)


def _search(
    value: Any, at: str, path: str, key: str, wanted: Callable[[dict[str, Any]], bool], depth: int
) -> Iterator[Found]:
    if depth > _DEEPEST:
        return
    if isinstance(value, dict):
        if wanted(value):
            yield Found(": ".join(part for part in (at, path) if part), value, key)
            return
        for name, inner in value.items():
            yield from _search(inner, at, f"{path}.{name}" if path else name, name, wanted, depth + 1)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _search(inner, at, f"{path}[{index}]", key, wanted, depth + 1)


def reason(value: Any, *, parcel: bool = False, depth: int = 0) -> str | None:
    """Why a platform gave nothing, in its own words: the likeliest field of the outermost object that has one.

    Of a `parcel` without scans only the fields count that hold nothing else.
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
    return next((found for inner in value.values() if (found := reason(inner, parcel=parcel, depth=depth + 1))), None)
