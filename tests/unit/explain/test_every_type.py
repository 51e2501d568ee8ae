"""An alert of every type is explained by the threshold or question that it came from."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from schemas.decode import decode
from schemas.times import parse
from streams.explain.checks import RAISED_NOW
from streams.policy import load
from streams.policy.model import Policy
from streams.replay.reading import Line
from streams.rules.alert import RAISED, Alert
from streams.rules.alert_types import ALERT_TYPES
from streams.stages.single_reader import SingleReader
from tests.every_rule import POLICY, Event, stream
from tests.unit.explain.telling import lines_of, tell, unexplained

ABOUT = ("shipment", "order", "ticket", "conversation")


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> tuple[Policy, list[Event], int, dict[str, Alert]]:
    """The policy, the events, the end, and of every type the first alert that no feed's silence moved."""
    file = tmp_path_factory.mktemp("policy") / "lively.toml"
    file.write_text(POLICY)
    policy = load.load(str(file))
    events, until = stream()
    reader = SingleReader(policy)
    for topic, _, value in events:
        event, time = decode(topic, value)
        reader.take(topic, event, time, value)
    reader.finish(parse(until))
    found: dict[str, Alert] = {}
    for alert in reader.drain()[0]:
        if alert.status == RAISED and "feed_silent" not in alert.evidence:
            found.setdefault(alert.type, alert)
    return policy, events, parse(until), found


def of_it(events: list[Event], alert: Alert) -> Iterator[Line]:
    """What names the subject or its order, as a replay reads it."""
    names = [f'"{name}"'.encode() for name in (alert.subject, alert.order_id) if name is not None]
    yield from lines_of((topic, value) for topic, _, value in events if any(name in value for name in names))


@pytest.mark.parametrize("name", [name for name, type_ in ALERT_TYPES.items() if type_.about in ABOUT])
def test_an_alert_is_explained_by_what_it_came_from(
    name: str, history: tuple[Policy, list[Event], int, dict[str, Alert]]
) -> None:
    policy, events, until, alerts = history
    alert = alerts[name]
    stories = [
        story
        for story in tell(alert.subject, list(of_it(events, alert)), policy, until)[1]
        if story.name.kind == ALERT_TYPES[name].about
    ]
    checks = [check for story in stories for check in story.checks if check.type == name]
    assert RAISED_NOW in {check.outcome for check in checks if check.episode == alert.episode}
    assert [text for story in stories for text in unexplained(story)] == []
