"""A story as JSON: every sentence in every language, times in RFC 3339."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from schemas.times import render
from streams.alerts.cloudevents import AlertWriter
from streams.alerts.languages import LANGUAGES
from streams.engine.processor import BEGINNING
from streams.explain.checks import Check
from streams.explain.escalations import Counting
from streams.explain.facts import Name, plain_facts
from streams.explain.rows import Mark, Row
from streams.explain.shops import Judged, ShopFigures
from streams.explain.story import Story
from streams.explain.subject import place
from streams.explain.watch import Watch
from streams.explain.wording import Words
from streams.rules.alert import Alert

_WORDS = tuple(Words(language) for language in LANGUAGES)


def document(watch: Watch, told: list[Story]) -> bytes:
    """All stories of a subject as one object, indented."""
    whole = {
        "subject": watch.scope.subject,
        "policy": watch.policy.label,
        "as_of": render(watch.end) if watch.end != BEGINNING else None,
        "stories": [_story(watch, story) for story in told],
        "unreadable": [one.told() for one in watch.scope.unreadable],
    }
    return orjson.dumps(whole, option=orjson.OPT_INDENT_2)


def _story(watch: Watch, story: Story) -> dict[str, Any]:
    writer = AlertWriter(watch.policy.label, watch.policy.platform)
    return {
        "kind": story.name.kind,
        "id": story.name.id,
        "carrier": story.name.carrier,
        "orders": story.orders,
        "parcels": [_name(one) for one in story.parcels],
        "shops": story.shops,
        "state": _mark(story.state, "state") if story.state is not None else None,
        "events": [_row(row) for row in story.rows],
        "related_events": [_row(row) for row in story.related_rows],
        "alerts": [one for alert in story.alerts for one in _alert(writer, alert)],
        "related_alerts": [one for alert in story.related_alerts for one in _alert(writer, alert)],
        "checks": [_check(check) for check in story.checks],
        "escalations": [_counting(one) for one in story.escalations],
        "help_rate": _help_rate(story.shop) if story.shop is not None else None,
    }


def _name(name: Name) -> dict[str, Any]:
    return {"kind": name.kind, "id": name.id, "carrier": name.carrier}


def _row(row: Row) -> dict[str, Any]:
    return {
        "time": render(row.time),
        "topic": row.topic,
        **place(row.line, row.partition, row.file),
        "event_id": row.event_id,
        "type": row.type,
        "about": [_name(name) for name in row.names],
        "shop_id": row.shop_id,
        "facts": plain_facts(row.facts),
        "marks": [_mark(mark, "mark") for mark in row.marks],
        "message": _said(lambda words: words.event(row.type, row.facts)),
    }


def _mark(mark: Mark, kind: str) -> dict[str, Any]:
    return {
        "code": mark.code,
        "facts": plain_facts(mark.facts),
        "message": _said(lambda words: getattr(words, kind)(mark.code, mark.facts)),
    }


def _alert(writer: AlertWriter, alert: Alert) -> list[Any]:
    """The records of the alert as they are on the topics."""
    return [orjson.loads(record.value) for record in writer.records(alert)]


def _check(check: Check) -> dict[str, Any]:
    message = _said(lambda words: words.check(check.type, check.outcome, check.sentence()))
    return {**check.told(), "message": message}


def _counting(one: Counting) -> dict[str, Any]:
    message = _said(lambda words: words.counting(one.outcome, one.sentence()))
    return {**one.told(), "facts": plain_facts(one.facts), "message": message}


def _judged(one: Judged) -> dict[str, Any]:
    return {**one.told(), "message": _said(lambda words: words.shop("judged", one.sentence()))}


def _help_rate(shop: ShopFigures) -> dict[str, Any]:
    return {
        "now": {**_judged(shop.now), "7d": shop.record["7d"], "30d": shop.record["30d"]}
        if shop.now is not None and shop.record is not None
        else None,
        "changes": [_judged(one) for one in shop.changes],
        "other_alerts": {type_: {"raised": raised, "open": open_} for type_, (raised, open_) in shop.alerts.items()},
    }


def _said(sentence: Callable[[Words], str]) -> dict[str, str]:
    return {words.tag: sentence(words) for words in _WORDS}
