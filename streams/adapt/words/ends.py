"""What an end that a clause names amounts to: who has the parcel now, and where."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator, Sequence

from streams.adapt.words.clauses import PLACED, Clause, Verdict, first_of
from streams.adapt.words.lexicon import Tag

_BY_RECIPIENT = ("signals.done", "signals.with", "people.recipient", "places.home", "ends.sign")
"""What says that it was the recipient who took a parcel, where nothing says that it was somebody else."""
_SELF_DONE = ("signals.done", "signals.with", "signals.proof", "signals.thanks", "ends.sign")
"""What says that a recipient has come for a parcel, not only that they will (客户自提)."""


def end_of(clause: Clause, tag: Tag, kind: str, returning: bool) -> Iterator[Verdict]:
    """The verdicts on an end that has been reached; `returning` says that the parcel is on its way back."""
    if kind == "sign":
        if not clause.has("ends.take", "ends.self", "ends.collect"):
            yield _signed(clause, tag, returning)
    elif kind in ("done", "reach", "put", "hand"):
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


def _head(tags: Sequence[Tag], *kinds: str) -> str | None:
    """The first of these kinds, or what it only describes: 目的地收件人 is a recipient."""
    found: Tag | None = None
    for tag in tags:
        if tag.kind in kinds and (found is None or tag.start - found.end <= 1):
            found = tag
        elif found is not None:
            break
    return found.kind if found else None


def _but(tags: Iterable[Tag], spans: Collection[tuple[int, int]]) -> list[Tag]:
    """The words without those at these places."""
    return [tag for tag in tags if (tag.start, tag.end) not in spans]


def _signed(clause: Clause, tag: Tag, returning: bool) -> Verdict:
    who = first_of(clause.after(tag), "people.sender", "people.recipient", "people.courier", *PLACED)
    before = clause.before(tag)
    if who == "people.sender" or first_of(before, "people.sender"):
        return Verdict("returned")
    if returning:
        return Verdict("returning" if clause.has("places.hub") else "returned")
    if clause.has("people.recipient", "signals.proof") and who not in ("places.point", "places.hub"):
        if first_of(before, "people.courier") and who != "people.recipient":
            return Verdict("in_transit")
        return Verdict("delivered", by_hand=True)
    if who == "people.recipient":
        return Verdict("delivered")
    if who == "people.courier" or first_of(before, "people.courier"):
        return Verdict("in_transit")
    near = first_of(before, *PLACED)
    if "places.point" in (who, near):
        return Verdict("held")
    if who in ("places.hub", "places.depot") or near in ("places.hub", "places.depot"):
        return Verdict("arrived")
    return Verdict("delivered")


def _brought(clause: Clause, tag: Tag, kind: str, returning: bool) -> Verdict:
    anywhere = ("people.sender", "people.recipient", "people.courier", *PLACED)
    by = {(other.start, other.end) for other in clause.tags if other.kind == "signals.by"}
    if not returning and any(other.kind == "people.sender" and (other.start, other.end) in by for other in clause.tags):
        return Verdict("in_transit")
    # 邻居驿站 is a station, no neighbour.
    points = {other.start for other in clause.tags if other.kind == "places.point"}
    by |= {(other.start, other.end) for other in clause.tags if other.end in points and not clause.spaced}
    behind = _but(clause.after(tag), by)
    where = first_of(behind, *anywhere) if clause.spaced else _head(behind, *anywhere)
    if where is None and clause.lexicon.verb_final:
        where = first_of(_but(clause.before(tag), by), *anywhere)
    elif where is None:
        # 国外邮政已妥投: who has brought it to its end is not where it is.
        carriers = () if kind == "done" and not clause.spaced else ("places.hub", "places.depot")
        where = first_of(clause.before(tag), "people.sender", "places.point", *carriers)
        if where == "people.sender" and not returning:
            where = None
    if where in ("people.sender", "people.recipient", "places.home"):
        # "the front desk of the hub", "a locker at the customer's": the later place is where it is.
        kinds = [other.kind for other in clause.tags if other.start >= tag.end]
        if not clause.spaced:
            later: tuple[str, ...] = ("places.point",)
        else:
            later = ("places.hub", "places.depot") if kind == "hand" else ("places.hub", "places.depot", "places.point")
        where = next((kind for kind in later if kind in kinds), where)
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
    if kind in ("put", "hand"):
        return Verdict("out_for_delivery", weak=True)
    if any(other.kind == "signals.to" and other.start >= tag.end for other in clause.tags):
        return Verdict("in_transit")
    if kind == "reach" and not clause.spaced and len(clause.text) - tag.end > 1:
        return Verdict("held")
    return Verdict("delivered")


def _taken(clause: Clause, tag: Tag, kind: str, returning: bool) -> Verdict:
    if _from_recipient(clause):
        return Verdict("in_transit")
    if returning and clause.has("places.point") and not clause.has("people.sender", "people.recipient"):
        return Verdict("returning")
    if first_of(clause.after(tag), "places.depot", "places.hub"):
        taken = clause.has("people.recipient") and not clause.has("people.courier")
        return Verdict("delivered", by_hand=True) if taken and clause.spaced else Verdict("in_transit")
    if clause.has("people.courier"):
        return Verdict("in_transit" if clause.has("places.point") and not clause.has("people.sender") else "picked_up")
    if clause.has("people.sender") or (clause.has("signals.dropped") and not clause.has("people.recipient")):
        return Verdict("returned" if returning and (kind != "collect" or _by(clause, "people.sender")) else "picked_up")
    if clause.has("acts.held") and not clause.has("people.recipient"):
        return Verdict("in_transit")
    brought = any(other.kind in ("ends.put", "ends.hand", "ends.reach") for other in clause.before(tag))
    if kind != "collect" and (brought or not clause.has(*_BY_RECIPIENT)):
        return Verdict("held")
    proved = clause.has("signals.proof") and clause.has("signals.done")
    if kind != "collect" or proved or clause.has("people.recipient", "places.point", "signals.with"):
        return Verdict("delivered", by_hand=True)
    return Verdict("picked_up")


def _received(clause: Clause, returning: bool) -> Verdict:
    if clause.has("acts.info_received"):
        return Verdict("info_received")
    if _from_recipient(clause):
        return Verdict("in_transit")
    if clause.has("people.sender"):
        return Verdict("returned" if returning else "picked_up")
    if clause.has("places.hub", "places.depot") or (clause.has("places.point") and not _fetched(clause)):
        return Verdict("arrived")
    if returning:
        return Verdict("returning")
    return Verdict("delivered" if clause.has("people.recipient") else "picked_up")


def _by(clause: Clause, kind: str) -> bool:
    """Whether the one who acts is of this kind ("collected by the sender")."""
    who = {(tag.start, tag.end) for tag in clause.tags if tag.kind == kind}
    return any(tag.kind == "signals.by" and (tag.start, tag.end) in who for tag in clause.tags)


def _from_recipient(clause: Clause) -> bool:
    """Whether it was the recipient from whom the parcel was taken (从客户处取回)."""
    pairs = itertools.pairwise(clause.tags)
    return any(
        one.kind == "signals.from" and other.kind == "people.recipient" and other.start - one.end <= 1
        for one, other in pairs
    )


def _fetched(clause: Clause) -> bool:
    """Whether a recipient is there who had it from a place."""
    had = clause.has("signals.from") or _by(clause, "people.recipient")
    return clause.has("people.recipient") and had and not clause.has("people.courier")


def _accepted(clause: Clause) -> Verdict:
    near = clause.has("people.recipient") and not clause.has("places.point", "places.name")
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
