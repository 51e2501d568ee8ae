"""Finds a setting's line in a TOML file, which the parser does not tell."""

from __future__ import annotations

import re

_HEADER = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(r"""\s*((?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+))*)\s*=""")
_PART = re.compile(r""""([^"]*)"|'([^']*)'|([^.\s"']+)""")


class Lines:
    """The lines of tables and keys. A setting that is not found has the line of the nearest table around it."""

    def __init__(self, text: str) -> None:
        self._lines: dict[str, int] = {}
        counts: dict[str, int] = {}
        table = ""
        for number, line in enumerate(text.splitlines(), 1):
            if (header := _HEADER.match(line)) is not None:
                table = ".".join(_parts(header[2]))
                if header[1] == "[[":
                    counts[table] = counts.get(table, 0) + 1
                    table = f"{table}[{counts[table]}]"
                self._lines.setdefault(table, number)
            elif (key := _KEY.match(line)) is not None:
                name = ".".join(_parts(key[1]))
                self._lines.setdefault(f"{table}.{name}" if table else name, number)

    def of(self, setting: str) -> int | None:
        """The line of a setting (`routes[2].types`); None if nothing of it is there."""
        while setting:
            if setting in self._lines:
                return self._lines[setting]
            setting = setting.rpartition(".")[0]
        return None


def _parts(name: str) -> list[str]:
    return [first or second or third for first, second, third in _PART.findall(name)]
