"""What a push holds."""

from __future__ import annotations

import json
from typing import Any

import pytest

from schemas.times import DAY, SECOND, parse, render
from streams.adapt import format_of, settings_for
from streams.ingest.pushes import Reading, read_push

NOW = parse("2026-03-04T12:00:00Z")


def push(*scans: dict[str, Any], number: str = "7830001") -> bytes:
    data = [
        {"ftime": "2026-03-04 18:10:00", "context": "【杭州转运中心】已发出", "statusCode": "1002"} | scan
        for scan in scans
    ]
    return json.dumps({"lastResult": {"nu": number, "com": "zhongtong", "data": data}}).encode()


def read(content: bytes, name: str = "kuaidi100") -> Reading:
    chosen = format_of(name)
    return read_push(chosen, content, settings_for(chosen), NOW)


def test_each_scan_is_an_event_under_its_tracking_number() -> None:
    reading = read(push({}, {"ftime": "2026-03-04 17:00:00"}))
    assert [(event.topic, event.key) for event in reading.events] == [("logistics-scans", b"7830001")] * 2
    assert json.loads(reading.events[0].value)["occurred_at"] == "2026-03-04T17:00:00+08:00"
    assert reading.unread is None


def test_a_parcel_without_scans_is_read() -> None:
    assert read(push()) == Reading([], None)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "unreadable"),
        (b"no push", "unreadable"),
        (b'{"a":{"b":[1,2]}}', "unreadable"),
        (push({}, {"ftime": "yesterday"}), "partly_unreadable"),
        (push({}, number="7" * 129), "unreadable"),
        (b"[" * 100_000, "unreadable"),
    ],
)
def test_what_cannot_be_read_is_told_without_a_word_of_it(content: bytes, code: str) -> None:
    unread = read(content).unread
    assert unread is not None
    assert unread.code == code
    for secret in ("yesterday", "7830001", "no push"):
        assert secret not in unread.detail


@pytest.mark.parametrize(
    ("fields", "events", "code"),
    [
        ({}, 1, None),
        ({"tracking_company": None}, 0, "partly_unreadable"),
        ({"status": "cancelled"}, 0, None),
    ],
)
def test_a_push_of_an_order_that_lacks_something_is_kept_and_one_that_proves_nothing_is_not(
    fields: dict[str, Any], events: int, code: str | None
) -> None:
    fulfillment = {
        "id": 1,
        "order_id": 2,
        "status": "success",
        "created_at": "2026-03-04T10:00:00Z",
        "tracking_company": "USPS",
        "tracking_numbers": ["9400"],
        **fields,
    }
    chosen = format_of("shopify")
    reading = read_push(chosen, json.dumps(fulfillment).encode(), settings_for(chosen, shop="s"), NOW)
    assert len(reading.events) == events
    assert (reading.unread and reading.unread.code) == code


@pytest.mark.parametrize(("beyond", "events"), [(0, 1), (SECOND, 0)])
def test_a_scan_more_than_a_day_ahead_is_left_out(beyond: int, events: int) -> None:
    reading = read(push({"ftime": render(NOW + DAY + beyond)}))
    assert len(reading.events) == events
    assert (reading.unread is None) == (events == 1)
