"""Finds the policy's words, with their roles, in the clauses of a text."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from operator import or_
from typing import NamedTuple

from ahocorasick_rs import AhoCorasick, MatchKind

from streams.policy.model import Interventions
from streams.policy.phrases import written_out
from streams.rules.conversations.separators import CLAUSE, SENTENCE, clauses, compact, plain


class Role:
    """A word's role in a clause, as bits, named as in `[interventions.words]`; see `docs/detector.md`."""

    PHRASE = 1 << 0
    EXCEPTION = 1 << 1
    CALLEE = 1 << 2
    DESK = 1 << 3
    OTHER = 1 << 4
    DECIDE = 1 << 5
    SETTLE = 1 << 6
    FAVOUR = 1 << 7
    CALL = 1 << 8
    BID = 1 << 9
    TOWARD = 1 << 10
    FILE = 1 << 11
    DISPUTE = 1 << 12
    APPEAL = 1 << 13
    WILL = 1 << 14
    OWN = 1 << 15
    ASKING = 1 << 16
    DONE = 1 << 17
    REFUSAL = 1 << 18
    UNDO = 1 << 19
    UNDONE = 1 << 20
    TURN = 1 << 21
    REPORT = 1 << 22
    ADVICE = 1 << 23
    OTHERS_DO = 1 << 24
    SUPPOSING = 1 << 25
    BUSINESS = 1 << 26
    IGNORED = 1 << 27


ROLES: dict[str, int] = {name.lower(): bit for name, bit in vars(Role).items() if name.isupper()}
#: A message without any of these does not ask.
_SUBJECTS = Role.PHRASE | Role.CALLEE | Role.DECIDE | Role.DISPUTE | Role.APPEAL
_WHOLE = Role.PHRASE | Role.EXCEPTION

_LATIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")


class Word(NamedTuple):
    """A policy word in a clause: its position and its roles."""

    start: int
    end: int
    roles: int


class Clause(NamedTuple):
    """A clause, its words in order, and the union of their roles."""

    text: str
    words: list[Word]
    roles: int
    #: Index of the last word about other business; -1 if there is none.
    business: int


class Vocabulary:
    """The indexed words of a policy. Lookups take linear time."""

    def __init__(self, rules: Interventions) -> None:
        roles: dict[str, int] = {}
        for name, role in ROLES.items():
            for word in _words_of(rules, name):
                roles[word] = roles.get(word, 0) | role
        # Phrases are found anywhere; words of a role only where no longer word covers them.
        whole = {word: its & _WHOLE for word, its in roles.items() if its & _WHOLE}
        parts = {word: its & ~_WHOLE for word, its in roles.items() if its & ~_WHOLE}
        self._whole, self._whole_roles = AhoCorasick(whole), list(whole.values())
        self._parts, self._part_roles = AhoCorasick(parts, MatchKind.LeftmostLongest), list(parts.values())
        self._spelled = AhoCorasick(word for word in roles if len(word) > 1)
        self._subjects = AhoCorasick({compact(word) for word, its in roles.items() if its & _SUBJECTS})

    def sentences(self, text: str) -> list[list[Clause]]:
        """The clauses of each sentence; empty for a text that names nobody and no act."""
        written = plain(text)
        if not self._subjects.find_matches_as_indexes(compact(written)):
            return []
        read = clauses(written, self._words_in)
        return [[self._clause(clause) for clause in part.split(CLAUSE)] for part in read.split(SENTENCE)]

    def _words_in(self, joined: str) -> Iterator[tuple[int, int]]:
        for _, start, end in self._spelled.find_matches_as_indexes(joined, overlapping=True):
            yield start, end

    def _clause(self, text: str) -> Clause:
        words = [
            Word(start, end, self._part_roles[index])
            for index, start, end in self._parts.find_matches_as_indexes(text)
            if _begins(text, start) and _begins(text, end)
        ]
        whole = [
            Word(start, end, self._whole_roles[index])
            for index, start, end in self._whole.find_matches_as_indexes(text, overlapping=True)
            if _begins(text, start)
        ]
        words = sorted([*words, *_not_in_longer(whole, words)]) if whole else words
        roles = reduce(or_, (word.roles for word in words), 0)
        business = max((n for n, word in enumerate(words) if word.roles & Role.BUSINESS), default=-1)
        return Clause(text, words, roles, business)


def _not_in_longer(whole: list[Word], words: list[Word]) -> list[Word]:
    """Drops phrases that end within a longer word of another meaning: 要京东客服 in 要京东客服电话."""
    ends = {end for word in words if word.roles & Role.IGNORED for end in range(word.start + 1, word.end)}
    return [word for word in whole if word.roles & Role.EXCEPTION or word.end not in ends]


def _begins(text: str, at: int) -> bool:
    """Whether the position is not inside a Latin word."""
    return not 0 < at < len(text) or text[at - 1] not in _LATIN or text[at] not in _LATIN


def _words_of(rules: Interventions, role: str) -> Iterator[str]:
    """The words of a role, normalised like a text."""
    whole = {"phrase": rules.phrases, "exception": rules.exceptions}
    written = whole[role] if role in whole else getattr(rules.words, role)
    for phrase in written_out(written, rules.words):
        read = clauses(plain(phrase), lambda _: iter(())).replace(CLAUSE, "").replace(SENTENCE, "").strip()
        if read:
            yield read


def gap(clause: Clause, before: Word, after: Word) -> int:
    """The distance between two words, in characters, or in words for Latin text."""
    return length(clause.text[before.end : after.start])


def length(text: str) -> int:
    return len(text.split()) if text.isascii() else len(text)
