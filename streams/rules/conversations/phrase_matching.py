"""What people write, in one form that phrases can be looked up in.

Every character is replaced by itself alone, whatever stands beside it, so a phrase is found in any text that holds it,
and the work is linear in the text's length.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache, lru_cache

from ahocorasick_rs import AhoCorasick
from opencc import OpenCC

#: Characters whose form is kept. Texts use some thousands; the bound is for one that runs through all of Unicode.
_MOST_KEPT = 65_536
#: A character that stands for more than so many (one stands for 18) keeps its own form: texts cannot swell.
_LONGEST_FORM = 4
#: Apostrophes that no compatibility form makes plain.
_APOSTROPHES = frozenset("\u2018\u2019\u02bc\u00b4`")
#: Letters and symbols that show nothing: Hangul fillers, Braille without a dot.
_BLANKS = frozenset("\u115f\u1160\u3164\uffa0\u2800")
_LATIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
_NEEDLESS_SPACE = re.compile("(?<![a-z0-9]) | (?![a-z0-9])")


@lru_cache(maxsize=4)
def normalise(text: str) -> str:
    """The text with simplified characters, half width, lower case, without accents and other combining marks.

    Spaces and control characters become one space between two Latin letters or digits, and nothing elsewhere;
    invisible characters and lone surrogates become nothing. At most `4 * len(text)` long; normal text stays as it is.
    The last few are kept, for the next set of phrases that is looked up in them.
    """
    # Collapsed first: the pattern then looks at one character on each side, and never back.
    return _NEEDLESS_SPACE.sub("", " ".join(text.translate(_FORMS).split()))


class Phrases:
    """A set of phrases, by the name of their list, that is looked up in one pass over a text.

    A phrase is found wherever it stands; one that begins with a Latin letter or digit, where a word begins.
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
        """The names of the lists of which a phrase stands in the text, as it is written."""
        plain = normalise(text)
        found: set[str] = set()
        for index, start, _ in self._search.find_matches_as_indexes(plain, overlapping=True):
            if not (self._begins_word[index] and start and plain[start - 1] in _LATIN):
                found |= self._names[index]
        return found


class _Forms(dict[int, str]):
    """The form of each character, found when it is first met."""

    def __missing__(self, code: int) -> str:
        # Twice: what a form is made of may have a form of its own.
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
