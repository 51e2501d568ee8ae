"""Reads one table of a notifier's file, and keeps all that is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Collection
from difflib import get_close_matches
from typing import Any
from zoneinfo import available_timezones

from schemas.times import DAY, HOUR, MINUTE, SECOND

_SPAN = re.compile(r"(\d{1,6})\s*(s|m|h|d)")
_UNITS = {"s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY}
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


class Mistakes:
    """What is wrong, by setting."""

    def __init__(self) -> None:
        self.found: list[tuple[str, str]] = []

    def add(self, setting: str, why: str) -> None:
        self.found.append((setting, why))


class TableReader:
    """One table: each setting is taken once; what is left at the end is none."""

    def __init__(self, content: Any, place: str, mistakes: Mistakes) -> None:
        self.place = place
        self._mistakes = mistakes
        self._content: dict[str, Any] = content if isinstance(content, dict) else {}
        self._known: list[str] = []
        if not isinstance(content, dict):
            mistakes.add(place, "must be a table")

    def __contains__(self, name: str) -> bool:
        return name in self._content

    def wrong(self, name: str, why: str) -> None:
        self._mistakes.add(self._at(name), why)

    def any(self, name: str, default: Any = None) -> Any:
        self._known.append(name)
        return self._content.get(name, default)

    def text(self, name: str) -> str | None:
        value = self.any(name)
        if value is not None and not isinstance(value, str):
            self.wrong(name, "must be a text")
            return None
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        value = self.any(name, [])
        if isinstance(value, str):
            return (value,)
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            self.wrong(name, "must be a list of texts")
            return ()
        return tuple(value)

    def one_of(self, name: str, allowed: Collection[str], default: str | None = None) -> str | None:
        value = self.text(name)
        if value is not None and value not in allowed:
            self.wrong(name, f"is one of {', '.join(allowed)}, not {value}")
            return default
        return default if value is None else value

    def some_of(self, name: str, allowed: Collection[str]) -> frozenset[str]:
        values = self.texts(name)
        for value in values:
            if value not in allowed:
                self.wrong(name, f"has {value}; there are {', '.join(allowed)}")
        return frozenset(values)

    def flag(self, name: str, default: bool) -> bool:
        value = self.any(name, default)
        if not isinstance(value, bool):
            self.wrong(name, "is true or false")
            return default
        return value

    def span(self, name: str, default: int, least: int = 0) -> int:
        text = self.text(name)
        if text is None:
            return default
        found = _SPAN.fullmatch(text.strip())
        if found is None:
            self.wrong(name, f'is a number and s, m, h or d ("90s", "12h"), not "{text}"')
            return default
        value = int(found[1]) * _UNITS[found[2]]
        if value < least:
            self.wrong(name, f'is at least {least // SECOND}s, not "{text}"')
        return value

    def zone(self, name: str) -> str | None:
        text = self.text(name)
        if text is None:
            return None
        if text not in available_timezones():
            near = get_close_matches(text, available_timezones(), 1, 0.8)
            self.wrong(name, f"there is no time zone {text}" + (f"; did you mean {near[0]}?" if near else ""))
            return None
        return text

    def clock(self, name: str) -> int | None:
        """A time of day, in minutes."""
        text = self.text(name)
        if text is None:
            self.wrong(name, 'is missing: a time of day, as "22:00"')
            return None
        if (found := minutes(text)) is None:
            self.wrong(name, f'is a time of day, as "22:00", not "{text}"')
        return found

    def end(self) -> None:
        """What nobody has asked for is a mistake."""
        for name in self._content:
            if name not in self._known:
                near = get_close_matches(name, self._known, 1, 0.7)
                self.wrong(name, "there is no such setting" + (f"; did you mean {near[0]}?" if near else ""))

    def _at(self, name: str) -> str:
        return f"{self.place}.{name}" if self.place else name


def minutes(text: str) -> int | None:
    """A time of day as minutes since midnight; None if it is none."""
    found = _CLOCK.fullmatch(text)
    return None if found is None else int(found[1]) * 60 + int(found[2])
