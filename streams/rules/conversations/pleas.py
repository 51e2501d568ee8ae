"""Decides whether a message asks for the platform's staff: who is called, to do what, and that the writer wants it.

The policy's words are looked up in each clause, left to right, longest first; only the order of their roles decides
what a clause means.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from operator import or_

from streams.policy.model import Interventions
from streams.rules.conversations.plea_words import Clause, Role, Vocabulary, gap, length

_REFUSED = Role.PHRASE | Role.DECIDE | Role.DISPUTE | Role.APPEAL
_WANTS = Role.WILL | Role.OWN | Role.CALL | Role.FILE | Role.ASKING
_ANOTHER = Role.OTHER | Role.CALLEE | Role.REPORT

#: How far apart two words of a clause may be and still belong together, in characters, or in words for Latin text.
_TO_CALLEE = 4
_TO_ACT = 9
_TO_STAFF_ACT = 8
_BESIDE = 2
_TO_DISPUTE = 5
_REFUSES = 10
_REFUSES_CALLEE = 8
_UNDOES = 6
_UNDONE_AFTER = 3

#: Most words to look back over: no real clause is longer, and the work stays linear.
_LOOKED_BACK = 40


class Detector:
    """Detects messages that ask for the platform's staff, by a policy. Takes linear time."""

    def __init__(self, rules: Interventions) -> None:
        self._vocabulary = Vocabulary(rules)

    def asks(self, text: str) -> bool:
        """Whether a buyer's message asks for the platform's staff."""
        sentences = self._vocabulary.sentences(text)
        if any(clause.roles & Role.EXCEPTION or _is_refused(clause) for said in sentences for clause in said):
            return False
        return any(map(_asks, sentences))


def _is_refused(clause: Clause) -> bool:
    """Whether the clause says not to call anybody, or not any longer."""
    words = clause.words
    for number, word in enumerate(words):
        if word.roles & (Role.REFUSAL | Role.UNDO) and _refuses(clause, number):
            return True
        if word.roles & Role.UNDONE and any(
            before.roles & (_REFUSED | Role.CALLEE) and gap(clause, before, word) <= _UNDONE_AFTER
            for before in words[max(0, number - 2) : number]
        ):
            return True
    return False


def _refuses(clause: Clause, number: int) -> bool:
    """Whether the refusal or retraction refers to a plea: no new thought begins between them."""
    word = clause.words[number]
    reach = _REFUSES if word.roles & Role.REFUSAL else _UNDOES
    for after in clause.words[number + 1 : number + 1 + _LOOKED_BACK]:
        apart = gap(clause, word, after)
        if apart > reach or after.roles & Role.TURN:
            return False
        if after.roles & _REFUSED or (after.roles & Role.CALLEE and apart <= _REFUSES_CALLEE):
            return True
    return False


def _asks(sentence: list[Clause]) -> bool:
    """Whether a clause asks on the writer's own behalf, and the context does not retract it."""
    roles = reduce(or_, (clause.roles for clause in sentence))
    if roles & Role.SUPPOSING and roles & Role.ASKING and not roles & Role.OWN:
        return False
    named = bool(roles & (Role.CALLEE | Role.DISPUTE))
    last_business = max((number for number, clause in enumerate(sentence) if clause.business >= 0), default=-1)
    advised = reported = False
    for number, clause in enumerate(sentence):
        business = number < last_business
        for first, last in _pleas(clause, business=business, named=named, owned=bool(roles & Role.OWN)):
            if not (_is_others(clause, first, advised=advised, reported=reported) or _is_past(clause, first, last)):
                return True
        advised = (advised or bool(clause.roles & Role.ADVICE)) and not clause.roles & Role.OWN
        reported = _ends_in_report(clause)
    return False


def _is_others(clause: Clause, first: int, *, advised: bool, reported: bool) -> bool:
    """Whether a plea that starts at word `first` is one that others make, advise or report."""
    if reported or clause.roles & Role.OTHERS_DO:
        return True
    before = clause.words[max(0, first - _LOOKED_BACK) : first]
    own_from = next((word.start for word in (clause.words[first], *reversed(before)) if word.roles & Role.OWN), -1)
    if own_from < 0 and (advised or clause.roles & Role.ADVICE):
        return True
    # What directly follows a report is its content: 说我要找.
    return any(word.roles & (Role.REPORT | Role.ADVICE) and own_from < word.end + _BESIDE for word in before)


def _is_past(clause: Clause, first: int, last: int) -> bool:
    """Whether the act is already done (平台已经介入); a request already made still asks (已经申请平台介入)."""
    return any(word.roles & Role.DONE for word in clause.words[first:last]) and not clause.roles & _WANTS


def _ends_in_report(clause: Clause) -> bool:
    last = clause.words[-1] if clause.words and not clause.roles & Role.REFUSAL else None
    return last is not None and bool(last.roles & Role.REPORT) and len(clause.text) - last.end <= 1


