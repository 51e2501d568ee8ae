"""A load for long: what is sent, how fast, and what its samples say."""

from __future__ import annotations

from collections import Counter
from itertools import islice

import pytest

from bench.soak.dead import mixed
from bench.soak.figures import back_after, most, slope
from bench.soak.orders import HOT, Event, Orders
from bench.soak.pace import Pace
from schemas.decode import Invalid, Reason, decode
from schemas.events import SCANS, record_key
from schemas.times import SECOND
from streams.engine.partitioner import partition_for

START = 1_420_070_400
PARTITIONS = 4


def events(count: int, hot: str | None = None) -> list[Event]:
    return list(islice(Orders(START, PARTITIONS, hot), count))  # type: ignore[arg-type]


def test_every_event_is_valid_in_its_place_and_comes_in_the_order_of_time() -> None:
    before = START
    for topic, partition, at, key, value in events(5_000):
        event, time = decode(topic, value)
        assert time == at * SECOND
        assert at >= before
        assert record_key(event).encode() == key
        assert partition == partition_for(key, PARTITIONS)
        before = at


def test_orders_end_so_that_no_more_are_under_way_than_are_placed_in_their_time() -> None:
    orders = Orders(START, PARTITIONS)
    stream = iter(orders)
    under_way = []
    for _ in range(4):
        for _ in range(40_000):
            next(stream)
        under_way.append(len(orders._names))
    assert max(under_way[1:]) < 1.2 * min(under_way[1:])


@pytest.mark.parametrize("hot", HOT)
def test_what_is_hot_is_one(hot: str) -> None:
    found = events(3_000, hot)
    of_scans = [decode(event.topic, event.value)[0] for event in found if event.topic == SCANS]
    others = [decode(event.topic, event.value)[0] for event in found if event.topic != SCANS]
    kinds = {
        "shop": {event.shop_id for event in others},  # type: ignore[union-attr]
        "carrier": {event.carrier for event in of_scans},  # type: ignore[union-attr]
        "facility": {event.facility for event in of_scans},  # type: ignore[union-attr]
        "partition": {event.partition for event in found},
    }
    assert [name for name, values in kinds.items() if len(values) == 1] == [hot]


def reason_of(event: Event) -> Reason | None:
    """Why it is a dead letter; None: it is none."""
    try:
        valid, _ = decode(event.topic, event.value)
    except Invalid as invalid:
        return invalid.reason
    return None if record_key(valid).encode() == event.key else Reason.WRONG_KEY


def test_dead_records_are_dead_for_the_reason_that_is_told() -> None:
    found = list(islice(mixed(iter(events(400)), 1), 800))
    assert [reason_of(event) for event, _ in found] == [reason for _, reason in found]
    reasons = Counter(reason for _, reason in found)
    assert reasons[None] == 400
    assert len(reasons) == 9


def test_bursts_are_so_many_times_what_is_calm_and_the_mean_is_kept() -> None:
    pace = Pace(1_000, period=100, burst=10, times=3)
    assert pace.due(100) == 100_000
    assert pace.due(250) - pace.due(200) == pytest.approx(50 * pace.calm, abs=1)
    assert pace.due(300) - pace.due(290) == pytest.approx(10 * 3 * pace.calm, abs=1)
    due = [pace.due(tenth / 10) for tenth in range(3_000)]
    assert due == sorted(due)
    assert pace.bursts(250) == [(90, 100), (190, 200)]


def test_a_slope_is_told_with_its_error_and_bursts_are_no_growth() -> None:
    noise = [3.0, -2.0, 1.0, -1.0, 2.0, -3.0]
    points = [
        (float(at), 500 + at / 3600 * 40 + noise[at // 60 % 6] + (200 if at % 60 > 50 else 0)) for at in range(3_600)
    ]
    found = slope(points, 60)
    assert found is not None
    assert abs(found.an_hour - 40) < 3 * found.error < 10
    assert slope(points[:150], 60) is None
    assert slope([], 60) is None


def test_the_lag_is_back_when_it_is_nothing_before_the_next_burst() -> None:
    points = [(0.0, 0.0), (10.0, 900.0), (20.0, 500.0), (30.0, 5.0), (40.0, 700.0)]
    assert back_after(points, 12.0, 40.0, 10.0) == 18.0
    assert back_after(points, 12.0, 30.0, 10.0) is None
    assert most(points, 5.0, 40.0) == 900.0
