"""One threshold of the rules and its outcome."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from schemas.times import render
from streams.explain.facts import Facts, Name, at, plain_facts
from streams.rules.alert import RAISED, RESOLVED, Alert
from streams.rules.reconcile import LATE_EVENT

RAISED_NOW, PREVENTED, PENDING, WITHDRAWN, STANDS, UNSENT = (
    "raised", "prevented", "pending", "withdrawn", "stands", "unsent",
)  # fmt: skip


class Check(NamedTuple):
    """Whether an alert of a type was raised, and why or why not.

    `outcome`: a code of `words.toml`. `since`: where the time starts, `due`: the deadline as of the end; both in
    microseconds or None. `episode`: that of the alert, if raised.
    """

    type: str
    about: Name
    outcome: str
    since: int | None
    due: int | None
    facts: Facts
    episode: str | None = None

    def sentence(self) -> Facts:
        """The facts of its sentence."""
        return {**self.facts, "since": at(self.since), "due": at(self.due)}

    def told(self) -> dict[str, Any]:
        """As JSON, but for its sentence."""
        return {
            "type": self.type,
            "subject": self.about.id,
            "carrier": self.about.carrier,
            "outcome": self.outcome,
            "since": render(self.since) if self.since is not None else None,
            "due": render(self.due) if self.due is not None else None,
            "episode": self.episode,
            "facts": plain_facts(self.facts),
        }


#: What tells an alert that is raised again after a late event from the one before.
_NUMBER = re.compile(r"#\d+$")


class Sent(NamedTuple):
    """An alert that was raised: to whom, and how it ended."""

    raised: Alert
    audiences: tuple[str, ...]
    resolved: Alert | None

    @property
    def withdrawn(self) -> bool:
        """A late event disproved it."""
        return self.resolved is not None and self.resolved.resolution == LATE_EVENT


class Alerts:
    """The alerts of a story, by type and time, so that each is explained once."""

    def __init__(self, alerts: Sequence[Alert]) -> None:
        self._sent: dict[tuple[str, str, str], Sent] = {}
        self._told: set[tuple[str, str, str]] = set()
        for alert in alerts:
            key = (alert.type, alert.subject, alert.episode)
            known = self._sent.get(key)
            if alert.status == RAISED:
                if known is None:
                    self._sent[key] = Sent(alert, alert.audiences, None)
                else:
                    self._sent[key] = known._replace(audiences=(*known.audiences, *alert.audiences))
            elif alert.status == RESOLVED and known is not None:
                self._sent[key] = known._replace(resolved=alert)

    def raised(self, type_: str, about: Name, time: int, part: str = "") -> Sent | None:
        """The alert that stands, raised at `time`; `part`: what its episode holds, where one time is not enough."""
        for key, sent in self._sent.items():
            if (
                key[:2] == (type_, about.id)
                and sent.raised.time == time
                and not sent.withdrawn
                and about.carrier in (None, sent.raised.carrier)
                and part in f"{_NUMBER.sub('', sent.raised.episode)}/"
            ):
                self._told.add(key)
                return sent
        return None

    def rest(self, about: Name, types: frozenset[str]) -> list[Check]:
        """The alerts of these types that no threshold explains.

        A late event disproved them, or came too late even for that.
        """
        found = []
        for key, sent in self._sent.items():
            type_, subject, episode = key
            theirs = subject == about.id and about.carrier in (None, sent.raised.carrier)
            if theirs and type_ in types and key not in self._told:
                outcome = WITHDRAWN if sent.withdrawn else STANDS
                facts: Facts = {} if sent.withdrawn else _end(sent)
                found.append(Check(type_, about, outcome, None, sent.raised.time, facts, episode))
        return found


def raised(type_: str, about: Name, since: int | None, due: int, facts: Facts, sent: Sent | None) -> Check:
    """A threshold that was passed. `sent`: its alert; None if its cause became known too late."""
    if sent is None:
        return Check(type_, about, UNSENT, since, due, facts)
    told: Facts = {**facts, "audiences": list(sent.audiences), **_end(sent)}
    return Check(type_, about, RAISED_NOW, since, due, told, sent.raised.episode)


def _end(sent: Sent) -> Facts:
    if sent.resolved is None:
        return {}
    return {"resolved_at": at(sent.resolved.time), "resolution": sent.resolved.resolution}
