"""Splits a text into clauses, and joins words that are spelled with separators between their characters.

Separators end a clause unless they are inside a word: `平.台.介.入` is one clause, `找平台。介入` are two.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from streams.rules.conversations.phrase_matching import normalise

#: Mark the end of a clause and of a sentence in normalised text. No word contains them.
CLAUSE, SENTENCE = ",", ";"

#: Finds the words in a text: their start and end offsets.
FindWords = Callable[[str], Iterator[tuple[int, int]]]

_SEPARATOR = re.compile("(?:(?<![a-z0-9])'|'(?![a-z0-9])|[^\\w' ]|[_\u30fc])[ '\\W_\u30fc]*")
_NOISE = re.compile("[\\W_\u30fc]+")
_SENTENCE_END = re.compile("[。.!?;؟]")
_PAUSE = re.compile("[,、:]|\\.{2}")
#: `p l a t f o r m`, and `平x台x介x入`.
_SPACED_LETTERS = re.compile("(?<![a-z0-9])[a-z](?: [a-z]){3,}(?![a-z0-9])")
_FILLED = re.compile("[\u3400-\u9fff]([a-z0-9])[\u3400-\u9fff](?:\\1[\u3400-\u9fff])+")
_LINE_END = str.maketrans("\n\r\x0b\x0c\x85\u2028\u2029", "|||||||")


def plain(text: str) -> str:
    """The text normalised like phrases, with `|` for line ends; words spelled letter by letter are joined."""
    written = normalise(text if text.isprintable() else text.translate(_LINE_END))
    if _FILLED.search(written):
        written = _FILLED.sub(lambda found: found[0].replace(found[1], ""), written)
    if " " in written:
        written = _SPACED_LETTERS.sub(lambda found: found[0].replace(" ", ""), written)
    return written


def compact(written: str) -> str:
    """Only the letters and digits of a plain text, so that words spelled out in it can be found."""
    return _NOISE.sub("", written)


def clauses(written: str, words: FindWords) -> str:
    """Reduces a plain text to letters, digits, apostrophes, spaces and clause ends.

    A separator is left out where one of `words` goes on behind it and either it is none that clauses end with, or it
    stands among single characters. What is left out takes others with it: in a run of single characters all, and the
    same separator elsewhere, unless clauses end with that.
    """
    pieces, separators = _split(written)
    if not separators:
        return written
    runs = _runs(pieces, separators)
    joined, borders = _joined(pieces, runs)
    inside = _inside(joined, borders, words)
    left_out = {number for number in inside if runs[number] is not None or not _ends(separators[number])}
    spelled = {runs[number] for number in left_out} - {None}
    same = {separators[number] for number in left_out if not _ends(separators[number])}
    result = [pieces[0]]
    for number, separator in enumerate(separators):
        before, after = pieces[number], pieces[number + 1]
        if number in left_out or separator in same or runs[number] in spelled:
            result.append("" if not _latin(before, after) or _letters(before, after) else " ")
        elif _SENTENCE_END.search(separator) and not _PAUSE.search(separator):
            result.append(SENTENCE)
        elif _ends(separator) or not _latin(before, after):
            result.append(CLAUSE)
        else:
            result.append(" ")
        result.append(after)
    return "".join(result)


def _split(written: str) -> tuple[list[str], list[str]]:
    pieces, separators, end = [], [], 0
    for found in _SEPARATOR.finditer(written):
        pieces.append(written[end : found.start()])
        separators.append(found[0])
        end = found.end()
    pieces.append(written[end:])
    return pieces, separators


def _ends(separator: str) -> bool:
    """Whether a separator may end a sentence or clause."""
    return bool(_SENTENCE_END.search(separator) or _PAUSE.search(separator))


def _runs(pieces: list[str], separators: list[str]) -> list[int | None]:
    """For each separator, the number of its run: consecutive separators with single characters between them."""
    runs: list[int | None] = [None] * len(separators)
    for number in range(1, len(separators)):
        if len(pieces[number]) == 1:
            first = runs[number - 1]
            runs[number - 1] = runs[number] = number - 1 if first is None else first
    return runs


def _joined(pieces: list[str], runs: list[int | None]) -> tuple[str, list[int]]:
    """The text without separators, and the position of each."""
    result, borders, length = [pieces[0]], [], len(pieces[0])
    for number, after in enumerate(pieces[1:]):
        before = pieces[number]
        spaced = _latin(before, after) and not (runs[number] is not None and _letters(before, after))
        result.append(f" {after}" if spaced else after)
        borders.append(length)
        length += spaced + len(after)
    return "".join(result), borders


def _inside(joined: str, borders: list[int], words: FindWords) -> set[int]:
    """The separators inside a word."""
    numbers: dict[int, list[int]] = {}
    for number, border in enumerate(borders):
        numbers.setdefault(border, []).append(number)
    found: set[int] = set()
    for start, end in words(joined):
        for place in range(start + 1, end):
            found.update(numbers.get(place, ()))
    return found


def _latin(before: str, after: str) -> bool:
    """Whether both neighbours are Latin letters or digits."""
    return before[-1:].isascii() and after[:1].isascii() and bool(before and after)


def _letters(before: str, after: str) -> bool:
    """Whether the words on both sides are single letters."""
    return before[-2:-1] in ("", " ") and after[1:2] in ("", " ")
