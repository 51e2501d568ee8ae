"""The silences of a history."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from schemas.times import DAY, HOUR
from streams.policy import load
from streams.replay.reading import read as read_lines
from streams.tune.silences import NEVER, TIERS, History, read
from tests.unit.tune.histories import T0, lines, scan, shipped

NO_NOTHING = b'{"topic":"orders","value":{}}\nno line at all\n'


def history(tmp_path: Path, events: list[dict[str, Any]], policy: str = "default", until: int | None = None) -> History:
    file = tmp_path / "events.jsonl"
    file.write_bytes(lines(events))
    return read(read_lines(file), load.load(policy), until)


def told(found: History) -> list[tuple[str, str, float, float | None, float | None, bool]]:
    """(carrier, tier, since, until, delivered, watched), hours after T0."""
    return [
        (
            found.silences.carriers[carrier],
            TIERS[tier],
            (since - T0) / HOUR,
            None if until == NEVER else (until - T0) / HOUR,
            None if delivered == NEVER else (delivered - T0) / HOUR,
            bool(watched),
        )
        for carrier, tier, since, until, delivered, watched in zip(
            found.silences.carrier, found.silences.tier, found.silences.since, found.silences.until,
            found.silences.delivered, found.silences.watched, strict=True,
        )
    ]  # fmt: skip


def test_each_update_begins_a_silence_and_the_next_ends_it(tmp_path: Path) -> None:
    found = history(tmp_path, [
        shipped("1", 0, from_region="浙江", to_region="江苏"),
        scan("1", 10, "picked_up"),
        scan("1", 30, "departed"),
        scan("1", 90, "delivered"),
        scan("2", 5, "arrived"),
    ])  # fmt: skip

    assert told(found) == [
        ("ZTO", "near", 0, 10, 90, False),
        ("ZTO", "after_pickup", 10, 30, 90, True),
        ("ZTO", "near", 30, 90, 90, True),
        ("ZTO", "cross_province", 5, None, None, False),
    ]
    assert (found.events, found.dead, found.first, found.end) == (5, 0, T0, T0 + 90 * HOUR)


@pytest.mark.parametrize("terminal", ["returned", "destroyed"])
def test_another_end_is_no_delivery(tmp_path: Path, terminal: str) -> None:
    found = history(tmp_path, [scan("1", 0, "departed"), scan("1", 9, terminal)])

    assert told(found) == [("ZTO", "cross_province", 0, 9, None, False)]


def test_the_order_tells_the_destination_where_its_shipping_does_not(tmp_path: Path) -> None:
    placed = {
        "event_id": "p", "type": "order.placed", "occurred_at": "2026-02-28T00:00:00Z", "order_id": "o", "shop_id": "s",
        "buyer_id": "b", "ship_to_region": "西藏自治区", "items": [{"item_id": "i", "category_id": "c", "quantity": 1}],
    }  # fmt: skip
    found = history(
        tmp_path, [{"topic": "orders", "value": placed}, shipped("1", 0, order="o"), scan("1", 9, "departed")]
    )

    assert [tier for _, tier, *_ in told(found)] == ["remote", "remote"]


def test_the_same_shipping_told_twice_is_one_update(tmp_path: Path) -> None:
    again = shipped("1", 5)
    again["value"]["event_id"] = "another"

    assert told(history(tmp_path, [shipped("1", 0), again])) == [("ZTO", "cross_province", 0, None, None, False)]


def test_silences_that_a_dated_period_judges_are_left_out(tmp_path: Path) -> None:
    # The Spring Festival of the profile ends on 23 February, at T0 - 5 d 8 h.
    events = [scan("1", -5 * 24 - 9, "departed"), scan("2", -5 * 24 - 8, "departed")]

    assert len(history(tmp_path, events, "tmall-2026").silences) == 1
    assert len(history(tmp_path, events).silences) == 2


def test_silences_into_which_the_whole_feed_falls_are_left_out(tmp_path: Path) -> None:
    # 40 scans an hour for 10 days, then nothing for a day.
    hours = [hour + minute / 40 for hour in (*range(240), *range(264, 270)) for minute in range(40)]
    events = [scan(f"n{hour}", hour, "delivered") for hour in hours]
    events += [scan("long", 200, "departed"), scan("long", 265, "arrived")]
    events += [scan("before", 200, "departed"), scan("before", 230, "arrived"), scan("before", 231, "delivered")]
    events += [scan("other", 200, "departed", "YTO"), scan("other", 265, "delivered", "YTO")]

    found = history(tmp_path, sorted(events, key=lambda event: event["value"]["occurred_at"]))
    assert [(row[0], *row[2:4]) for row in told(found)] == [
        ("YTO", 200, 265), ("ZTO", 200, 230), ("ZTO", 230, 231), ("ZTO", 265, None),
    ]  # fmt: skip


def test_spellings_of_a_carrier_are_one(tmp_path: Path) -> None:
    found = history(tmp_path, [scan("1", 0, "departed", "zhongtong"), scan("2", 0, "departed", "中通")])

    assert {row[0] for row in told(found)} == {"ZTO"}


def test_what_comes_after_the_end_is_not_read(tmp_path: Path) -> None:
    found = history(tmp_path, [scan("1", 0, "departed"), scan("1", 9, "delivered")], until=T0 + 9 * HOUR - 1)

    assert told(found) == [("ZTO", "cross_province", 0, None, None, False)]
    assert (found.events, found.end) == (1, T0 + 9 * HOUR - 1)


def test_what_is_no_event_is_counted(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(NO_NOTHING + lines([scan("1", 0, "departed")]))

    found = read(read_lines(file), load.load("default"))
    assert (found.events, found.dead) == (1, 2)


def test_the_order_of_the_lines_does_not_matter(tmp_path: Path) -> None:
    events = []
    for number in range(60):
        steps = random.Random(number)
        events += [shipped(str(number), steps.random() * 9), scan(str(number), 5 + steps.random() * 90, "departed")]
        events += [scan(str(number), 5 + steps.random() * 900, steps.choice(["arrived", "delivered", "returned"]))] * 2
    first = history(tmp_path, events)
    random.Random(7).shuffle(events)
    second = history(tmp_path, events)

    assert (second.first, second.end) == (first.first, first.end)
    assert first.silences.carriers == second.silences.carriers
    for name in ("carrier", "tier", "shipment", "since", "until", "delivered", "watched"):
        assert np.array_equal(getattr(first.silences, name), getattr(second.silences, name)), name


def test_a_number_that_is_used_again_is_another_shipment(tmp_path: Path) -> None:
    found = history(tmp_path, [
        shipped("1", 0), scan("1", 9, "delivered"),
        shipped("1", 24 * 200, order="later"), scan("1", 24 * 201, "departed"),
    ])  # fmt: skip

    assert np.unique(found.silences.shipment).tolist() == [1, 2]
    assert [delivered for *_, delivered, _ in told(found)] == [9, None, None]
    assert found.end == T0 + 201 * DAY
