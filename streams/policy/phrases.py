"""Phrases with placeholders: `{call}{staff}介入` stands for every combination of the words named."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import product

from schemas.did_you_mean import did_you_mean
from streams.policy.model import Words

#: Most phrases that one list may expand to: lookups do not slow down with more, but building the index does.
MOST_PHRASES = 50_000

_PLACE = re.compile(r"\{([^{}]*)\}")


def written_out(phrases: Iterable[str], words: Words) -> Iterator[str]:
    """Expands the phrases."""
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
            if name not in Words.__struct_fields__:
                roles = Words.__struct_fields__
                return f"{phrase!r}: {{{name}}} is none of {', '.join(roles)}{did_you_mean(name, roles)}"
            count *= len(getattr(words, name))
        total += count
        if total > MOST_PHRASES:
            return f"stand for more than {MOST_PHRASES} phrases"
        if not all(written_out((phrase,), words)):
            return f"{phrase!r} stands for an empty phrase, too"
    return None
