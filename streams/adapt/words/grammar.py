"""What a text says happened to a parcel.

A text is normalised, cut into clauses and tagged with the words of each language that it may be in. Each
clause gives verdicts: what happened, as far as the clause says that it did (polarity and tense), by whom and
where. A verdict that ends a watch (`ENDS`) needs positive evidence: the recipient has the parcel, the sender
has it back, or it is destroyed. What is negated, to come, conditional, requested or tried does not end
anything, and no more does a parcel that lies at a station, a locker or a depot or that a courier took.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from streams.adapt.words.clauses import Clause, Verdict, hedge
from streams.adapt.words.lexicon import Lexicon, Tag, lexicons
from streams.adapt.words.normalise import clauses, normal, plain, simplified
from streams.adapt.words.verdicts import verdicts_of

ENDS = frozenset({"delivered", "returned", "destroyed"})

_RANK = {
    "customs": 9,
    "returning": 8,
    "held": 7,
    "delivery_failed": 6,
    "exception": 5,
    "out_for_delivery": 4,
    "arrived": 3,
    "departed": 3,
    "picked_up": 3,
    "info_received": 2,
    "in_transit": 1,
}
_UNDONE = frozenset({"out_for_delivery", "departed", "returning", "delivery_failed", "held"})
"""What a text may not go on to say once a parcel has arrived where it belongs."""

_NEARLY = 0.7

_ACTORS = frozenset({"places.hub", "places.depot", "people.courier", "people.sender", "people.recipient"})
_NEAR = 3
"""So many spaces may lie between "by" and the name of who acts."""

_PIECES = re.compile(
    r"(\d+) ?(?:of|out of|von|sur|de|из|/|件[,、 ]?共|件中的?) ?(\d+) ?"
    r"(?:件|箱|個|个|개|pieces?|pcs|packages?|parcels?|items?|box|carton|pa[kc]k|colis|bulto|volume)"
    r"|\b(\d{1,2}) (?:out )?of (\d{1,2})\b"
)
"""So many pieces of so many."""


_LONGEST, _USUAL = 1_000, 200
"""Characters of a text that are looked at, and up to which it is remembered."""
_MOST = 30
"""Words of a clause that are looked at. Each is weighed against each."""


def status_of(text: str) -> str | None:
    """The status that a text speaks of, or None where no word of it is known."""
    return _status_of(text) if len(text) <= _USUAL else _status_of.__wrapped__(text[:_LONGEST])


@lru_cache(maxsize=65536)
def _status_of(text: str) -> str | None:
    folded = normal(plain(text))
    verdicts: list[Verdict] = []
    doubted, waiting, expired = _is_part(folded), False, False
    for lexicon in _languages(folded):
        words = simplified(folded) if lexicon.script == "han" else folded
        expired = expired or lexicon.tells_expiry(words)
        for number, clause in enumerate(_tagged(words, lexicon)):
            doubted = doubted or _doubts(clause)
            waiting = waiting or _calls(clause)
            back = any(found.status == "returning" and not found.weak for found in verdicts)
            verdicts.extend(found._replace(clause=number) for found in verdicts_of(clause, back))
    if expired:
        verdicts = [_removed(verdict) for verdict in verdicts]
    return _together(verdicts, doubted, waiting)


def _removed(verdict: Verdict) -> Verdict:
    """A verdict on a parcel whose time at a station is over: whoever takes it then brings it back."""
    taken = verdict.status == "delivered" and verdict.by_hand
    return verdict._replace(status="in_transit", by_hand=False) if taken else verdict


def _is_part(text: str) -> bool:
    """Whether a text speaks of some pieces of more."""
    return any(int(found[1] or found[3]) != int(found[2] or found[4]) for found in _PIECES.finditer(text))


def _languages(text: str) -> list[Lexicon]:
    """The languages that a text may be in: those whose words make up nearly as much of it as any other's."""
    share = {
        lexicon: sum(tag.end - tag.start for tag in lexicon.tags(text))
        for lexicon in lexicons()
        if lexicon.applies(text)
    }
    most = {
        spaced: max((length for lexicon, length in share.items() if lexicon.spaced == spaced), default=0)
        for spaced in (True, False)
    }
    return [lexicon for lexicon, length in share.items() if length >= _NEARLY * most[lexicon.spaced]]


