"""Tells the story of a subject of a timeline, and reads the page that it makes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from io import StringIO
from typing import Any

import orjson

from streams.explain.checks import STANDS, UNSENT
from streams.explain.document import document
from streams.explain.story import Story, stories
from streams.explain.subject import scope_of
from streams.explain.terminal import Page
from streams.explain.watch import Watch
from streams.explain.wording import Words
from streams.policy import load
from streams.policy.model import Policy
from streams.replay.reading import Line
from streams.rules.alert import RAISED, Alert
from streams.rules.reconcile import LATE_EVENT
from tests.unit.rules.timeline import T0, Timeline


def lines_of(events: Iterable[tuple[str, bytes]]) -> list[Line]:
    """Events as a replay reads them."""
    return [Line(number, topic, value) for number, (topic, value) in enumerate(events, 1)]


def tell(
    subject: str, lines: list[Line], policy: Policy | None = None, until: int | None = None
) -> tuple[Watch, list[Story]]:
    """All stories of a subject. `until`: microseconds."""
    watch = Watch(policy or load.default(), until, scope_of(subject, lines, policy or load.default()))
    watch.run(lines)
    return watch, stories(watch)


class Told:
    """What is told of a subject of a timeline; `until`: microseconds after T0."""

    def __init__(self, timeline: Timeline, subject: str, until: int | None = None) -> None:
        end = T0 + until if until is not None else None
        self.watch, self.stories = tell(subject, lines_of(timeline.events), timeline.policy, end)

    @property
    def story(self) -> Story:
        """The only one."""
        (story,) = self.stories
        return story

    @property
    def json(self) -> dict[str, Any]:
        """The whole as a program reads it."""
        found: dict[str, Any] = orjson.loads(document(self.watch, self.stories))
        return found

    def page(self, language: str = "en") -> str:
        """The page without a terminal; the policy's version, which changes with every setting, is left out."""
        out = StringIO()
        Page(Words(language), out).write(self.watch, self.stories)
        return out.getvalue().replace(self.watch.policy.label, self.watch.policy.name)

    def outcomes(self, type_: str) -> list[str]:
        """What came of the thresholds of a type of alert, in order."""
        return [check.outcome for check in self.story.checks if check.type == type_]

    def check(self, type_: str, outcome: str) -> dict[str, Any]:
        """The only check of a type with an outcome, as JSON."""
        story = self.json["stories"][0]
        (found,) = [one for one in story["checks"] if (one["type"], one["outcome"]) == (type_, outcome)]
        return dict(found)

    def marks(self) -> dict[str, list[str]]:
        """The codes of the marks, by event id."""
        rows = self.story.rows + self.story.related_rows
        return {row.event_id: [mark.code for mark in row.marks] for row in rows if row.marks}


def unexplained(story: Story) -> list[str]:
    """What the checks do not say of the alerts, or say without there being one; and what only late events explain."""
    alerts = story.alerts + (story.related_alerts if story.name.kind == "order" else [])
    mine = [alert for alert in alerts if alert.type.split(".")[0] in _EXPLAINED]
    ends = {(one.type, one.subject, one.episode): one.resolution for one in mine if one.status != RAISED}
    want: Counter[Any] = Counter()
    for key in {_key(alert) for alert in mine if alert.status == RAISED}:
        want[(*key, "withdrawn" if ends.get(key) == LATE_EVENT else "raised")] += 1
    got: Counter[Any] = Counter()
    for check in story.checks:
        if check.episode is not None:
            # One that stands was raised, and nobody took it back.
            outcome = "raised" if check.outcome == STANDS else check.outcome
            got[check.type, check.about.id, check.episode, outcome] += 1
    odd = [f"{check.outcome} {check.type}" for check in story.checks if check.outcome in (STANDS, UNSENT)]
    return odd + [f"{one}" for one in (want - got) + (got - want)]


_EXPLAINED = ("shipment", "order", "aftersales", "ticket", "chat")


def _key(alert: Alert) -> tuple[str, str, str]:
    return alert.type, alert.subject, alert.episode
