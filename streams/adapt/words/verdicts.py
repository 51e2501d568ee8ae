"""What a clause says happened to a parcel: to whom and where, and whether it did."""

from __future__ import annotations

from collections.abc import Iterator

from streams.adapt.words.clauses import PLACED, Clause, Verdict, first_of, hedge
from streams.adapt.words.ends import end_of
from streams.adapt.words.lexicon import Tag

_OPEN = frozenset({"ends.put", "ends.hand", "ends.back", "ends.back_past", "ends.destroy", "ends.accept"})
"""Ends of which it does not matter what follows them."""


def verdicts_of(clause: Clause, back: bool) -> Iterator[Verdict]:
    """The verdicts of a clause; `back` says that the text has said before that the parcel goes back."""
    returning = back or clause.has("ends.back", "ends.back_past", "ends.back_done")
    for tag in clause.tags:
        group, _, kind = tag.kind.partition(".")
        if group == "acts":
            yield from _act(clause, tag, kind)
        elif group == "ends":
            why = hedge(clause, tag)
            if clause.text == clause.text[tag.start : tag.end] and kind == "back":
                yield Verdict("returning", bare=True)
            elif why is not None:
                yield _unmet(clause, kind, why)
            elif not _closes(clause, tag):
                yield Verdict("in_transit", weak=True)
            else:
                yield from end_of(clause, tag, kind, returning)


def _act(clause: Clause, tag: Tag, status: str) -> Iterator[Verdict]:
    why = hedge(clause, tag)
    if why is None or why == "going":
        lies = status == "arrived" and not clause.spaced and first_of(clause.after(tag), *PLACED) == "places.point"
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
    if clause.spaced and tag.kind != "ends.reach":
        return True
    following = min((other.start for other in clause.tags if other.start >= tag.end), default=len(clause.text))
    rest = clause.text[tag.end : following]
    if clause.spaced and tails:
        words = rest.split()
        return not words or not words[0].isalpha() or words[0] in tails
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