def _pleas(clause: Clause, *, business: bool, named: bool, owned: bool) -> Iterator[tuple[int, int]]:
    """The pleas of a clause, whoever makes them, as indexes of their first and last words.

    `business`: other business follows in the sentence; `named`: it names the platform or a dispute; `owned`: the writer
    speaks for themselves in it.
    """
    wants = bool(clause.roles & _WANTS)
    for index, word in enumerate(clause.words):
        if word.roles & Role.PHRASE:
            yield index, index
        if word.roles & Role.CALLEE:
            if not business and clause.business < index:
                yield from _called(clause, index)
            yield from _to_act(clause, index, wants=wants)
        if word.roles & Role.DESK and wants:
            yield from _staff_to_act(clause, index)
        if word.roles & Role.DECIDE and _is_asked_for(clause, index):
            yield index, index
        if word.roles & Role.DISPUTE and _is_raised(clause, index, owned=owned):
            yield index, index
        if word.roles & Role.APPEAL and named and clause.roles & (Role.WILL | Role.OWN | Role.FILE):
            yield index, index


def _called(clause: Clause, index: int) -> Iterator[tuple[int, int]]:
    """找平台客服: the nearest call before the callee."""
    callee = clause.words[index]
    for before in range(index - 1, -1, -1):
        word = clause.words[before]
        if gap(clause, word, callee) > _TO_CALLEE or word.roles & _ANOTHER:
            return
        if word.roles & Role.CALL:
            yield before, index
            return


def _to_act(clause: Clause, index: int, *, wants: bool) -> Iterator[tuple[int, int]]:
    """平台介入, 平台来处理, 平台帮忙: what the callee should do."""
    callee = clause.words[index]
    for number in range(index + 1, len(clause.words)):
        word = clause.words[number]
        if gap(clause, callee, word) > _TO_ACT or (word.roles & _ANOTHER and not _is_object(clause, number)):
            return
        if word.roles & Role.DECIDE or (wants and word.roles & Role.SETTLE):
            yield index, number
        elif word.roles & Role.FAVOUR and clause.business < index and _is_bidden(clause, index):
            yield index - 1, number


def _is_object(clause: Clause, number: int) -> bool:
    """把商家封了: whether the other party is acted upon instead of acting."""
    before, word = clause.words[number - 1], clause.words[number]
    return bool(before.roles & Role.TOWARD and word.roles & Role.OTHER) and gap(clause, before, word) <= _TO_CALLEE


def _is_bidden(clause: Clause, index: int) -> bool:
    """请平台, 需要平台: whether the word before the callee makes a request of it."""
    if not index:
        return False
    before = clause.words[index - 1]
    return bool(before.roles & Role.BID) and gap(clause, before, clause.words[index]) <= _BESIDE


def _staff_to_act(clause: Clause, index: int) -> Iterator[tuple[int, int]]:
    """叫客服介入: any customer service staff, unless they are somebody else's (厂家客服)."""
    desk = clause.words[index]
    before = clause.words[index - 1] if index else None
    if before is not None and before.roles & Role.OTHER and gap(clause, before, desk) <= 1:
        return
    for number in range(index + 1, len(clause.words)):
        word = clause.words[number]
        if gap(clause, desk, word) > _TO_STAFF_ACT or word.roles & _ANOTHER:
            return
        if word.roles & Role.DECIDE:
            yield index, number


def _is_asked_for(clause: Clause, index: int) -> bool:
    """申请介入, 介入一下, 介入: an act without a named actor; not 领导介入."""
    act = clause.words[index]
    if _is_anothers(clause, index):
        return False
    before = clause.words[index - 1] if index else None
    if before is not None and gap(clause, before, act) <= _BESIDE:
        if before.roles & (Role.OWN | Role.FILE | Role.CALL | Role.BID | Role.DESK):
            return bool(clause.roles & _WANTS)
        if before.roles & Role.WILL:
            # The actor may be somebody that no list knows: 邻居会介入.
            actor = clause.text[clause.words[index - 2].end if index > 1 else 0 : before.start]
            return length(actor) < (_BESIDE if actor.isascii() else _BESIDE + 1)
    elif length(clause.text[before.end if before else 0 : act.start]) > _BESIDE:
        return False
    after = clause.words[index + 1] if index + 1 < len(clause.words) else None
    if after is not None and after.roles & (Role.WILL | Role.ASKING) and gap(clause, act, after) <= _BESIDE:
        return True
    return length(clause.text) - length(clause.text[act.start : act.end]) <= 1


def _is_anothers(clause: Clause, index: int) -> bool:
    """Whether somebody else acts: the last party named before it does not belong to the platform."""
    for word in reversed(clause.words[max(0, index - _LOOKED_BACK) : index]):
        if word.roles & (Role.CALLEE | Role.OWN | Role.FILE):
            return False
        if word.roles & Role.OTHER:
            return True
    return False


def _is_raised(clause: Clause, index: int, *, owned: bool) -> bool:
    """申请纠纷单, 我的纠纷单怎么还没处理: a dispute that the writer raises or has raised."""
    dispute = clause.words[index]
    if _is_anothers(clause, index):
        return False
    for word in clause.words[max(0, index - _TO_DISPUTE) : index + _TO_DISPUTE]:
        between = (word, dispute) if word.end <= dispute.start else (dispute, word)
        if word.roles & Role.FILE and gap(clause, *between) <= _TO_DISPUTE:
            return True
    return owned or bool(clause.roles & Role.WILL)
