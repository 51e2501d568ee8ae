"""The alerts of a story are those that a replay raises, each is explained, and a shop's escalations add up."""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import orjson
import pytest

from schemas.times import DAY, HOUR
from streams.alerts.cloudevents import AlertWriter, name_of
from streams.explain.checks import STANDS, UNSENT
from streams.explain.subject import ORDER
from streams.marketplace.market import Plan, market
from streams.policy import load
from streams.policy.model import Policy
from streams.replay.reading import Line
from streams.replay.run import Replay
from streams.rules.alert import Alert
from streams.rules.alert_types import ALERT_TYPES
from tests.oracle.outages import dense, dense_stream, dense_until
from tests.oracle.streams import random_stream, random_until, shuffle_on_time
from tests.unit.explain.scenes import quick_replies
from tests.unit.explain.telling import lines_of, tell, unexplained
from tests.unit.rules.against_oracle import with_numbers_of
from tests.unit.stages.cluster import written

_IDS = ("tracking_no", "order_id", "ticket_id", "conversation_id", "shop_id")
PLAN = Plan(seed=5, shops=6, orders_per_day=14, days=33, anger=(3, 9))
UNTIL = PLAN.end - 2 * DAY


def replay(lines: list[Line], until: int | None = None) -> list[Any]:
    """The CloudEvents that a replay writes."""
    run = Replay(load.default(), until)
    summary = run.run(lines)
    with TemporaryDirectory() as name:
        folder = Path(name)
        run.write(folder, summary)
        files = [folder / f"alerts.{audience}.jsonl" for audience in ("merchant", "platform")]
        return [orjson.loads(line) for file in files for line in file.read_bytes().splitlines()]


@cache
def generated() -> list[Line]:
    """A market in which alerts of all kinds come up, in the order in which it reaches Kafka."""
    return lines_of((record.topic, record.encode()) for record in market(PLAN))


@cache
def replayed() -> list[Any]:
    """What a replay of it says."""
    return replay(generated(), UNTIL)


def named(lines: list[Line]) -> list[str]:
    """Everything that can be asked for, in an order that does not depend on the run."""
    found = {}
    for line in lines:
        value = orjson.loads(line.value or b"null")
        found.update({value[field]: None for field in _IDS if isinstance(value.get(field), str)})
    return sorted(found)


@cache
def subjects() -> list[str]:
    """30 of them: one of some alert of every type, and others."""
    rng = Random(7)
    by_type: dict[str, set[str]] = {}
    for alert in replayed():
        by_type.setdefault(alert["type"], set()).add(alert["subject"])
    asked = [rng.choice(sorted(known)) for type_, known in sorted(by_type.items()) if "item" not in type_]
    return list(dict.fromkeys(asked + rng.sample(named(generated()), 30)))[:30]


def test_the_generated_market_has_alerts_to_explain() -> None:
    assert {alert["type"].split(".")[1] for alert in replayed()} >= {"shipment", "order", "ticket", "help_rate"}


def about(name: Any, alert: Any) -> bool:
    """Whether a replay's alert is the subject's."""
    what = ALERT_TYPES[name_of(alert["type"])].about
    if name.kind == "shop":
        return bool(what in ("shop", "item") and alert["data"]["shop_id"] == name.id)
    of_it = what == name.kind and alert["subject"] == name.id
    return bool(of_it and name.carrier in (None, alert["data"]["carrier"]))


def records(alerts: list[Alert], policy: Policy) -> Counter[bytes]:
    """The records that alerts become."""
    writer = AlertWriter(policy.label, policy.platform)
    return Counter(record.value for alert in alerts for record in writer.records(alert))


