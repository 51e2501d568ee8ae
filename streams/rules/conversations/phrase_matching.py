"""Normalises text so that phrases can be looked up in it.

Each character is mapped independently of its neighbours, so a phrase is found in any text that contains it, and the
work is linear in the text's length.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache, lru_cache

from ahocorasick_rs import AhoCorasick
from opencc import OpenCC

#: Most characters cached. Texts use a few thousand; the bound guards against one that runs through all of Unicode.
_MOST_KEPT = 65_536
#: Characters that expand to more than this many (one expands to 18) are kept as they are, so texts cannot blow up.
_LONGEST_FORM = 4
#: Apostrophes that compatibility normalisation leaves alone.
_APOSTROPHES = frozenset("\u2018\u2019\u02bc\u00b4`")
#: Letters and symbols that are invisible: Hangul fillers, the blank Braille pattern.
_BLANKS = frozenset("\u115f\u1160\u3164\uffa0\u2800")
_LATIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
_NEEDLESS_SPACE = re.compile("(?<![a-z0-9]) | (?![a-z0-9])")


@lru_cache(maxsize=4)
def normalise(text: str) -> str:
    """The text in simplified characters, half width and lower case, without accents and other combining marks.

    Spaces and control characters become a single space between two Latin letters or digits and are dropped elsewhere;
    invisible characters and lone surrogates are dropped. At most `4 * len(text)` long; idempotent. The last few results
    are cached for the next set of phrases to look up in the same text.
    """
    # Collapsed first: the pattern then looks at a single character on each side and never backtracks.
    return _NEEDLESS_SPACE.sub("", " ".join(text.translate(_FORMS).split()))


class Phrases:
    """Named lists of phrases, looked up in one pass over a text.

    A phrase is found anywhere; if it begins with a Latin letter or digit, only at the beginning of a word.
    """

    def __init__(self, lists: Iterable[tuple[str, Iterable[str]]]) -> None:
        names: dict[str, set[str]] = {}
        for name, phrases in lists:
            for phrase in map(normalise, phrases):
                if phrase:
                    names.setdefault(phrase, set()).add(name)
        self._names = list(names.values())
        self._begins_word = [phrase[0] in _LATIN for phrase in names]
        self._search = AhoCorasick(names)

    def found_in(self, text: str) -> set[str]:
        """The names of the lists with a phrase in the text, which need not be normalised."""
        plain = normalise(text)
        found: set[str] = set()
        for index, start, _ in self._search.find_matches_as_indexes(plain, overlapping=True):
            if not (self._begins_word[index] and start and plain[start - 1] in _LATIN):
                found |= self._names[index]
        return found


class _Forms(dict[int, str]):
    """The normal form of each character, computed on first use."""

    def __missing__(self, code: int) -> str:
        # Twice: the characters of a form may have forms of their own.
        form = "".join(map(_form, _form(chr(code))))
        if len(self) >= _MOST_KEPT:
            self.clear()
        self[code] = form
        return form


_FORMS = _Forms()


def _form(character: str) -> str:
    category = unicodedata.category(character)
    if category in ("Cf", "Cs", "Co", "Cn") or character in _BLANKS:
        return ""
    if category in ("Cc", "Zs", "Zl", "Zp"):
        return " "
    if character in _APOSTROPHES:
        return "'"
    plain = unicodedata.normalize("NFKD", character).casefold()
    plain = "".join(one for one in plain if unicodedata.category(one) not in ("Mn", "Me"))
    if len(plain) > _LONGEST_FORM:
        return character
    return "".join(_simplified(one) for one in plain)


def _simplified(character: str) -> str:
    return character if character.isascii() else _converter().convert(character)


@cache
def _converter() -> OpenCC:
    return OpenCC("t2s")
