"""The words of each language, and where they occur in a clause.

A lexicon is a TOML file beside this module. Its tables name kinds of words (`ends.sign`, `before.not`, ...);
`[acts]` are words that stand for a status by themselves. A phrase that begins with `^` is found only at the
start of a clause; one that ends in `~` may go on to the end of its word. In a language that is written with
spaces every other phrase is found only as whole words.
"""

from __future__ import annotations

import difflib
import re
import tomllib
import unicodedata
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

from ahocorasick_rs import AhoCorasick

NAME, POINT, DEPOT, HUB = "\ue000", "\ue001", "\ue002", "\ue003"
"""Characters that stand in a clause for a bracketed place: of no known kind, or of the kind named."""

_MARKS = {NAME: "places.name", POINT: "places.point", DEPOT: "places.depot", HUB: "places.hub"}
_SPACED_SCRIPTS = frozenset({"latin", "cyrillic"})
_SCRIPTS = {
    "han": re.compile(r"[\u4e00-\u9fff]"),
    "kana": re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]"),
    "hangul": re.compile(r"[\uac00-\ud7a3]"),
    "cyrillic": re.compile(r"[\u0400-\u04ff]"),
    "latin": re.compile(r"[a-z\u00df-\u024f]"),
}


class Tag(NamedTuple):
    """A word of a clause: its kind (`acts.arrived`, `ends.sign`, `before.not`, ...) and its span."""

    kind: str
    start: int
    end: int


class Lexicon:
    """The words of one language.

    `accents`: True where the words are as written and only for texts that are, False where they have none and
    are for texts without any (Entregue ao destinatario), None where a language has no accents.
    """

    def __init__(self, name: str, raw: dict[str, Any], accents: bool | None = None) -> None:
        self.name = name
        self._accents = accents
        self.script: str = raw["script"]
        self.spaced = self.script in _SPACED_SCRIPTS
        self.tails: tuple[str, ...] = tuple(raw.get("tails", ()))
        self.things: tuple[str, ...] = tuple(raw.get("things", ()))
        self.verb_final: bool = raw.get("verb_final", False)
        kinds: dict[str, tuple[str, ...]] = {mark: (kind,) for mark, kind in _MARKS.items()}
        for table, groups in raw.items():
            if not isinstance(groups, dict):
                continue
            for group, phrases in groups.items():
                for phrase in phrases:
                    kinds[phrase] = (*kinds.get(phrase, ()), f"{table}.{group}")
        for phrase in () if self.spaced else tuple(kinds):
            if kinds[phrase][0].startswith("acts."):
                kinds[phrase] = (*kinds[phrase], *_opening_hedge(phrase, raw.get("before", {})))
        self.phrases = kinds
        self._kinds = tuple(kinds.values())
        self._open = tuple(phrase.endswith("~") for phrase in kinds)
        self.background = tuple(raw.get("signals", {}).get("background", ()))
        self._expired = tuple(raw.get("signals", {}).get("expired", ()))
        self._first = tuple(phrase.startswith("^") for phrase in kinds)
        self._search = AhoCorasick([phrase.removeprefix("^").removesuffix("~") for phrase in kinds])

    def tells_expiry(self, text: str) -> bool:
        """Whether a text says that the time for something is over."""
        if not any(word in text for word in self._expired):
            return False
        return any(tag.kind == "signals.expired" for tag in self.tags(text))

    def names_delivery(self, text: str) -> bool:
        """Whether a text is a word for a delivery, and nothing else."""
        return "signals.delivery" in self.phrases.get(text, ())

    def applies(self, text: str) -> bool:
        """Whether `text` has letters of this language's script, and accents where its words have."""
        if self._accents is not None and self._accents is text.isascii():
            return False
        return bool(_SCRIPTS[self.script].search(text))

    def tags(self, clause: str) -> list[Tag]:
        """The words in a normalised clause: from the left, the longest at each place, none inside another.

        A word of several kinds is there once for each.
        """
        found: dict[int, tuple[int, tuple[str, ...]]] = {}
        for index, start, end in self._search.find_matches_as_indexes(clause, overlapping=True):
            if start and self._first[index]:
                continue
            if self.spaced:
                if start and clause[start - 1].isalnum() and clause[start].isalnum():
                    continue
                if self._open[index]:
                    while end < len(clause) and clause[end].isalnum():
                        end += 1
                elif end < len(clause) and clause[end].isalnum() and clause[end - 1].isalnum():
                    continue
            if start not in found or end > found[start][0]:
                found[start] = (end, self._kinds[index])
        chosen: list[Tag] = []
        for start in sorted(found):
            if not chosen or start >= chosen[-1].end:
                end, kinds = found[start]
                chosen.extend(Tag(kind, start, end) for kind in kinds)
        return chosen


def _opening_hedge(phrase: str, before: dict[str, list[str]]) -> tuple[str, ...]:
    """The kind of hedge that a phrase opens with: it holds for what follows, too (正在派 送给)."""
    return tuple(
        f"before.{kind}"
        for kind in ("going", "wait", "will", "ask")
        if any(phrase.startswith(word) for word in before.get(kind, ()))
    )[:1]


@cache
def lexicons() -> tuple[Lexicon, ...]:
    """All languages, in the order of their names."""
    entries = sorted(resources.files(__package__).iterdir(), key=lambda entry: entry.name)
    return tuple(
        lexicon
        for entry in entries
        if entry.name.endswith(".toml")
        for lexicon in _spellings(entry.name.removesuffix(".toml"), entry.read_text(encoding="utf-8"))
    )


def _spellings(name: str, text: str) -> tuple[Lexicon, ...]:
    """The lexicon of a language; of one with accents a second one without."""
    raw = tomllib.loads(text)
    without = "".join(char for char in unicodedata.normalize("NFD", text) if not unicodedata.combining(char))
    if raw["script"] != "latin" or not _accented(raw):
        return (Lexicon(name, raw),)
    return Lexicon(name, raw, accents=True), Lexicon(name, tomllib.loads(without), accents=False)


def _accented(raw: Any) -> bool:
    if isinstance(raw, dict):
        return any(map(_accented, raw.values()))
    return any(map(_accented, raw)) if isinstance(raw, list) else isinstance(raw, str) and not raw.isascii()


def nearest(text: str) -> tuple[str, str] | None:
    """The known phrase that is most like an unknown text, and the status it stands for; None where none is."""
    statuses = {
        phrase.strip("^~"): kind.removeprefix("acts.")
        for lexicon in lexicons()
        if lexicon.applies(text.casefold())
        for phrase, kinds in lexicon.phrases.items()
        for kind in kinds
        if kind.startswith("acts.")
    }
    alike = difflib.get_close_matches(text.casefold(), statuses, n=1)
    return (alike[0], statuses[alike[0]]) if alike else None