@pytest.mark.parametrize("number", range(30))
def test_the_alerts_of_a_story_are_those_of_the_replay(number: int) -> None:
    policy, subject = load.default(), subjects()[number]
    watch, told = tell(subject, generated(), policy, UNTIL)
    assert told
    for story in told:
        assert records(story.alerts, policy) == Counter(
            orjson.dumps(alert) for alert in replayed() if about(story.name, alert)
        )
        assert unexplained(story) == []
        if story.name.kind == ORDER:
            joined = {name.id for name in story.parcels} | {check.about.id for check in story.checks} - {subject}
            theirs = [one for one in story.related_alerts if one.type.startswith(("shipment.", "ticket.", "chat."))]
            wanted = [
                alert
                for alert in replayed()
                if alert["subject"] in joined
                and alert["type"].startswith(("parcelwatch.shipment", "parcelwatch.ticket"))
            ]
            assert records(theirs, policy) == Counter(orjson.dumps(alert) for alert in wanted)
        if story.name.kind == "shop":
            _adds_up(watch.end, story)


def _adds_up(end: int, story: Any) -> None:
    """The escalations that are listed are those of the 30 days that were published."""
    boundary = (end - 1) // HOUR * HOUR
    stand = [one for one in story.escalations if one.outcome in ("counts", "voided") and _stands(one, boundary)]
    kinds = Counter(one.kind for one in stand)
    window = story.shop.record["30d"]
    columns = {
        "dispute": "disputes",
        "complaint": "complaints",
        "intervention": "interventions",
        "ticket_timeout": "ticket_timeouts",
    }
    assert {column: kinds[kind] for kind, column in columns.items()} == {one: window[one] for one in columns.values()}
    assert len(stand) == window["escalations"] > 0


def _stands(one: Any, boundary: int) -> bool:
    voided = one.facts.get("voided_at")
    return voided is None or voided.micros >= boundary


@pytest.mark.parametrize("seed", range(5))
def test_every_alert_of_a_nasty_history_is_explained_once(seed: int) -> None:
    rng = Random(seed)
    policy, events = quick_replies(), random_stream(rng, 120)
    until = random_until(rng, events)
    _explains_all(rng, lines_of(map(written, shuffle_on_time(events, rng))), policy, until)


@pytest.mark.parametrize("seed", range(5))
def test_every_alert_around_outages_is_explained_once(seed: int) -> None:
    rng = Random(seed)
    oracle = dense(rng)
    events = dense_stream(rng, oracle)
    until = dense_until(rng, oracle, events)
    _explains_all(
        rng, lines_of(map(written, shuffle_on_time(events, rng))), with_numbers_of(oracle, load.default()), until
    )


@pytest.mark.parametrize("seed", range(5))
def test_every_alert_of_a_history_with_late_events_is_explained_once(seed: int) -> None:
    rng = Random(seed)
    events = random_stream(rng, 100)
    until = random_until(rng, events)
    for _ in range(len(events) // 10):
        event = events.pop(rng.randrange(len(events)))
        events.insert(rng.randrange(len(events) + 1), event)
    _explains_all(rng, lines_of(map(written, events)), quick_replies(), until, late=True)


def _explains_all(rng: Random, lines: list[Line], policy: Policy, until: int, *, late: bool = False) -> None:
    names = named(lines)
    for subject in rng.sample(names, min(8, len(names))):
        for story in tell(subject, lines, policy, until)[1]:
            said = unexplained(story)
            # What was resolved or forgotten when a late event told of it is said to be.
            assert [one for one in said if not (late and one.startswith((STANDS, UNSENT)))] == []


def test_every_alert_of_a_history_belongs_to_a_story() -> None:
    lines = lines_of(map(written, random_stream(Random(3), 60)))
    around = ("parcelwatch.carrier", "parcelwatch.facility")
    wanted = {alert["id"] for alert in replay(lines) if not alert["type"].startswith(around)}
    policy = load.default()
    writer = AlertWriter(policy.label, policy.platform)
    told = [story for subject in named(lines) for story in tell(subject, lines)[1]]
    assert {record.id for story in told for alert in story.alerts for record in writer.records(alert)} == wanted
