"""What the console shows of alerts: the records as rows, the filters, and the pages."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from schemas.times import HOUR
from schemas.topics import ALERTS
from streams.console import alert_list
from streams.console.alert_list import PAGE, Filter
from streams.console.store import NOTICE, Store, alert_key
from streams.engine.log.interface import TopicPartition
from streams.engine.processor import Record
from streams.rules.alert import Alert
from tests.unit.alerts.samples import T0, an_alert
from tests.unit.console.served import WRITER, log_with_topics, served

STALLED = an_alert("shipment.stalled")
LATE = an_alert("order.ship_late", order_id="O-2", subject="O-2", episode="O-2/1", shop_id="shop-8")


@pytest.fixture
def store() -> Iterator[Store]:
    made = Store()
    yield made
    made.close()


def put(store: Store, *alerts: Alert, audiences: tuple[str, ...] = ("merchant", "platform")) -> None:
    for alert in alerts:
        for record in WRITER.records(alert):
            if record.audience in audiences:
                topic = ALERTS[record.audience]
                store.put(topic, TopicPartition(topic, 0), [Record(0, 0, record.key, record.value, ())])


def keys(store: Store, **wanted: str) -> list[str]:
    return [one["type"] for one in alert_list.listing(store, Filter.of(wanted)).alerts]


def test_an_alert_to_both_audiences_is_one_row_and_says_what_the_platform_reads(store: Store) -> None:
    put(store, STALLED)
    put(store, STALLED, audiences=("merchant",))
    (shown,) = alert_list.listing(store, Filter()).alerts
    assert shown["data"]["audience"] == "platform"
    assert shown["severity"] == "critical"


@pytest.mark.parametrize("audience", ["merchant", "platform"])
def test_a_resolution_closes_it_whichever_topic_is_read_first(store: Store, audience: str) -> None:
    put(store, STALLED, an_alert("shipment.stalled", "resumed"), audiences=(audience,))
    put(store, STALLED)
    assert keys(store) == []
    assert keys(store, status="resolved") == ["shipment.stalled"]


def test_a_resolution_whose_raise_is_gone_is_shown_as_resolved(store: Store) -> None:
    put(store, an_alert("shipment.stalled", "resumed"))
    (shown,) = alert_list.listing(store, Filter(status="resolved")).alerts
    assert not shown["known_from_start"]
    assert shown["raised_at"] == STALLED.time


def test_the_gravest_come_first_or_the_newest(store: Store) -> None:
    put(store, STALLED, LATE._replace(time=STALLED.time + HOUR))
    assert keys(store) == ["shipment.stalled", "order.ship_late"]
    assert keys(store, order="time") == ["order.ship_late", "shipment.stalled"]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"type": "shipment.stalled"}, 1), ({"type": "shipment"}, 0), ({"severity": "critical"}, 1),
        ({"severity": "warning"}, 1), ({"severity": "info"}, 0), ({"severity": "nonsense"}, 2),
        ({"shop": "shop-8"}, 1), ({"shop": "shop-"}, 0), ({"carrier": "YTO"}, 1), ({"facility": "郑州转运中心"}, 1),
        ({"text": "yt880001"}, 1), ({"text": "郑州 STALLED"}, 1), ({"text": "郑州 late"}, 0), ({"text": "发货超时"}, 1),
        ({"text": "%"}, 0), ({"text": "' OR 1=1 --"}, 0), ({"status": "all"}, 2),
        ({"page": "99"}, 2), ({"page": "x"}, 2),
    ],
)  # fmt: skip
def test_filters_let_through_what_they_name(store: Store, wanted: dict[str, str], found: int) -> None:
    put(store, STALLED, LATE)
    assert alert_list.listing(store, Filter.of(wanted)).total == found


def test_pages_hold_so_many_and_the_last_the_rest(store: Store) -> None:
    many = [LATE._replace(episode=str(number), time=T0 + number) for number in range(PAGE + 1)]
    put(store, *many)
    first, second = (alert_list.listing(store, Filter(page=number)) for number in (1, 2))
    assert (len(first.alerts), len(second.alerts), first.pages) == (PAGE, 1, 2)
    assert second.alerts[0]["raised_at"] == T0


def test_what_is_no_alert_is_counted_and_passed_over(store: Store) -> None:
    topic = ALERTS["platform"]
    values: list[bytes | None] = [b"{}", b"\xff", None]
    store.put(topic, TopicPartition(topic, 0), [Record(n, 0, b"k", value, ()) for n, value in enumerate(values)])
    put(store, STALLED)
    assert store.unreadable == 2
    assert keys(store) == ["shipment.stalled"]


@pytest.mark.parametrize(("later", "still_open"), [(NOTICE, True), (NOTICE + 1, False)])
def test_what_nothing_resolves_is_open_for_seven_days_of_event_time(store: Store, later: int, still_open: bool) -> None:
    cluster = an_alert("facility.stall_cluster")
    put(store, cluster, LATE._replace(time=cluster.time + later))
    assert ("facility.stall_cluster" in keys(store)) is still_open
    assert "facility.stall_cluster" in keys(store, status="all")


def test_the_history_is_what_else_concerns_the_subject_or_the_order(store: Store) -> None:
    other = an_alert("shipment.slow", episode="YT880001/0")
    put(store, STALLED, other, LATE, an_alert("ticket.timed_out"))
    alert = alert_list.find(store, alert_key("shipment.stalled", "YT880001", "YT880001/1"))
    assert alert is not None
    assert {one["type"] for one in alert_list.history(store, alert)} == {"shipment.slow", "ticket.timed_out"}


def test_a_page_shows_what_is_open_and_leaves_out_what_has_ended() -> None:
    with served() as console:
        console.put(STALLED, LATE)
        console.until(lambda page: page.count("data-key=") == 2)
        console.put(an_alert("order.ship_late", "shipped", order_id="O-2", subject="O-2", episode="O-2/1"))
        page = console.until(lambda page: page.count("data-key=") == 1)
        assert "Parcel stalled" in page
        assert "包裹停滞" in console.get("/", {"Accept-Language": "zh-CN,zh;q=0.9"}).text


def test_an_alert_has_a_page_with_its_advice_and_evidence_in_the_readers_language() -> None:
    with served() as console:
        console.put(STALLED)
        page = console.until(lambda page: "data-key=" in page)
        path = re.search(r'href="(/alerts/[0-9a-f]{24})"', page)
        assert path is not None
        english = console.get(path[1]).text
        assert "threshold, hours" in english
        assert "2026-11-03 00:15" in english
        assert "remote destination" in english
        chinese = console.get(path[1], {"Cookie": "lang=zh-CN"}).text
        assert "时限（小时）" in chinese
        assert "2026-11-03 08:15" in chinese
        assert console.get("/alerts/nothing").status == 404


def test_nothing_in_a_record_becomes_markup_or_steers_the_text() -> None:
    with served() as console:
        evil = "<script>alert(1)</script>\u202e\x1b\"'"
        console.put(an_alert("shipment.slow", facility=evil, shop_id=evil, subject=evil, carrier=evil))
        page = console.until(lambda page: "data-key=" in page)
        path = re.search(r'href="(/alerts/[0-9a-f]{24})"', page)
        assert path is not None
        for text in (page, console.get(path[1]).text, console.get("/?text=%3Cscript%3Ealert(1)").text):
            assert "<script>alert" not in text
            assert "\u202e" not in text
            assert "\x1b" not in text


def test_missing_topics_are_named_on_every_page() -> None:
    log = log_with_topics()
    log.drop("alerts.merchant")
    with served(log) as console:
        assert "These topics do not exist: alerts.merchant" in console.until(lambda page: "do not exist" in page)
