"""Phrases with places for words: `{call}{staff}介入` stands for as many phrases as its words give."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import product
from typing import Protocol

#: Phrases that one list may stand for: looking them up takes no longer for more, but building the search does.
MOST_PHRASES = 50_000

_PLACE = re.compile(r"\{([^{}]*)\}")
_NAMES = ("staff", "platform", "call", "can", "refusal")


class Words(Protocol):
    """The words for each place."""

    @property
    def staff(self) -> tuple[str, ...]: ...
    @property
    def platform(self) -> tuple[str, ...]: ...
    @property
    def call(self) -> tuple[str, ...]: ...
    @property
    def can(self) -> tuple[str, ...]: ...
    @property
    def refusal(self) -> tuple[str, ...]: ...


def written_out(phrases: Iterable[str], words: Words) -> Iterator[str]:
    """Every phrase that the phrases stand for."""
    for phrase in phrases:
        parts = _PLACE.split(phrase)
        choices = [getattr(words, part) if index % 2 else (part,) for index, part in enumerate(parts)]
        for chosen in product(*choices):
            yield "".join(chosen)


def problem(phrases: Iterable[str], words: Words) -> str | None:
    """What is wrong with the phrases, in one line, or None."""
    total = 0
    for phrase in phrases:
        count = 1
        for name in _PLACE.findall(phrase):
            if name not in _NAMES:
                return f"{phrase!r}: {{{name}}} is none of {', '.join(_NAMES)}"
            count *= len(getattr(words, name))
        total += count
        if total > MOST_PHRASES:
            return f"stand for more than {MOST_PHRASES} phrases"
        if not all(written_out((phrase,), words)):
            return f"{phrase!r} stands for an empty phrase, too"
    return None
