"""What Kafka still holds, and until when: by the settings of each topic."""

from __future__ import annotations

import json

import pytest

from schemas.times import DAY, parse
from schemas.topics import PLAIN
from streams.engine.log.interface import TopicPartition
from streams.engine.topology import TaskId, Topology
from streams.forget.orders import HeldOrder
from streams.forget.parcels import OpenAlert
from streams.forget.remains import Remaining, lines, remaining
from streams.forget.report import Report
from streams.forget.state import Held
from streams.policy import load
from streams.stages.dataflow import dataflow

NOW = parse("2026-03-02T12:00:00Z")
TOPOLOGY = Topology("pw", dataflow(load.default()), {"orders": 1, "shipments": 1})
COMPACT = "compact"
DAY_MS, WEEK_MS, FOR_EVER = str(DAY // 1000), str(7 * DAY // 1000), str((1 << 63) - 1)


def of(topic: str, **settings: str) -> Remaining:
    """What is said of one topic, given its settings with "_" for "."."""
    config = {"cleanup.policy": "delete", "segment.ms": DAY_MS}
    config |= {name.replace("_", "."): value for name, value in settings.items()}
    (said,) = remaining(TOPOLOGY, PLAIN, {topic: config}, NOW)
    return said


@pytest.mark.parametrize(
    ("topic", "settings", "gone_by"),
    [
        # A file may take new records for a day before its week begins; and Kafka takes an hour to look.
        ("orders", {"retention_ms": WEEK_MS}, "2026-03-10T13:00:00Z"),
        ("orders", {"retention_ms": "-1"}, None),
        ("orders", {"cleanup_policy": COMPACT, "max_compaction_lag_ms": FOR_EVER}, None),
        ("orders.dlq", {"retention_ms": DAY_MS}, "2026-03-04T13:00:00Z"),
        ("alerts.platform", {"retention_ms": DAY_MS}, "2026-03-04T13:00:00Z"),
        ("pw-links", {"retention_ms": "-1"}, "2026-03-03T13:00:00Z"),
        ("pw-orders-changelog", {"cleanup_policy": COMPACT, "max_compaction_lag_ms": DAY_MS}, "2026-03-03T13:00:00Z"),
        ("pw-orders-changelog", {"cleanup_policy": COMPACT, "max_compaction_lag_ms": FOR_EVER}, None),
        ("chats", {"cleanup_policy": "compact,delete", "retention_ms": WEEK_MS}, "2026-03-10T13:00:00Z"),
        ("pw-registrations", {"retention_ms": "-1"}, "2026-03-03T13:00:00Z"),
    ],
)  # fmt: skip
def test_when_a_topic_has_nothing_of_it_any_more(topic: str, settings: dict[str, str], gone_by: str | None) -> None:
    assert of(topic, **settings).gone_by == gone_by


def test_tables_are_not_among_them_and_neither_is_what_does_not_exist() -> None:
    config = {"cleanup.policy": "delete", "retention.ms": DAY_MS, "segment.ms": DAY_MS}
    said = remaining(TOPOLOGY, PLAIN, dict.fromkeys(("help-rates", "pw-shop-deltas", "logistics-scans"), config), NOW)
    assert [one.topic for one in said] == ["logistics-scans"]


def test_each_topic_is_one_line() -> None:
    (line,) = lines([of("chats", retention_ms=WEEK_MS)])
    assert line == ("  chats  gone by 2026-03-10T13:00:00Z; kept for 7 days; events: chats and tickets, with texts")


ALERT = OpenAlert("order.ship_late", "A", "2026-03-01T00:00:00Z", "A/1", ("merchant",))
HELD = Held(orders={TaskId("orders", 0): [HeldOrder("A", {"facts": 2}, [("ZTO", "P")], [ALERT])]})
UNREAD = {TopicPartition("chats", 0): 2}


def report(held: Held, unread: dict[TopicPartition, int], *, dry_run: bool = False) -> Report:
    return Report("Order A", "pw", dry_run, held, [of("chats", retention_ms=WEEK_MS)], unread, 0)


def test_the_status_tells_that_it_has_to_be_run_again() -> None:
    assert report(HELD, {}).status == 0
    assert report(HELD, UNREAD).status == 1
    assert report(HELD, UNREAD, dry_run=True).status == 0


def test_a_report_tells_what_went_what_stays_open_and_what_comes_again() -> None:
    said = list(report(HELD, UNREAD).lines())
    assert said[0] == "Order A, application pw"
    assert "Taken out of the state:" in said
    assert "  orders-0: order A (facts 2)" in said
    assert "  order.ship_late of A since 2026-03-01T00:00:00Z, to merchant" in said
    assert "  chats-0: 2" in said
    assert "The state holds:" in list(report(HELD, {}, dry_run=True).lines())
    assert "The state holds nothing of it." in list(report(Held(), {}).lines())


def test_as_json_it_says_the_same() -> None:
    told = json.loads(report(HELD, UNREAD).document())
    assert set(told) == {
        "application", "dry_run", "orders", "parcels", "facilities", "open_alerts", "kafka", "unread", "workers",
    }  # fmt: skip
    assert told["orders"][0]["order_id"] == "A"
    assert told["open_alerts"][0]["type"] == "order.ship_late"
    assert told["unread"] == [{"topic": "chats", "partition": 0, "records": 2}]