def _tagged(text: str, lexicon: Lexicon) -> Iterator[Clause]:
    cut = [(clause, _tags(clause, lexicon)) for clause in clauses(text, lexicon)]
    for index, (clause, tags) in enumerate(cut):
        rest: list[Tag] = []
        if index and tags and tags[0].kind == "signals.background":
            continue
        for _, following in cut[index + 1 :]:
            if any(
                tag.kind.startswith(("acts.", "ends.", "before.", "signals.come", "signals.thanks"))
                for tag in following
            ):
                break
            rest.extend(tag for tag in following if tag.kind != "people.courier")
        bare = cut[index + 1] if index + 1 < len(cut) else ("", [])
        if _only_hedges(*bare):
            tags = [*tags, *(Tag("after.not", len(clause), len(clause)) for _ in bare[1])]
        yield Clause(clause, tags, rest, lexicon)


def _only_hedges(clause: str, tags: Sequence[Tag]) -> bool:
    """Whether a clause is nothing but a hedge of the one before it ("Delivered: pending")."""
    covered = sum(tag.end - tag.start for tag in tags)
    hedges = all(tag.kind in ("before.not", "before.wait", "before.going", "before.will", "after.fail") for tag in tags)
    return bool(tags) and hedges and covered >= _NEARLY * len(clause)


def _tags(clause: str, lexicon: Lexicon) -> list[Tag]:
    """The words of a clause, without those that the characters behind them make something else.

    "courier: X" says who to ask, not who did it; "a neighbour's shop" is no neighbour, "no 5" a number.
    """

    tags = lexicon.tags(clause)[:_MOST]

    def is_other(tag: Tag) -> bool:
        behind = clause[tag.end :].lstrip()
        if tag.kind == "people.courier":
            return behind.startswith((":", "："))
        if tag.kind == "people.recipient":
            following = next((other.kind for other in tags if other.start >= tag.end), "")
            return clause[tag.end :].startswith("'s ") and following.startswith(("places.", "people."))
        return tag.kind == "before.not" and clause[tag.start : tag.end] == "no" and behind[:1].isdigit()

    return [tag for found in tags if not is_other(found) for tag in _acting(found, clause, tags)]


def _acting(tag: Tag, clause: str, tags: Sequence[Tag]) -> Iterator[Tag]:
    """A word as it is, or as the one who acts ("delivered by our local partner")."""
    if tag.kind not in _ACTORS:
        yield tag
        return
    before = [other for other in tags if other.end <= tag.start]
    by = before[-1] if before and before[-1].kind == "signals.agent" else None
    if by is None or clause[by.end : tag.start].count(" ") > _NEAR:
        yield tag
        return
    yield tag if tag.kind in ("people.sender", "people.recipient") else tag._replace(kind="people.courier")
    yield tag._replace(kind="signals.by")


def _doubts(clause: Clause) -> bool:
    """Whether the clause reports that something is wrong with what was said."""
    if clause.has("before.if", "before.ask"):
        return False
    if clause.has("signals.report"):
        return True
    return any(hedge(clause, tag) == "not" for tag in clause.tags if tag.kind == "ends.receive")


def _calls(clause: Clause) -> bool:
    """Whether the clause asks the recipient to fetch the parcel."""
    return clause.has("signals.come") and not clause.has("signals.proof")


def _together(verdicts: Sequence[Verdict], doubted: bool, waiting: bool) -> str | None:
    firm = [verdict for verdict in verdicts if not verdict.weak]
    ends = [index for index, verdict in enumerate(firm) if verdict.status in ENDS]
    rest = [verdict.status for verdict in firm if verdict.status not in ENDS]
    if ends and not doubted:
        last = firm[ends[-1]]
        undone = any(_undoes(verdict, last) for verdict in firm[ends[-1] + 1 :])
        if not undone and not (waiting and not last.by_hand):
            found = {firm[index].status for index in ends}
            return next(status for status in ("returned", "destroyed", "delivered") if status in found)
        if not rest:
            rest = ["in_transit"]
    if waiting:
        rest.append("held")
    if doubted and (ends or not rest):
        rest.append("exception")
    if rest:
        return max(rest, key=lambda status: _RANK[status])
    return max((verdict.status for verdict in verdicts), key=lambda status: _RANK[status], default=None)


def _undoes(later: Verdict, end: Verdict) -> bool:
    """Whether what a text says later cannot be if the parcel has come to its `end`."""
    if end.status == "destroyed":
        return later.status in ("departed", "out_for_delivery")
    if end.status == "returned":
        return later.status in ("in_transit", "departed", "held") or (
            later.status == "returning" and later.clause > end.clause and not later.bare
        )
    return later.status in _UNDONE and not (later.status == "held" and end.by_hand)
