"""The languages of messages, as data: `languages.toml`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib import resources
from typing import Literal

import msgspec

from schemas.times import DAY, HOUR, MINUTE, render

#: The name of a language in LANGUAGES: a tag of BCP 47.
Tag = str
#: A text in every language of LANGUAGES, by tag.
Text = dict[str, str]

#: For locales of any other language: the one most widely read in technical texts.
FALLBACK = "en"


class _Units(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    minutes: tuple[str, str]
    hours: tuple[str, str]
    days: tuple[str, str]


class Language(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How one language writes what is no sentence of a catalogue. The fields are told in `languages.toml`."""

    locale: str
    hours_ahead: int
    clock: str
    span: str
    together: str
    list: str
    all: str
    sentences: str
    regions: Literal["as_written", "by_name"]
    units: _Units

    def local(self, micros: int) -> str:
        """An instant (microseconds) in the language's time zone, as YYYY-MM-DD HH:MM:SS, truncated."""
        return render(micros + self.hours_ahead * HOUR)[:19].replace("T", " ")

    def minute(self, micros: int) -> str:
        """An instant (microseconds) for use in a sentence: to the minute, with the time zone's name."""
        return _minute(self.clock, micros // MINUTE * MINUTE + self.hours_ahead * HOUR)

    def duration(self, micros: int) -> str:
        """A duration in days and hours; in hours below two days, in minutes below one hour; truncated."""
        return _duration(self.span, self.units.minutes, self.units.hours, self.units.days, micros)


def _load() -> dict[Tag, Language]:
    raw = (resources.files("streams.alerts") / "languages.toml").read_bytes()
    return msgspec.toml.decode(raw, type=dict[Tag, Language])


#: By tag, in the order in which they appear in an alert.
LANGUAGES: Mapping[Tag, Language] = _load()


def preferred_language(environment: Mapping[str, str] | None = None) -> Tag:
    """The language of the environment's locale, else FALLBACK."""
    where = os.environ if environment is None else environment
    locale = (where.get("LC_ALL") or where.get("LC_MESSAGES") or where.get("LANG") or "").lower()
    return next((tag for tag, one in LANGUAGES.items() if locale.startswith(one.locale)), FALLBACK)


def untranslated(texts: Iterable[Text]) -> list[Text]:
    """The texts that lack one of LANGUAGES or have another one."""
    return [text for text in texts if text.keys() != LANGUAGES.keys()]


@lru_cache(maxsize=16_384)
def _minute(clock: str, local: int) -> str:
    return clock.format(time=render(local)[:16].replace("T", " "))


@lru_cache(maxsize=4_096)
def _duration(span: str, minutes: tuple[str, str], hours: tuple[str, str], days: tuple[str, str], micros: int) -> str:
    if micros < HOUR:
        return _count(minutes, micros // MINUTE)
    if micros < 2 * DAY:
        return _count(hours, micros // HOUR)
    rest = micros % DAY // HOUR
    whole = _count(days, micros // DAY)
    return span.format(days=whole, hours=_count(hours, rest)) if rest else whole


def _count(unit: tuple[str, str], number: int) -> str:
    return unit[number != 1].format(n=number)
