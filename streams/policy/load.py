"""Reads a policy: a profile by its name, or a TOML or YAML file by its path.

A file may say `extends = "PROFILE"` and give only what differs; lists are replaced whole.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec
import yaml

from streams.policy.model import Policy, contradictions

DEFAULT = "default"


class BadPolicy(Exception):
    """A policy that is refused; the text is one line that names the field and what is allowed."""


def profiles() -> list[str]:
    """The names of the profiles that come with the product."""
    folder = resources.files("streams.policy") / "profiles"
    return sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))


@cache
def default() -> Policy:
    """The default policy."""
    return load(DEFAULT)


def load(name_or_path: str) -> Policy:
    """The policy of that name or at that path. Raises BadPolicy."""
    content = _extended(name_or_path, seen=())
    try:
        policy = msgspec.convert(content, Policy)
    except msgspec.ValidationError as error:
        raise BadPolicy(f"policy {name_or_path}: {_readable(str(error))}") from None
    for problem in contradictions(policy):
        raise BadPolicy(f"policy {name_or_path}: {problem}")
    return policy


def _extended(name_or_path: str, seen: tuple[str, ...]) -> dict[str, Any]:
    content = _read(name_or_path)
    parent = content.pop("extends", None)
    if parent is None:
        return content
    if not isinstance(parent, str) or parent in seen or parent == name_or_path:
        raise BadPolicy(f"policy {name_or_path}: extends: must name another policy, not in a circle")
    return _merged(_extended(parent, (*seen, name_or_path)), content)


def _merged(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    result = dict(under)
    for key, value in over.items():
        if isinstance(value, dict) and isinstance(result.get(key), dict) and key not in ("slow", "stalled"):
            result[key] = _merged(result[key], value)
        else:
            result[key] = value
    return result


def _read(name_or_path: str) -> dict[str, Any]:
    profile = resources.files("streams.policy") / "profiles" / f"{name_or_path}.toml"
    if "/" not in name_or_path and profile.is_file():
        return tomllib.loads(profile.read_text("utf-8"))
    path = Path(name_or_path)
    if not path.is_file():
        raise BadPolicy(f"policy {name_or_path}: neither a profile ({', '.join(profiles())}) nor a file that is there")
    try:
        text = path.read_text("utf-8")
        content = yaml.safe_load(text) if path.suffix in (".yaml", ".yml") else tomllib.loads(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, yaml.YAMLError) as error:
        raise BadPolicy(f"policy {name_or_path}: cannot be read: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict):
        raise BadPolicy(f"policy {name_or_path}: must be a table of settings")
    return content


def _readable(text: str) -> str:
    """`Expected `float` > 0.0 - at `$.orders.ship_by_hours`` as `orders.ship_by_hours: expected ...`."""
    what, at, where = text.partition(" - at ")
    field = where.strip("`").removeprefix("$").removeprefix(".")
    if what.startswith("Object contains unknown field "):
        name = what.removeprefix("Object contains unknown field ").strip("`")
        return f"{field + '.' if field else ''}{name}: there is no such setting"
    if what.startswith("Object missing required field "):
        name = what.removeprefix("Object missing required field ").strip("`")
        return f"{field + '.' if field else ''}{name}: missing"
    return f"{field}: {what[:1].lower()}{what[1:]}" if at and field else what
