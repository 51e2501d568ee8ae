"""Reads a notifier's file: TOML, in which secrets are named by environment variables, as `${NAME}`."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from streams.notify.lines import Lines
from streams.notify.settings import Settings
from streams.notify.table_reader import Mistakes
from streams.notify.tables import read_channels, read_routes, read_settings

#: The longest list of mistakes.
_MOST = 50


class BadFileError(ValueError):
    """A user's mistake. `mistakes`: one line each, with the file, the line in it and the setting."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__(mistakes[0] + (f" (and {len(mistakes) - 1} more)" if len(mistakes) > 1 else ""))
        self.mistakes = mistakes


def load(path: str | Path, environment: Mapping[str, str] | None = os.environ) -> Settings:
    """The settings of a file. Raises `BadFileError` with all of its mistakes; none quotes a secret.

    Without an environment the secrets are left out: nothing can be sent.
    """
    try:
        text = Path(path).read_text("utf-8")
        table = tomllib.loads(text)
    except OSError as error:
        raise BadFileError([f"{path}: cannot be read: {error.strerror}"]) from None
    except RecursionError:
        raise BadFileError([f"{path}: cannot be read: too many tables inside each other"]) from None
    except ValueError as error:
        raise BadFileError([f"{path}: not TOML: {' '.join(str(error).split())}"]) from None
    mistakes = Mistakes()
    settings = _checked(table, environment, mistakes)
    if settings is None:
        lines = Lines(text)
        found = sorted((lines.of(setting) or 0, setting, why) for setting, why in mistakes.found)
        told = [f"{path}:{line}: {setting}: {why}" if line else f"{path}: {setting}: {why}"
                for line, setting, why in found[:_MOST]]  # fmt: skip
        raise BadFileError(told)
    return settings


def _checked(table: dict[str, Any], environment: Mapping[str, str] | None, mistakes: Mistakes) -> Settings | None:
    channels = read_channels(table.pop("channels", None), environment, mistakes)
    routes = read_routes(table.pop("routes", None), channels.keys(), mistakes)
    rest = read_settings(table, mistakes)
    if mistakes.found:
        return None
    return Settings(channels=channels, routes=tuple(routes), **rest)
