"""The marketplace in fast motion: nothing ahead of its clock, nothing behind it."""

from __future__ import annotations

import pytest

from schemas.times import DAY, HOUR, SECOND
from streams.demo.motion import Motion
from streams.marketplace.market import Plan, market

PLAN = Plan(days=3, orders_per_day=30)


class Log:
    def __init__(self) -> None:
        self.records: list[tuple[str, bytes, bytes]] = []

    def append(self, topic: str, key: bytes, value: bytes) -> None:
        self.records.append((topic, key, value))


def test_time_begins_with_the_plan_and_nothing_is_sent_before_it_moves() -> None:
    log = Log()
    motion = Motion(PLAN, 1.0, log.append)
    assert motion.now() == PLAN.start
    assert log.records == []
    assert not motion.over


@pytest.mark.parametrize(
    ("pace", "seconds", "moved"), [(1.0, 0.5, DAY // 2), (2.0, 0.25, DAY // 2), (0.5, 0.1, 72 * 60 * SECOND)]
)
def test_the_pace_is_in_days_a_second(pace: float, seconds: float, moved: int) -> None:
    motion = Motion(PLAN, pace, Log().append)
    motion.step(seconds)
    assert motion.now() == PLAN.start + moved


def test_what_was_sent_before_the_clock_is_in_the_log_and_no_more() -> None:
    log = Log()
    motion = Motion(PLAN, 1.0, log.append)
    records = list(market(PLAN))
    for _ in range(20):
        motion.step(0.1)
        due = [record for record in records if record.sent_at < motion.now()]
        assert log.records == [(record.topic, record.key.encode(), record.encode()) for record in due]
        assert motion.sent == len(due)
    assert motion.sent > 100


def test_it_stops_at_the_end_of_the_plan_with_everything_sent() -> None:
    log = Log()
    motion = Motion(PLAN, 100.0, log.append)
    motion.step(10.0)
    assert motion.over
    assert motion.now() == PLAN.end
    motion.step(1.0)
    assert motion.now() == PLAN.end
    in_time = sum(record.sent_at < PLAN.end for record in market(PLAN))
    assert len(log.records) == in_time


def test_anger_begins_and_is_full_on_the_days_that_the_plan_says() -> None:
    def first_escalation(plan: Plan) -> float:
        kinds = ("dispute.opened", "complaint.filed", "intervention.requested")
        found = [
            record.sent_at
            for record in market(plan)
            if record.value.get("type") in kinds and record.value.get("shop_id") == "shop-001"
        ]
        half = found[len(found) // 2]
        return (half - plan.start) / HOUR

    early = Plan(days=20, orders_per_day=40, anger=(0, 1))
    late = Plan(days=20, orders_per_day=40, anger=(12, 13))
    assert first_escalation(early) < first_escalation(late)
