"""What a worker counts of the events that help rates are made of."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from schemas.times import render
from streams.engine.processor import Horizon, PartitionClock, Record
from streams.policy import load
from streams.stages.dataflow import BOUNDARIES, COUNTS_HORIZON, JUDGEMENT, OWN
from streams.stages.intake import Counts
from streams.stages.orders_task import OrdersTask
from streams.stages.task_context import Setting
from streams.worker.rule_metrics import RuleMetrics
from tests.unit.rules.timeline import DAY, HOUR, T0


def event(type_: str, at: int, order: str, **fields: Any) -> Record:
    value = {"event_id": f"{type_}-{order}", "type": type_, "occurred_at": render(T0 + at), "order_id": order}
    return Record(at, T0 // 1_000, order.encode(), json.dumps(value | {"shop_id": "S1"} | fields).encode())


def counted(events: list[Record]) -> Counter[tuple[str, bool]]:
    """By kind, and whether it was taken back, a day after the last event."""
    policy, counts = load.default(), Counts()
    task = OrdersTask(Setting(policy, 1, 1, lambda _key, _count: 0, lambda: 0, counts), 0)
    task.events("orders", 0, events, PartitionClock(policy.lateness.micros["orders"]))
    horizon = Horizon(T0 + events[-1].offset + DAY)
    while task.advance(dict.fromkeys((OWN, COUNTS_HORIZON, BOUNDARIES, JUDGEMENT), horizon)):
        pass
    task.collect()
    samples = next(one for one in RuleMetrics(counts).collect() if one.name == "parcelwatch_help_rate_events").samples
    shown = {(one.labels["event"], one.labels["change"] == "withdrawn"): one.value for one in samples}
    assert Counter(shown) == +counts.help_rates
    return counts.help_rates


PLACED = [
    event("order.placed", 0, order, buyer_id="b", items=[{"item_id": "i", "category_id": "c", "quantity": 1}])
    for order in ("A", "B")
]
DISPUTED = event("dispute.opened", HOUR, "A", dispute_id="D")
VOIDED = event(
    "escalation.voided", 2 * HOUR, "A", escalation="dispute", escalation_id="D", reason="appeal"
)  # fmt: skip


REFUND = event("refund.requested", HOUR, "B", refund_id="R", kind="exchange", reason="broken")


def test_orders_and_escalations_are_counted_by_kind_and_nothing_else_is() -> None:
    assert counted([*PLACED, REFUND, DISPUTED]) == {("order", False): 2, ("dispute", False): 1}


def test_what_is_taken_back_is_counted_apart_since_a_counter_never_falls() -> None:
    wanted = {("order", False): 2, ("dispute", False): 1, ("dispute", True): 1}
    assert counted([*PLACED, DISPUTED, VOIDED]) == wanted


def test_a_repeat_counts_once() -> None:
    assert counted([*PLACED, *PLACED, DISPUTED, DISPUTED]) == {("order", False): 2, ("dispute", False): 1}
