"""A clause, its words, and whether what they name has happened."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from streams.adapt.words.lexicon import Lexicon, Tag

_PRECLUDED = frozenset(
    {("acts.info_received", "acts.picked_up")}
    | {
        ("acts.delivery_failed", f"ends.{kind}")
        for kind in ("sign", "done", "reach", "put", "hand", "collect", "take", "self", "success")
    }
    | {("signals.paper", "ends.sign"), ("signals.part", "ends.destroy")}
    | {("signals.message", f"ends.{kind}") for kind in ("reach", "put", "hand")}
)
"""Words that keep what follows them in their clause from having happened."""

PLACED = frozenset({"places.point", "places.hub", "places.depot", "places.name", "places.home"})
"""Every kind of place."""


class Verdict(NamedTuple):
    """What a clause says. A weak one is expected, asked for or denied, and gives way to any other.

    `by_hand`: somebody took it, so that it lies nowhere. `bare`: a word alone, which names what the text is
    about. `clause` is the number of the clause in the text.
    """

    status: str
    weak: bool = False
    by_hand: bool = False
    bare: bool = False
    clause: int = 0


class Clause(NamedTuple):
    """A clause, its words, and those of the clauses behind it that say only where or who."""

    text: str
    tags: Sequence[Tag]
    rest: Sequence[Tag]
    lexicon: Lexicon

    @property
    def spaced(self) -> bool:
        """Whether the language is written with spaces, so that a hedge may stand anywhere in its clause."""
        return self.lexicon.spaced

    def has(self, *kinds: str) -> bool:
        """Whether the clause has a word of one of these kinds."""
        return any(tag.kind in kinds for tag in self.tags)

    def after(self, tag: Tag) -> Iterator[Tag]:
        """The words behind `tag`, those of the clauses that go with it last; not where it came from."""
        last: Tag | None = None
        for other in self.tags:
            if other.start >= tag.end and not (last and last.kind == "signals.from" and other.start - last.end <= 1):
                yield other
            last = other
        yield from self.rest

    def between(self, tag: Tag, later: Tag) -> int:
        """How many characters lie between two words, without those that only name the parcel."""
        between = self.text[tag.end : later.start]
        return len(next((between.removeprefix(thing) for thing in self.lexicon.things if thing in between), between))

    def before(self, tag: Tag) -> list[Tag]:
        """The words in front of `tag`, nearest first."""
        return [other for other in reversed(self.tags) if other.end <= tag.start]


def hedge(clause: Clause, tag: Tag) -> str | None:
    """Why what `tag` names has not happened, or may not have; None where the clause says that it has."""
    overcome = {other.start for other in clause.tags if other.kind == "after.after"}
    found = [why for other in clause.tags if (why := _hedged_by(other, tag, clause, past=other.end in overcome))]
    return next((why for why in found if why != "going"), found[0] if found else None)


def _hedged_by(other: Tag, tag: Tag, clause: Clause, past: bool) -> str | None:
    """How `other` keeps `tag` from having happened; `past`: what `other` names is over (派送失败后)."""
    group, _, kind = other.kind.partition(".")
    if group == "before" and (clause.spaced or other.end <= tag.start):
        return kind
    if other.end <= tag.start and (other.kind, tag.kind) in _PRECLUDED and not past:
        return "fail" if other.kind.startswith("acts.") else "other"
    if group == "after" and other.start >= tag.end:
        if kind in ("fail", "not"):
            return "fail"
        if kind not in ("later", "after", "going"):
            return kind
        if clause.between(tag, other) <= 1 or (kind == "later" and tag.kind == "ends.receive"):
            return "going" if kind == "going" else "will"
    return None


def first_of(tags: Iterable[Tag], *kinds: str) -> str | None:
    """The kind of the first of these words that is of one of `kinds`."""
    return next((tag.kind for tag in tags if tag.kind in kinds), None)
