"""A policy's settings, each with its value, its origin, and the rule behind it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from streams.policy.estimates import plain
from streams.policy.load import Layer, layers, load
from streams.policy.model import Policy

#: The origin of a default that no profile or file sets.
NOBODY = "built in"
_Path = tuple[str | int, ...]
#: Longer lists are abbreviated.
_SHORT = 48


class Setting(NamedTuple):
    """One setting. `set_by`: a profile's name, a file's path or `NOBODY`; `rule`: the rule behind it, if given."""

    name: str
    value: Any
    set_by: str
    rule: str | None


class Difference(NamedTuple):
    """A setting in which two policies differ; None if one lacks it."""

    name: str
    first: Any
    second: Any


def settings(name_or_path: str) -> tuple[Policy, list[Setting]]:
    """The policy and all its settings, in model order. Raises BadPolicy."""
    policy = load(name_or_path)
    made_of = layers(name_or_path)
    return policy, [Setting(name, value, *_origin(name, path, made_of)) for name, path, value in _walk(policy)]


def differences(first: Policy, second: Policy) -> list[Difference]:
    """The settings that differ, in the order of the first policy, followed by those that only the second has."""
    one, two = _values(first), _values(second)
    _spread(one, two)
    _spread(two, one)
    names = dict.fromkeys((*one, *two))
    # Where a model lies is no difference: what it holds is one.
    names.pop("estimates.file", None)
    return [Difference(name, one.get(name), two.get(name)) for name in names if one.get(name) != two.get(name)]


def told(value: Any) -> str:
    """A value as written in a file, `-` where there is none; long lists are abbreviated."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.15g}"
    if isinstance(value, list):
        nested = any(isinstance(one, list) for one in value)
        text = "; ".join(", ".join(one) for one in value) if nested else ", ".join(map(str, value))
        return text if len(text) <= _SHORT else f"{len(value)} entries: {text[: _SHORT - 12]}..."
    return "none" if value == {} else str(value)


def _values(policy: Policy) -> dict[str, Any]:
    return {name: value for name, _, value in _walk(policy)}


def _spread(of: dict[str, Any], beside: Mapping[str, Any]) -> None:
    """Expands hours for all tiers to one entry per tier if the other policy has different hours per tier."""
    for name in [name for name in of if name.endswith(".hours")]:
        tiers = [other for other in beside if other.startswith(f"{name}.")]
        if tiers:
            value = of.pop(name)
            of.update(dict.fromkeys(tiers, value))


def _walk(policy: Policy) -> list[tuple[str, _Path, Any]]:
    """(name, path in the files, value) of every setting. Rows of a list have names, and their order is a setting."""
    found: list[tuple[str, _Path, Any]] = []
    rows: dict[_Path, list[str]] = {
        ("periods",): [period.name for period in policy.periods],
        ("shipments", "thresholds"): [row_name(row.carrier, row.period) for row in policy.shipments.thresholds],
        ("shipments", "relief"): [span.name for span in policy.shipments.relief],
    }

    def walk(name: str, path: _Path, value: Any) -> None:
        if isinstance(value, dict) and value:
            for key, inner in value.items():
                walk(f"{name}.{key}" if name else key, (*path, key), inner)
        elif path in rows:
            found.append((name, path, rows[path]))
            for number, (row, inner) in enumerate(zip(rows[path], value, strict=True)):
                # The fields that name the row are not settings.
                kept = {key: one for key, one in inner.items() if key not in ("name", "carrier", "period")}
                walk(f"{name}[{row}]", (*path, number), kept)
        elif value is not None:
            # A model is set by whoever names its file.
            found.append((name, ("estimates", "file") if path == ("estimates", "model") else path, value))

    # As JSON has it: lists, no tuples.
    walk("", (), msgspec.json.decode(msgspec.json.encode(policy, enc_hook=plain)))
    return found


def row_name(carrier: str | None, period: str | None) -> str:
    """How a row of `shipments.thresholds` is named among settings: `carrier zto`, or `others`."""
    parts = {"carrier": carrier, "period": period}
    return ", ".join(f"{what} {name}" for what, name in parts.items() if name is not None) or "others"


def _origin(name: str, path: _Path, made_of: list[Layer]) -> tuple[str, str | None]:
    """The layer that set it, and the rule behind it according to that layer."""
    for layer in reversed(made_of):
        content: Any = layer.content
        in_list = False
        for part in path:
            if isinstance(content, list):
                in_list = True
            elif not isinstance(content, dict) or part not in content:
                break
            content = content[part]
        else:
            return layer.label, _rule(layer.sources, name, path)
        if in_list:
            # Lists are replaced whole: earlier layers do not fill in what this one leaves out.
            break
    return NOBODY, None


def _rule(sources: Mapping[str, str], name: str, path: _Path) -> str | None:
    """The rule for the setting itself, by its name with the row's, else for the longest matching prefix of its path."""
    if name in sources:
        return sources[name]
    plain = [str(part) for part in path if isinstance(part, str)]
    beginnings = (".".join(plain[:length]) for length in range(len(plain), 0, -1))
    return next((sources[name] for name in beginnings if name in sources), None)
