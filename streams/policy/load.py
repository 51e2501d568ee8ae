"""Loads a policy: a profile by name, or a TOML or YAML file by path.

A file may extend a profile or another file (`extends = "..."`) and give only the differences; lists are replaced whole.
`[sources]` may name the rule behind a setting; it is displayed, and does not affect the policy's version.
"""

from __future__ import annotations

import os
import tomllib
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from schemas.did_you_mean import did_you_mean
from streams.policy import yaml_table
from streams.policy.estimates import BadModel, read_model
from streams.policy.model import Policy
from streams.policy.problems import Checked, check, is_setting, setting_meant

DEFAULT = "default"


class BadPolicy(Exception):
    """The policy is invalid; the text is one line that names the field and what is allowed."""


class Layer(NamedTuple):
    """The content of one profile or file, without what it extends.

    `label`: the profile's name or the file's path. `sources`: the rule behind a setting, by the setting's name or a
    prefix of it.
    """

    label: str
    content: dict[str, Any]
    sources: dict[str, str]


def profiles() -> list[str]:
    """The names of the built-in profiles."""
    folder = resources.files("streams.policy") / "profiles"
    return sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))


@cache
def default() -> Policy:
    """The default policy."""
    return load(DEFAULT)


def load(name_or_path: str) -> Policy:
    """The policy with this name or at this path. Raises BadPolicy with its first problem."""
    checked = _checked(merged(layers(name_or_path)))
    if checked.policy is None:
        raise BadPolicy(f"policy {name_or_path}: {checked.problems[0]}")
    return checked.policy


def problems(name_or_path: str) -> list[str]:
    """All problems of the policy, one line each; empty if `load` accepts it."""
    try:
        content = merged(layers(name_or_path))
    except BadPolicy as error:
        return [str(error)]
    return [f"policy {name_or_path}: {problem}" for problem in _checked(content).problems]


def _checked(content: dict[str, Any]) -> Checked:
    """The policy with the model that it names, or all problems."""
    checked = check(content, _default_content())
    policy = checked.policy
    if policy is None or policy.estimates.file is None:
        return checked
    try:
        estimates = msgspec.structs.replace(policy.estimates, model=read_model(policy.estimates.file))
    except BadModel as error:
        return Checked(None, [f"estimates.file: {error}"])
    return Checked(msgspec.structs.replace(policy, estimates=estimates), [])


def layers(name_or_path: str) -> list[Layer]:
    """The layers of a policy, base first and the policy itself last. Raises BadPolicy."""
    found: list[Layer] = []
    seen: list[str] = []
    at, label = name_or_path, f"policy {name_or_path}"
    while True:
        place = at if _profile(at) else _resolved(at, label)
        if place in seen:
            raise BadPolicy(f"{label}: must name another policy, not in a circle")
        seen.append(place)
        content = _read(at, label)
        parent = content.pop("extends", None)
        sources = content.pop("sources", {})
        if not isinstance(sources, dict) or not all(isinstance(one, str) for entry in sources.items() for one in entry):
            raise BadPolicy(f"policy {at}: sources: must be a table of texts, by setting")
        for name in sources:
            if not is_setting(name):
                raise BadPolicy(f"policy {at}: sources: {name!r} is no setting{setting_meant(name)}")
        if "topics" in content:
            raise BadPolicy(f"policy {at}: topics: names of topics are no policy; a file of their own: --topics FILE")
        _find_model(content, at)
        found.insert(0, Layer(at, content, sources))
        if parent is None:
            return found
        if not isinstance(parent, str):
            raise BadPolicy(f"policy {at}: extends: must name another policy: {_what_there_is()}, or a file")
        label = f"policy {at}: extends: {parent!r}"
        at = parent if _profile(parent) else str(Path(at).parent / parent)


def _find_model(content: dict[str, Any], at: str) -> None:
    """Makes the path of a model, which a file gives relative to itself, one from here."""
    estimates = content.get("estimates")
    if isinstance(estimates, dict) and isinstance(file := estimates.get("file"), str) and file:
        estimates["file"] = str(Path(at).parent / file)


def merged(found: list[Layer]) -> dict[str, Any]:
    """The merged content; later layers override earlier ones."""
    content: dict[str, Any] = {}
    for layer in found:
        content = _merged(content, layer.content)
    return content


def extending(name_or_path: str, file: Path) -> str:
    """How a policy at `file` names another that it extends: a profile by its name, a file by its path from there."""
    if _profile(name_or_path):
        return name_or_path
    return os.path.relpath(Path(name_or_path).resolve(), file.resolve().parent)


def _merged(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    result = dict(under)
    for key, value in over.items():
        if isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = _merged(result[key], value)
        else:
            result[key] = value
    return result


@cache
def _default_content() -> dict[str, Any]:
    return merged(layers(DEFAULT))


def _resolved(path: str, label: str) -> str:
    try:
        return str(Path(path).resolve())
    except (OSError, ValueError):
        # Not a possible file name: too long, or with a NUL.
        raise BadPolicy(f"{label}: {_neither(path)}") from None


def _what_there_is() -> str:
    return f"a profile ({', '.join(profiles())})"


def _neither(name: str) -> str:
    return f"neither {_what_there_is()} nor a file that is there{did_you_mean(Path(name).name, profiles())}"


def _profile(name: str) -> bool:
    return name in profiles()


def _read(name_or_path: str, label: str) -> dict[str, Any]:
    if _profile(name_or_path):
        profile = resources.files("streams.policy") / "profiles" / f"{name_or_path}.toml"
        return tomllib.loads(profile.read_text("utf-8"))
    path = Path(name_or_path)
    try:
        if not path.is_file():
            raise BadPolicy(f"{label}: {_neither(name_or_path)}")
        text = path.read_text("utf-8")
        content = yaml_table.read(text) if path.suffix in (".yaml", ".yml") else tomllib.loads(text)
    except OSError as error:
        raise BadPolicy(f"policy {name_or_path}: cannot be read: {error.strerror}") from None
    except RecursionError:
        raise BadPolicy(f"policy {name_or_path}: cannot be read: too many tables inside each other") from None
    except ValueError as error:
        raise BadPolicy(f"policy {name_or_path}: cannot be read: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict):
        raise BadPolicy(f"policy {name_or_path}: must be a table of settings")
    return content
