"""The senders' secrets: from the environment, or from files. Never from the command line, which others can see."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

#: What the variables begin with; the format's name follows, in capitals, with `_` for whatever is no letter or digit.
PREFIX = "PARCELWATCH_INGEST_SECRET_"
#: How many may be valid at once: the present one and the one that it replaces, or that replaces it.
_MOST = 2


class BadSecret(Exception):
    """Secrets that cannot be used; the message is one line, and holds none."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """By the name of the format, as the variables have it. `source`: where each came from, for messages."""

    known: Mapping[str, tuple[bytes, ...]] = field(repr=False)
    source: Mapping[str, str]

    def of(self, format_name: str) -> tuple[bytes, ...]:
        """Those of a format; empty where there are none."""
        return self.known.get(variable_part(format_name), ())


def variable_part(format_name: str) -> str:
    """A format's name as the end of a variable's: `sf-route` as SF_ROUTE."""
    return re.sub(r"[^A-Z0-9]", "_", format_name.upper())


def read_secrets(environment: Mapping[str, str], folder: Path | None) -> Secrets:
    """The secrets of all formats: of a format's variable, or its file in `folder`, one or two with space between.

    Hidden files are passed over: Kubernetes has some where it mounts a Secret. Raises `BadSecret`.
    """
    known: dict[str, tuple[bytes, ...]] = {}
    source: dict[str, str] = {}

    def add(name: str, text: bytes, where: str) -> None:
        if name in known:
            raise BadSecret(f"{where}: {source[name]} is for the same format")
        secrets = tuple(text.split())
        if not 0 < len(secrets) <= _MOST:
            raise BadSecret(f"{where}: needs one secret, or two with space between them, and has {len(secrets)}")
        known[name], source[name] = secrets, where

    for variable, text in sorted(environment.items()):
        if variable.startswith(PREFIX):
            add(variable.removeprefix(PREFIX), text.encode("utf-8", "surrogateescape"), variable)
    if folder is not None:
        try:
            files = sorted(path for path in folder.iterdir() if not path.name.startswith(".") and path.is_file())
            for path in files:
                add(variable_part(path.name), path.read_bytes(), str(path))
        except OSError as error:
            raise BadSecret(f"{error.filename or folder}: cannot be read: {error.strerror or error}") from None
    return Secrets(known, source)
