"""Finds the problems in a policy's content: one line each, with the field, what is allowed, and the actual value."""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from datetime import date, time
from functools import cache
from typing import Any, NamedTuple

import msgspec
from msgspec import inspect

from schemas.did_you_mean import did_you_mean
from streams.policy.contradictions import contradictions
from streams.policy.model import Policy
from streams.policy.relief import in_utc

#: At most this many problems are reported.
MOST = 50

_PLACE = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]|(\[\.\.\.\])")
#: A field of a setting's name, and the row of it in brackets.
_NAMED = re.compile(r"([^.\[\]]+)(\[[^\]]*\])?(?:\.(?!$)|$)")
_UNITS = ("seconds", "minutes", "hours", "days")
#: What people look for in `[alerts]` of a policy.
_OF_THE_NOTIFIER = ("cooldown", "quiet_hours")
_Path = tuple[str | int, ...]


class Checked(NamedTuple):
    """The policy, or None where there are problems."""

    policy: Policy | None
    problems: list[str]


class _Found(NamedTuple):
    path: _Path
    line: str
    #: Whether the setting does not exist, as opposed to being wrong or missing.
    extra: bool


def check(content: dict[str, Any], filler: dict[str, Any]) -> Checked:
    """Checks complete content. `filler`: valid content, whose values replace bad ones to find further problems."""
    content = deepcopy(content)
    in_utc(content)
    problems: list[str] = []
    while len(problems) < MOST:
        try:
            policy = msgspec.convert(content, Policy)
        except msgspec.ValidationError as error:
            found = _read(str(error), content)
            problems.append(found.line)
            if not _repair(content, filler, found):
                return Checked(None, problems)
            continue
        # Replacement values could contradict others for no reason.
        problems = problems or contradictions(policy)
        return Checked(None if problems else policy, problems)
    return Checked(None, problems)


def shown(path: _Path) -> str:
    """`("shipments", "thresholds", 0, "slow")` as `shipments.thresholds[0].slow`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def is_setting(name: str) -> bool:
    """Whether there is a setting, or a table of settings, of that name (`help_rate.counted`).

    A row of a list is named in brackets, as `parcelwatch policy show` does.
    """
    path = _path_to(name)
    return path is not None and _type_at(path) is not None


def allowed(name: str) -> str:
    """What a setting may be, in words. Raises `KeyError` where there is none of that name."""
    path = _path_to(name)
    kind = None if path is None else _type_at(path)
    if path is None or kind is None:
        raise KeyError(name)
    return _allowed(kind, path)


def _path_to(name: str) -> _Path | None:
    path: list[str | int] = []
    at = 0
    while (found := _NAMED.match(name, at)) is not None:
        field, row = found.groups()
        path += [field, 0] if row else [field]
        at = found.end()
    return tuple(path) if at == len(name) else None


def setting_meant(name: str) -> str:
    """` (did you mean ...?)` for the part of a name at which it ceases to be a setting's, or nothing."""
    path: list[str | int] = []
    for field, row in _NAMED.findall(name):
        holder = _type_at(tuple(path))
        if holder is not None and _type_at((*path, field)) is None:
            return did_you_mean(field, _names(holder))
        path += [field, 0] if row else [field]
    return ""


def _read(error: str, content: dict[str, Any]) -> _Found:
    """`Expected `float` > 0.0 - at `$.orders.ship_by_hours`` as a path and a line."""
    what, _, where = error.partition(" - at ")
    of_key = where.startswith("`key` in ")
    path = _path_of(where.removeprefix("`key` in ").strip("`").removeprefix("$"), content)
    for start, line, extra in (
        ("Object contains unknown field ", "there is no such setting{}; allowed: {}", True),
        ("Object missing required field ", "missing", False),
    ):
        if what.startswith(start):
            name = what.removeprefix(start).strip("`")
            struct = _type_at(path)
            names = _names(struct) if struct is not None else []
            line = line.format(did_you_mean(name, names), ", ".join(names))
            if extra and (of_notifier := _of_the_notifier((*path, name), content)):
                line = f"not a matter of rules: set {of_notifier} in the file of `parcelwatch notify`"
            return _Found((*path, name), f"{shown((*path, name))}: {line}", extra)
    if of_key:
        empty = next((key for key in _value_at(content, path) or {} if not isinstance(key, str) or not key), "")
        line = f"{shown(path) or 'policy'}: a name must be text that is not empty, got {_told(empty)}"
        return _Found((*path, empty), line, True)
    wanted = _type_at(path)
    if wanted is not None and _is_loaded(wanted):
        names = _names(_type_at(path[:-1]) or wanted)
        return _Found(path, f"{shown(path)}: there is no such setting; allowed: {', '.join(names)}", True)
    allowed = what[:1].lower() + what[1:] if wanted is None else f"expected {_allowed(wanted, path)}"
    got = _value_at(content, path)
    meant = did_you_mean(got, _literals(wanted)) if isinstance(got, str) else ""
    return _Found(path, f"{shown(path) or 'policy'}: {allowed}, got {_told(got)}{meant}", False)


def _of_the_notifier(path: _Path, content: dict[str, Any]) -> str:
    """Which settings of the notifier stand in a place that no setting of a policy has."""
    if path != ("alerts",) or not isinstance(content["alerts"], dict):
        return ""
    return " and ".join(name for name in _OF_THE_NOTIFIER if name in content["alerts"])


