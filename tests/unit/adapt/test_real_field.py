"""Recorded payloads that once went wrong: what each gives, and how many labelled texts end a watch wrongly."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from schemas.decode import decode
from streams.adapt import Report, adapt
from streams.adapt.words import ENDS, status_of

from .conftest import RECORDED

FIELD = RECORDED / "field-adapt"
WORDS = FIELD / "words.jsonl"
NOW = datetime(2026, 12, 1, tzinfo=UTC)

#: Format, file, scans, problems, and what some scans say.
EXPECTED: list[tuple[str, str, int, int, dict[str, int]]] = [
    ("kuaidi100", "01a-kd100-push-form.txt", 5, 0, {"held": 1}),
    ("kuaidi100", "01d-kd100-push-form-log.txt", 10, 0, {"held": 2}),
    ("kuaidi100", "04-all-kd100-errors-and-one-good.jsonl", 9, 5, {"delivered": 1}),
    ("sf-route", "06a-sf-route.xml", 7, 0, {"held": 1, "delivered": 1}),
    ("sf-route", "07a-sf-apiResultData-string.json", 2, 0, {"info_received": 1, "picked_up": 1}),
    ("sf-route", "07b-sf-apiResultData-object.json", 2, 0, {"held": 0, "picked_up": 1}),
    ("sf-route", "07d-sf-success-false.json", 0, 1, {}),
    ("sf-route", "09-sf-waybillroute-push.json", 4, 0, {"picked_up": 1, "returning": 1}),
    ("kdniao", "10b-kdniao-push-form.txt", 7, 0, {"held": 1, "delivered": 1}),
    ("kdniao", "11c-kdniao-traces-null.json", 0, 1, {}),
    ("cainiao", "12a-cainiao-global.json", 14, 0, {"delivered": 1}),
    ("cainiao", "13a-cainiao-sections.json", 3, 0, {"delivered": 1}),
    ("aftership", "14a-aftership-webhook-2026-07.json", 1, 0, {"departed": 1}),
    ("aftership", "14c-aftership-last-checkpoint.json", 1, 0, {"delivered": 1}),
    ("aftership", "14e-aftership-null-strings.json", 2, 3, {"arrived": 1}),
    ("17track", "15a-17track-v22-multi.json", 7, 1, {"delivered": 1}),
    ("17track", "15e-17track-v1.json", 4, 0, {"delivered": 1}),
    ("kuaidi100", "16a-gbk.json", 2, 0, {"picked_up": 1, "arrived": 1}),
    ("kuaidi100", "17-times.json", 35, 12, {"picked_up": 35}),
    ("kuaidi100", "18c-html.json", 4, 0, {"delivered": 1}),
    ("kuaidi100", "19-future-time.json", 9, 1, {}),
    ("kdniao", "21-kdniao-sto-dash.json", 9, 0, {"held": 1, "delivered": 1}),
    ("kuaidi100", "23c-kd100-state-only.json", 36, 0, {"in_transit": 4}),
    ("history", "24b-history-bom.csv", 2, 0, {"delivered": 1}),
    ("history", "24c-history-semicolon.csv", 2, 0, {"delivered": 1}),
    ("kuaidi100", "34-zto-yd-station.json", 12, 0, {"held": 4}),
]


def read(name: str, path: Path, **options: Any) -> tuple[list[dict[str, Any]], Report]:
    report = Report()
    lines = list(adapt(name, [path], report=report, now=NOW, **options))
    for line in lines:
        decode(line.topic, json.dumps(line.value).encode())
    return [line.value for line in lines], report


@pytest.mark.parametrize(
    ("name", "file", "scans", "problems", "said"), EXPECTED, ids=[file for _, file, *_ in EXPECTED]
)
def test_a_payload_gives_what_it_should(name: str, file: str, scans: int, problems: int, said: dict[str, int]) -> None:
    events, report = read(name, FIELD / file)
    counts = Counter(event["status"] for event in events)
    assert (len(events), len(report.problems)) == (scans, problems), report.problems
    assert {status: counts[status] for status in said} == said
    assert report.unknown == {} or file.startswith("23c")
    assert not any(event["tracking_no"] in file for event in events)


def test_a_bare_list_has_its_number_and_carrier_from_the_options() -> None:
    events, _ = read("kuaidi100", FIELD / "20b-kd100-bare-list.json", tracking_no="T1", carrier="中通")
    assert {(event["carrier"], event["tracking_no"]) for event in events} == {("ZTO", "T1")}
    assert [event["status"] for event in events] == ["picked_up", "out_for_delivery", "held"]


def test_labelled_texts_end_rarely_wrongly_and_are_rarely_missed() -> None:
    labelled = [json.loads(line) for line in WORDS.read_text(encoding="utf-8").splitlines()]
    said = [(text["terminal"], status_of(text["text"])) for text in labelled]
    wrong = sum(found in ENDS and found != given for given, found in said)
    missed = sum(given is not None and found != given for given, found in said)
    assert wrong <= 0.01 * len(said)
    assert missed <= 0.03 * sum(given is not None for given, _ in said) + 1
