"""What a clause says happened to a parcel: to whom and where, and whether it did."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from streams.adapt.words.lexicon import Lexicon, Tag

_PRECLUDED = frozenset(
    {("acts.info_received", "acts.picked_up")}
    | {("acts.delivery_failed", f"ends.{kind}") for kind in ("sign", "done", "reach", "put", "collect", "take", "self")}
)
"""Words that keep what follows them in their clause from having happened."""
_BY_RECIPIENT = ("signals.done", "signals.with", "people.recipient", "places.home", "ends.sign")
"""What says that it was the recipient who took a parcel, where nothing says that it was somebody else."""
_SELF_DONE = ("signals.done", "signals.with", "signals.proof", "signals.thanks", "ends.sign")
"""What says that a recipient has come for a parcel, not only that they will (客户自提)."""
_OPEN = frozenset({"ends.put", "ends.back", "ends.back_past", "ends.destroy", "ends.accept"})
"""Ends of which it does not matter what follows them."""
_PLACED = frozenset({"places.point", "places.hub", "places.depot", "places.name", "places.home"})


class Verdict(NamedTuple):
    """What a clause says. A weak one is expected, asked for or denied, and gives way to any other.

    `by_hand`: somebody took it, so that it lies nowhere. `clause` is the number of the clause in the text.
    """

    status: str
    weak: bool = False
    by_hand: bool = False
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

    def before(self, tag: Tag) -> list[Tag]:
        """The words in front of `tag`, nearest first."""
        return [other for other in reversed(self.tags) if other.end <= tag.start]


def hedge(clause: Clause, tag: Tag) -> str | None:
    """Why what `tag` names has not happened, or may not have; None where the clause says that it has."""
    found = [why for other in clause.tags if (why := _hedged_by(other, tag, clause.spaced))]
    return next((why for why in found if why != "going"), found[0] if found else None)


def _hedged_by(other: Tag, tag: Tag, spaced: bool) -> str | None:
    group, _, kind = other.kind.partition(".")
    if group == "before" and (spaced or other.end <= tag.start):
        return kind
    if other.end <= tag.start and (other.kind, tag.kind) in _PRECLUDED:
        return "fail"
    if group == "after" and other.start >= tag.end:
        if kind in ("fail", "not"):
            return "fail"
        if kind not in ("later", "after", "going"):
            return kind
        if other.start - tag.end <= 1 or (kind == "later" and tag.kind == "ends.receive"):
            return "going" if kind == "going" else "will"
    return None


def verdicts_of(clause: Clause, back: bool) -> Iterator[Verdict]:
    """The verdicts of a clause; `back` says that the text has said before that the parcel goes back."""
    returning = back or clause.has("ends.back", "ends.back_past", "ends.back_done")
    for tag in clause.tags:
        group, _, kind = tag.kind.partition(".")
        if group == "acts":
            yield from _act(clause, tag, kind)
        elif group == "ends":
            why = hedge(clause, tag)
            if why is not None:
                yield _unmet(clause, kind, why)
            elif not _closes(clause, tag):
                yield Verdict("in_transit", weak=True)
            else:
                yield from _end(clause, tag, kind, returning)


def _act(clause: Clause, tag: Tag, status: str) -> Iterator[Verdict]:
    why = hedge(clause, tag)
    if why is None or why == "going":
        lies = status == "arrived" and not clause.spaced and _first(clause.after(tag), *_PLACED) == "places.point"
        yield Verdict("held" if lies else status, weak=status == "departed" and clause.has("people.courier"))
    elif status == "picked_up":
        yield Verdict("info_received")
    elif status in ("info_received", "customs", "held"):
        yield Verdict(status)
    elif status == "out_for_delivery" and why in ("not", "fail"):
        yield Verdict("delivery_failed")
    elif (status == "out_for_delivery" and why == "ask") or (
        status in ("delivery_failed", "exception") and why in ("not", "fail", "wait", "will")
    ):
        yield Verdict(status)
    elif status not in ("exception", "delivery_failed"):
        yield Verdict("in_transit", weak=True)


def _closes(clause: Clause, tag: Tag) -> bool:
    """Whether nothing unknown follows that would make another word of it (a receipt, a rate, a mail of it)."""
    tails = clause.lexicon.tails
    following = min((other.start for other in clause.tags if other.start >= tag.end), default=len(clause.text))
    rest = clause.text[tag.end : following]
    return not tails or not rest or not rest[0].isalpha() or rest.startswith(tails) or tag.kind in _OPEN


def _unmet(clause: Clause, kind: str, why: str) -> Verdict:
    """What an end that is not reached amounts to."""
    if kind in ("back", "back_past", "back_done"):
        if why == "going":
            return Verdict("returning")
        return Verdict("in_transit", weak=True) if why in ("not", "fail") else Verdict("returning", weak=True)
    if kind == "destroy":
        return Verdict("exception", weak=why != "going")
    if kind == "collect" and clause.has("people.courier", "people.sender"):
        return Verdict("info_received")
    if kind in ("collect", "take", "self", "accept"):
        return Verdict("held", weak=kind == "accept" or why in ("will", "if"))
    if why in ("not", "fail"):
        return Verdict("delivery_failed")
    if why in ("going", "ask", "wait"):
        return Verdict("out_for_delivery", weak=why == "ask")
    return Verdict("in_transit", weak=True)


def _end(clause: Clause, tag: Tag, kind: str, returning: bool) -> Iterator[Verdict]:
    if kind == "sign":
        if not clause.has("ends.take", "ends.self", "ends.collect"):
            yield _signed(clause, tag, returning)
    elif kind in ("done", "reach", "put"):
        yield _brought(clause, tag, kind, returning)
    elif kind == "self" and not clause.has(*_SELF_DONE):
        yield Verdict("held")
    elif kind in ("collect", "take", "self"):
        yield _taken(clause, tag, kind, returning)
    elif kind == "accept":
        yield _accepted(clause)
    elif kind in ("back", "back_past", "back_done"):
        yield _back(clause, tag, kind)
    elif kind == "success":
        if clause.has("signals.delivery"):
            yield _brought(clause, tag, kind, returning)
    elif kind == "receive":
        yield _received(clause, returning)
    elif kind == "destroy":
        yield Verdict("destroyed")


def _first(tags: Iterator[Tag] | list[Tag], *kinds: str) -> str | None:
    return next((tag.kind for tag in tags if tag.kind in kinds), None)


def _but(tags: Iterable[Tag], spans: Collection[tuple[int, int]]) -> list[Tag]:
    """The words without those at these places."""
    return [tag for tag in tags if (tag.start, tag.end) not in spans]


def _signed(clause: Clause, tag: Tag, returning: bool) -> Verdict:
    who = _first(clause.after(tag), "people.sender", "people.recipient", "people.courier", *_PLACED)
    before = clause.before(tag)
    if who == "people.sender" or _first(before, "people.sender"):
        return Verdict("returned")
    if returning:
        return Verdict("returning" if clause.has("places.hub") else "returned")
    if clause.has("people.recipient", "signals.proof") and who not in ("places.point", "places.hub"):
        if _first(before, "people.courier") and who != "people.recipient":
            return Verdict("in_transit")
        return Verdict("delivered", by_hand=True)
    if who == "people.recipient":
        return Verdict("delivered")
    if who == "people.courier" or _first(before, "people.courier"):
        return Verdict("in_transit")
    near = _first(before, *_PLACED)
    if "places.point" in (who, near):
        return Verdict("held")
    if who in ("places.hub", "places.depot") or near in ("places.hub", "places.depot"):
        return Verdict("arrived")
    return Verdict("delivered")


def _brought(clause: Clause, tag: Tag, kind: str, returning: bool) -> Verdict:
    anywhere = ("people.sender", "people.recipient", "people.courier", *_PLACED)
    by = {(other.start, other.end) for other in clause.tags if other.kind == "signals.by"}
    if not returning and any(other.kind == "people.sender" and (other.start, other.end) in by for other in clause.tags):
        return Verdict("in_transit")
    # 邻居驿站 is a station, no neighbour.
    points = {other.start for other in clause.tags if other.kind == "places.point"}
    by |= {(other.start, other.end) for other in clause.tags if other.end in points and not clause.spaced}
    where = _first(_but(clause.after(tag), by), *anywhere)
    if where is None and clause.lexicon.verb_final:
        where = _first(_but(clause.before(tag), by), *anywhere)
    elif where is None:
        # 国外邮政已妥投: who has brought it to its end is not where it is.
        carriers = () if kind == "done" and not clause.spaced else ("places.hub", "places.depot")
        where = _first(clause.before(tag), "people.sender", "places.point", *carriers)
        if where == "people.sender" and not returning:
            where = None
    if where in ("people.sender", "people.recipient", "places.home"):
        # "the front desk of the hub", "a locker at the customer's": the later place is where it is.
        behind = [other.kind for other in clause.tags if other.start >= tag.end]
        later = ("places.hub", "places.depot", "places.point") if clause.spaced else ("places.point",)
        where = next((kind for kind in later if kind in behind), where)
    if where == "people.sender":
        return Verdict("returned")
    if where in ("places.point", "places.name"):
        return Verdict("held")
    if where in ("places.hub", "places.depot", "people.courier"):
        return Verdict("returning" if returning else "arrived")
    if returning:
        return Verdict("returned")
    if where in ("people.recipient", "places.home"):
        return Verdict("delivered")
    if kind == "put" or any(other.kind == "signals.to" and other.start >= tag.end for other in clause.tags):
        return Verdict("out_for_delivery", weak=True) if kind == "put" else Verdict("in_transit")
    if kind == "reach" and not clause.spaced and len(clause.text) - tag.end > 1:
        return Verdict("held")
    return Verdict("delivered")


def _taken(clause: Clause, tag: Tag, kind: str, returning: bool) -> Verdict:
    if _first(clause.after(tag), "places.depot", "places.hub"):
        taken = clause.has("people.recipient") and not clause.has("people.courier")
        return Verdict("delivered", by_hand=True) if taken and clause.spaced else Verdict("in_transit")
    if clause.has("people.courier"):
        return Verdict("in_transit" if clause.has("places.point") and not clause.has("people.sender") else "picked_up")
    if clause.has("people.sender") or (clause.has("signals.dropped") and not clause.has("people.recipient")):
        return Verdict("returned" if returning and kind != "collect" else "picked_up")
    if clause.has("acts.held") and not clause.has("people.recipient"):
        return Verdict("in_transit")
    brought = any(other.kind in ("ends.put", "ends.reach") for other in clause.before(tag))
    if kind != "collect" and (brought or not clause.has(*_BY_RECIPIENT)):
        return Verdict("held")
    proved = clause.has("signals.proof") and clause.has("signals.done")
    if kind != "collect" or proved or clause.has("people.recipient", "places.point", "signals.with"):
        return Verdict("delivered", by_hand=True)
    return Verdict("picked_up")


def _received(clause: Clause, returning: bool) -> Verdict:
    if clause.has("acts.info_received"):
        return Verdict("info_received")
    if clause.has("people.sender"):
        return Verdict("returned" if returning else "picked_up")
    if clause.has("places.hub", "places.depot") or (clause.has("places.point") and not _fetched(clause)):
        return Verdict("arrived")
    if returning:
        return Verdict("returning")
    return Verdict("delivered" if clause.has("people.recipient") else "picked_up")


def _fetched(clause: Clause) -> bool:
    """Whether a recipient is there who had it from a place."""
    return clause.has("people.recipient") and clause.has("signals.from") and not clause.has("people.courier")


def _accepted(clause: Clause) -> Verdict:
    near = clause.has("people.recipient", "places.home") and not clause.has("places.point", "places.name")
    return Verdict("delivered", by_hand=True) if near else Verdict("held")


def _back(clause: Clause, tag: Tag, kind: str) -> Verdict:
    if clause.has("places.hub", "places.depot", "places.point", "places.name"):
        return Verdict("returning")
    if kind == "back_done":
        return Verdict("returned")
    done = kind == "back_past" or clause.has("signals.done")
    towards = clause.tags if clause.lexicon.verb_final else clause.after(tag)
    to_sender = any(other.kind == "people.sender" for other in towards)
    return Verdict("returned" if done and to_sender else "returning")