def _path_of(text: str, content: dict[str, Any]) -> _Path:
    path: list[str | int] = []
    for name, number, unnamed in _PLACE.findall(text):
        if unnamed:
            # An entry of a table with user-defined names: the error does not say which.
            path.append(_offender(content, tuple(path)))
        else:
            path.append(name or int(number))
    return tuple(path)


def _offender(content: dict[str, Any], path: _Path) -> str:
    entries = _value_at(content, path)
    for name, value in entries.items():
        trial = deepcopy(content)
        holder = _value_at(trial, path)
        holder.clear()
        holder[name] = value
        try:
            msgspec.convert(trial, Policy)
        except msgspec.ValidationError as error:
            if "[...]" in str(error):
                return str(name)
    return "..."


def _value_at(content: Any, path: _Path) -> Any:
    for part in path:
        try:
            content = content[part]
        except (KeyError, IndexError, TypeError):
            return None
    return content


def _repair(content: dict[str, Any], filler: dict[str, Any], found: _Found) -> bool:
    holder = _value_at(content, found.path[:-1])
    if not found.path or not isinstance(holder, dict | list):
        return False
    last: Any = found.path[-1]
    if found.extra:
        del holder[last]
        return True
    good = _value_at(filler, found.path)
    of_users = isinstance(_type_at(found.path[:-1]), inspect.DictType)
    if good is None and (of_users or (isinstance(holder, list) and len(holder) > 1)):
        del holder[last]
        return True
    if good is None or good == _value_at(content, found.path):
        return False
    holder[last] = deepcopy(good)
    return True


# -- what is allowed, in words


def _type_at(path: _Path) -> inspect.Type | None:
    kind = _policy_type()
    for part in path:
        step = next(_steps(kind, part), None)
        if step is None:
            return None
        kind = step
    return kind


@cache
def _policy_type() -> inspect.Type:
    # It is asked for once for each setting that a profile names the source of.
    return inspect.type_info(Policy)


def _steps(kind: inspect.Type, part: str | int) -> Iterator[inspect.Type]:
    match kind:
        case inspect.StructType(fields=fields):
            yield from (field.type for field in fields if field.encode_name == part)
        case inspect.VarTupleType(item_type=item):
            yield item
        case inspect.DictType(value_type=value):
            yield value
        case inspect.UnionType(types=types):
            for one in types:
                yield from _steps(one, part)


def _names(kind: inspect.Type) -> list[str]:
    match kind:
        case inspect.StructType(fields=fields):
            return [field.encode_name for field in fields if not _is_loaded(field.type)]
        case inspect.UnionType(types=types):
            return [name for one in types for name in _names(one)]
    return []


def _literals(kind: inspect.Type | None) -> list[str]:
    return list(map(str, kind.values)) if isinstance(kind, inspect.LiteralType) else []


def _is_loaded(kind: inspect.Type) -> bool:
    """Whether it is no value that a file can hold, but one that is made of others when a policy is loaded."""
    match kind:
        case inspect.UnionType(types=types):
            return any(map(_is_loaded, types))
    return isinstance(kind, inspect.CustomType)


def _allowed(kind: inspect.Type, path: _Path) -> str:
    match kind:
        case inspect.UnionType(types=types):
            return ", or ".join(_allowed(one, path) for one in types if not isinstance(one, inspect.NoneType))
        case inspect.StructType():
            return f"a table of {', '.join(_names(kind))}"
        case inspect.DictType(value_type=value):
            return f"a table in which each name has {_allowed(value, path)}"
        case inspect.VarTupleType(item_type=item, min_length=least):
            return f"a list{' that is not empty' if least else ''}, of {_allowed(item, path)}"
        case inspect.LiteralType(values=values):
            return f"one of {', '.join(map(str, values))}"
        case inspect.BoolType():
            return "true or false"
        case inspect.StrType(pattern=None, min_length=least):
            return f"text{' that is not empty' if least else ''}"
        case inspect.StrType():
            return "a time of day from 00:00 to 24:00"
        case inspect.IntType() | inspect.FloatType():
            name = next((str(part) for part in reversed(path) if isinstance(part, str)), "")
            units = [part for part in path if str(part).rpartition("_")[2] in _UNITS]
            unit = f" of {str(units[-1]).rpartition('_')[2]}" if units else ""
            unit = " of percent" if name.endswith("_percent") else unit
            return f"a {'whole ' if isinstance(kind, inspect.IntType) else ''}number{unit}{_bounds(kind)}"
    return "another kind of value"


def _bounds(kind: inspect.IntType | inspect.FloatType) -> str:
    words = (("greater than", kind.gt), ("at least", kind.ge), ("less than", kind.lt), ("at most", kind.le))
    return "".join(
        f"{' and' if number else ''} {word} {limit:,.15g}"
        for number, (word, limit) in enumerate((word, limit) for word, limit in words if limit is not None)
    )


def _told(value: Any) -> str:
    """A value as the user wrote it, shortened to one line."""
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        text = repr(value) if len(value) <= 40 else repr(value[:40]) + "..."
        return f"{text} (a number has no unit of its own)" if re.fullmatch(r"[\d.]+ *[a-zA-Z%]+", value) else text
    if isinstance(value, date | time):
        return f"{value} (a text stands in quotes)"
    text = " ".join(str(value).split()) if not isinstance(value, int) or abs(value) < 10**20 else "a huge number"
    return text[:60]
