"""Reconciles the alerts emitted with those that the history implies.

A rule derives *all* alerts of a history, past and future (`Expected`). Alerts that were sent are kept as `Emitted`. The
difference is what to send, so arrival order, duplicates and late events need no code of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from schemas.times import render
from streams.rules.alert import RAISED, RESOLVED, Alert

LATE_EVENT = "late_event"

#: States of an alert that was sent.
OPEN = "o"
RESOLVED_STATE = "r"
VOID = "v"


class Expected(NamedTuple):
    """One alert implied by a history.

    `anchor` tells it apart from others of its type and subject (the start of a silence, a request); with `raised` it
    says whether an alert sent is this one. `episode` is what consumers see of it, or a
    call that makes it: most that is expected never comes. `by_event`: raised by an event at
    that instant, not by a deadline. `evidence` is called with the status when the alert is sent.
    """

    type: str
    subject: str
    anchor: int | str
    episode: str | Callable[[], str]
    raised: int
    resolved: int | None
    resolution: str | None
    #: The resolution is a deadline of its own (giving up), not an event.
    resolved_by_deadline: bool
    audiences: tuple[str, ...]
    shop_id: str | None
    order_id: str | None
    carrier: str | None
    evidence: Callable[[str], dict[str, Any]]
    by_event: bool = False
    #: Where else it counts: the facility of a stall, if known.
    place: str | None = None
    #: The orders that others must count it for: those of a stalled shipment.
    orders: tuple[str, ...] = ()


class Emitted(msgspec.Struct, array_like=True, gc=False):
    """One alert that was sent. `state`: open, resolved, or void (disproved by a late event)."""

    type: str
    subject: str
    anchor: int | str
    raised: int
    episode: str
    audiences: tuple[str, ...]
    shop_id: str | None
    order_id: str | None
    carrier: str | None
    state: str = OPEN
    place: str | None = None


def in_order(sent: Emitted) -> tuple[int, str, str, str]:
    """Sorts what was sent, whether it was judged together or one after the other."""
    return sent.raised, sent.type, sent.subject, str(sent.anchor)


def reconcile(expected: Sequence[Expected], emitted: list[Emitted], watermark: int, settled: int) -> list[Alert]:
    """The alerts to send now. Updates `emitted` in place.

    Deadlines below `watermark` have passed; events below `settled` are final (both in microseconds).
    """
    alerts: list[Alert] = []
    passed = [x for x in expected if x.raised < (settled if x.by_event else watermark)]
    #: What was sent, by what tells alerts apart.
    known: dict[tuple[str, int | str, int], list[Emitted]] = {}
    if emitted:
        valid = {(x.type, x.anchor, x.raised) for x in passed}
        for sent in emitted:
            if sent.state == OPEN and (sent.type, sent.anchor, sent.raised) not in valid:
                sent.state = VOID
                alerts.append(_disproved(sent))
            if sent.state != VOID:
                known.setdefault((sent.type, sent.anchor, sent.raised), []).append(sent)
    episodes = _Episodes(emitted)
    for x in passed:
        matching = known.setdefault((x.type, x.anchor, x.raised), [])
        if not matching:
            matching.append(_raise(x, x.audiences, episodes.next(x), emitted, alerts))
        elif any(sent.state == OPEN for sent in matching):
            # An alert that still holds stays as sent; an audience that lacked it gets it now.
            lacking = tuple(a for a in x.audiences if not any(a in sent.audiences for sent in matching))
            if lacking:
                matching.append(_raise(x, lacking, matching[0].episode, emitted, alerts))
        if x.resolved is not None and x.resolved < (watermark if x.resolved_by_deadline else settled):
            for sent in matching:
                if sent.state == OPEN:
                    sent.state = RESOLVED_STATE
                    alerts.append(
                        Alert(
                            sent.type,
                            sent.subject,
                            RESOLVED,
                            x.resolved,
                            sent.audiences,
                            sent.shop_id,
                            sent.order_id,
                            sent.carrier,
                            sent.episode,
                            x.resolution,
                            x.evidence(RESOLVED),
                        )
                    )
    return alerts


def still_open(emitted: Iterable[Emitted]) -> Iterator[tuple[str, str]]:
    """The type and audience of each alert that is open, once for each audience."""
    return ((sent.type, audience) for sent in emitted if sent.state == OPEN for audience in sent.audiences)


def next_moment(expected: Iterable[Expected], watermark: int, settled: int) -> int | None:
    """The next time at which `reconcile` must run, in microseconds, or None."""
    least: int | None = None
    for x in expected:
        if x.raised >= (settled if x.by_event else watermark):
            moment = x.raised
        elif x.resolved is not None and x.resolved >= (watermark if x.resolved_by_deadline else settled):
            moment = x.resolved
        else:
            continue
        if least is None or moment < least:
            least = moment
    return least


def _raise(
    x: Expected, audiences: tuple[str, ...], episode: str, emitted: list[Emitted], alerts: list[Alert]
) -> Emitted:
    sent = Emitted(
        x.type, x.subject, x.anchor, x.raised, episode, audiences, x.shop_id, x.order_id, x.carrier, OPEN, x.place
    )
    emitted.append(sent)
    alerts.append(
        Alert(
            x.type,
            x.subject,
            RAISED,
            x.raised,
            audiences,
            x.shop_id,
            x.order_id,
            x.carrier,
            episode,
            None,
            x.evidence(RAISED),
        )
    )
    return sent


class _Episodes:
    """Names episodes: raising again with the same anchor (after a late event) starts a new one."""

    def __init__(self, emitted: list[Emitted]) -> None:
        self._emitted = emitted
        self._known: dict[tuple[str, int | str], set[str]] | None = None

    def next(self, x: Expected) -> str:
        """The episode of an alert that is raised now."""
        if self._known is None:
            # Indexed only when something is raised, which is rare.
            self._known = {}
            for sent in self._emitted:
                self._known.setdefault((sent.type, sent.anchor), set()).add(sent.episode)
        known = self._known.setdefault((x.type, x.anchor), set())
        episode = x.episode if isinstance(x.episode, str) else x.episode()
        named = f"{episode}#{len(known) + 1}" if known else episode
        known.add(named)
        return named


def _disproved(sent: Emitted) -> Alert:
    return Alert(
        sent.type,
        sent.subject,
        RESOLVED,
        sent.raised,
        sent.audiences,
        sent.shop_id,
        sent.order_id,
        sent.carrier,
        sent.episode,
        LATE_EVENT,
        {"raised_at": render(sent.raised)},
    )
