"""Reads the topics' names that a user gives one by one."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

#: The table of a file that holds them.
TABLE = "topics"
NEITHER = "neither NAME=TOPIC,... nor a file"


def read_names(text: str) -> dict[str, str]:
    """`NAME=TOPIC,...`, or the path of a TOML file with the table `[topics]`, as topics by the program's names.

    Raises `ValueError` with one line.
    """
    if not text.strip():
        raise ValueError(NEITHER)
    return _pairs(text) if "=" in text else _file(text)


def _pairs(text: str) -> dict[str, str]:
    names: dict[str, str] = {}
    for pair in text.split(","):
        name, equals, topic = (part.strip() for part in pair.partition("="))
        if not equals or not name:
            raise ValueError(NEITHER)
        if name in names:
            raise ValueError(f"{name} is named twice")
        names[name] = topic
    return names


def _file(path: str) -> dict[str, str]:
    try:
        content = tomllib.loads(Path(path).read_text("utf-8"))
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror}") from None
    except RecursionError:
        raise ValueError(f"{path}: cannot be read: too many tables inside each other") from None
    except ValueError as error:
        why = " ".join(str(error).split())
        raise ValueError(f'{path}: not TOML: {why}; a name with a dot stands in quotes: "orders.dlq"') from None
    table = content.pop(TABLE, None)
    if not isinstance(table, dict) or content:
        raise ValueError(f"{path}: needs the table [{TABLE}], and nothing else")
    return dict(_flat(table, "", path))


def _flat(table: dict[str, Any], before: str, path: str) -> list[tuple[str, str]]:
    """Without quotes, TOML takes `alerts.merchant` for a table in a table."""
    found = []
    for key, value in table.items():
        name = f"{before}{key}"
        if isinstance(value, dict):
            found += _flat(value, f"{name}.", path)
        elif isinstance(value, str):
            found.append((name, value))
        else:
            raise ValueError(f"{path}: {name}: a topic's name is a text")  # noqa: TRY004 - a user's mistake
    return found
