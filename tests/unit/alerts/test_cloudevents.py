"""The bytes of the alerts: envelope, order of members, keys and ids."""

from __future__ import annotations

import itertools

import orjson
import pytest

from streams.alerts.cloudevents import AlertWriter, alert_id
from tests.unit.alerts.samples import an_alert, every_alert

WRITER = AlertWriter("default@1", "tmall")
SEVERITY = {
    "shipment.not_collected": "warning",
    "shipment.slow": "warning",
    "shipment.stalled": "critical",
    "order.ship_due_soon": "info",
    "order.ship_late": "warning",
    "order.out_of_stock_suspected": "warning",
    "ticket.due_soon": "info",
    "ticket.timed_out": "warning",
    "help_rate.elevated": "info",
    "help_rate.campaign_blocked": "warning",
    "help_rate.delisting_risk": "critical",
    "item.delisting_risk": "critical",
    "aftersales.review": "info",
    "aftersales.rights_refused": "warning",
    "chat.reply_late": "info",
}


def test_the_members_of_the_event_have_a_fixed_order() -> None:
    merchant, _ = WRITER.records(an_alert("shipment.stalled"))
    event = orjson.loads(merchant.value)
    assert list(event) == [
        "specversion",
        "id",
        "source",
        "type",
        "subject",
        "time",
        "datacontenttype",
        "data",
    ]
    assert list(event["data"]) == [
        "status", "severity", "shop_id", "order_id", "carrier", "audience", "policy", "episode", "message",
        "advice", "evidence", "resolution",
    ]  # fmt: skip
    assert list(event["data"]["message"]) == ["zh-CN", "en"]
    assert list(event["data"]["advice"][0]) == ["code", "zh-CN", "en"]


def test_an_event_has_these_very_bytes() -> None:
    (record,) = WRITER.records(an_alert("ticket.due_soon", "responded"))
    assert record.value.decode() == (
        '{"specversion":"1.0","id":"ID","source":"/parcelwatch/tmall",'
        '"type":"parcelwatch.ticket.due_soon.v1","subject":"T-1","time":"2026-11-10T00:15:00Z",'
        '"datacontenttype":"application/json","data":{"status":"resolved","severity":"info","shop_id":"shop-7",'
        '"order_id":"O-1","carrier":null,"audience":"merchant","policy":"default@1","episode":"T-1/1",'
        '"message":{"zh-CN":"订单 O-1 的催发货工单 T-1 已于北京时间 2026-11-10 08:15 回复，'
        "「工单即将超时」告警（北京时间 2026-11-10 08:15 触发）解除。"
        '请按答复内容跟进到底。","en":"Ticket T-1 (asking when it ships) '
        "on order O-1 was answered at 2026-11-10 00:15 UTC; "
        "the alert “Ticket due soon” of 2026-11-10 00:15 UTC is resolved. "
        'See that what was promised is done."},'
        '"advice":[],"evidence":{"opened_at":"2026-11-02T00:15:00Z","due_at":"2026-11-03T06:15:00Z",'
        '"kind":"urge_shipping","order_id":"O-1","raised_at":"2026-11-10T00:15:00Z"},"resolution":"responded"}}'
    ).replace('"ID"', f'"{record.id}"')


def test_an_alert_to_both_goes_out_twice_each_with_its_own_key_and_id() -> None:
    merchant, platform = WRITER.records(an_alert("shipment.stalled"))
    assert (merchant.audience, merchant.key) == ("merchant", b"shop-7")
    assert (platform.audience, platform.key) == ("platform", b"YT880001")
    assert merchant.id != platform.id
    for record in (merchant, platform):
        event = orjson.loads(record.value)
        assert event["id"] == record.id
        assert event["data"]["audience"] == record.audience


@pytest.mark.parametrize("type_", SEVERITY)
def test_severity_and_envelope_of_every_type(type_: str) -> None:
    for resolution in (
        None,
        {"help_rate": "recovered", "item": "recovered"}.get(type_.partition(".")[0], "late_event"),
    ):
        for record in WRITER.records(an_alert(type_, resolution)):
            event = orjson.loads(record.value)
            assert event["type"] == f"parcelwatch.{type_}.v1"
            assert event["data"]["severity"] == SEVERITY[type_]
            assert event["data"]["resolution"] == resolution


def test_an_id_is_a_known_function_of_type_subject_episode_status_and_audience() -> None:
    alert = an_alert("ticket.timed_out")
    assert alert_id(alert, "merchant") == "fee1ab8dc29435886487b361cbc81015"
    same = alert._replace(time=0, shop_id="x", order_id=None, carrier="x", evidence={}, audiences=("platform",))
    assert alert_id(same, "merchant") == alert_id(alert, "merchant")
    others = [
        alert_id(alert._replace(type="ticket.due_soon"), "merchant"),
        alert_id(alert._replace(subject="T-2"), "merchant"),
        alert_id(alert._replace(episode="T-1/2"), "merchant"),
        alert_id(alert._replace(status="resolved"), "merchant"),
        alert_id(alert, "platform"),
        alert_id(alert, "merchant"),
    ]
    assert len(set(others)) == len(others)


def test_parts_of_an_id_that_join_to_the_same_text_stay_apart() -> None:
    alert = an_alert("ticket.timed_out")
    parts = ["a", "a,1:a", "aa", ":", ",", "1:a,", "", "包裹"]
    pairs = list(itertools.product(parts, parts))
    ids = {alert_id(alert._replace(subject=subject, episode=episode), "merchant") for subject, episode in pairs}
    assert len(ids) == len(pairs)


def test_the_same_alert_gives_the_same_bytes_from_any_writer() -> None:
    for alert in every_alert():
        assert WRITER.records(alert) == AlertWriter("default@1", "tmall").records(alert)


def test_a_platform_that_is_no_uri_is_escaped_in_the_source() -> None:
    (record,) = AlertWriter("default@1", "淘宝 x/y").records(an_alert("ticket.due_soon"))
    assert orjson.loads(record.value)["source"] == "/parcelwatch/%E6%B7%98%E5%AE%9D%20x%2Fy"


def test_an_alert_to_a_merchant_needs_a_shop() -> None:
    with pytest.raises(ValueError, match="without a shop"):
        WRITER.records(an_alert("shipment.stalled", shop_id=None))
