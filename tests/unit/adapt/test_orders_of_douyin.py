"""Douyin's orders, after-sales and messages."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .conftest import Run
from .shops import PERSONAL, after_sale, douyin_order

SHOP = {"shop": "4463798"}


def pushed(tag: str, **data: Any) -> dict[str, Any]:
    """A message as the platform pushes it: its data is a text."""
    inner = {"p_id": 6920000000000000001, "s_ids": [6920000000000000002], "shop_id": 4463798, **data}
    return {"tag": tag, "msg_id": f"m{tag}", "data": json.dumps(inner)}


def test_an_order_gives_what_its_times_prove_and_0_is_no_time(run: Run) -> None:
    events, report = run("douyin-orders", {"data": {"shop_order_list": [douyin_order()], "total": 1}, "code": 10000})
    assert [(event["type"], event["occurred_at"]) for event in events] == [
        ("order.placed", "2026-03-02T09:00:00+08:00"),
        ("order.paid", "2026-03-02T09:01:30+08:00"),
        ("order.shipped", "2026-03-03T16:00:00+08:00"),
    ]
    placed, paid, shipped = events
    assert placed["items"] == [{"item_id": "357", "category_id": "20000", "quantity": 1, "amount": 19.9}]
    assert (placed["shop_id"], placed["buyer_id"], placed["ship_to_region"]) == ("4463798", "1@#AbC", "浙江")
    assert paid["ship_by"] == "2026-03-04T09:00:00+08:00"
    assert (shipped["carrier"], shipped["tracking_no"]) == ("SF", "SF0001")
    assert not report.left_out
    assert not any(word in json.dumps(events, ensure_ascii=False) for word in PERSONAL)


@pytest.mark.parametrize(("status", "kinds"), [(5, ["order.completed"]), (4, ["order.cancelled"]), (3, []), (101, [])])
def test_an_orders_end_is_told_by_its_state(run: Run, status: int, kinds: list[str]) -> None:
    order = douyin_order(order_status=status, finish_time=1773000000, update_time=1773000001)
    events, _ = run("douyin-orders", {"data": {"shop_order_detail": order}})
    assert [event["type"] for event in events[3:]] == kinds


@pytest.mark.parametrize(
    ("info", "kinds"),
    [
        ({}, ["refund.requested"]),
        ({"aftersale_status": 27}, ["refund.requested", "refund.rejected"]),
        ({"aftersale_status": 12}, ["refund.requested", "refund.settled"]),
        ({"aftersale_status": 12, "aftersale_type": 6}, []),
        ({"arbitrate_status": 1}, ["refund.requested", "dispute.opened"]),
        ({"arbitrate_status": 255}, ["refund.requested"]),
    ],
)
def test_an_after_sale_gives_what_its_state_proves(run: Run, info: dict[str, Any], kinds: list[str]) -> None:
    events, _ = run("douyin-orders", {"data": {"items": [after_sale(**info)]}}, **SHOP)
    assert [event["type"] for event in events] == kinds
    if events:
        assert (events[0]["kind"], events[0]["reason"], events[0]["item_id"]) == ("return_refund", "defective", "357")


def test_the_detail_of_an_after_sale_tells_the_facts_of_the_list(run: Run) -> None:
    listed, _ = run("douyin-orders", after_sale(aftersale_status=12), **SHOP)
    info = {"after_sale_id": 1450001, "after_sale_type": 0, "after_sale_status": 12, "reason": "质量问题",
            "apply_time": 1772700000, "update_time": 1772800000}  # fmt: skip
    detail = {
        "data": {
            "process_info": {"after_sale_info": info, "arbitrate_info": {"arbitrate_create_time": 0}},
            "order_info": {"shop_order_id": 6920000000000000001, "sku_order_infos": [{"product_id": 357}]},
        }
    }
    assert run("douyin-orders", detail, **SHOP)[0] == listed


def test_messages_tell_the_facts_of_the_order(run: Run) -> None:
    exported, _ = run("douyin-orders", douyin_order(order_status=5, finish_time=1773000000))
    parcel = {"express_company_id": "shunfeng", "logistics_code": "SF0001"}
    sent = [
        pushed("100", create_time=1772413200),
        pushed("101", pay_time=1772413290),
        pushed("102", update_time=1772524800, logistics_msg=parcel),
        pushed("103", complete_time=1773000000),
    ]
    events, report = run("douyin-orders", sent)
    assert [event["event_id"] for event in events] == [event["event_id"] for event in exported[1:]]
    assert list(report.left_out) == [
        "messages of new orders, which name no items: adapt the answer of order.orderDetail"
    ]


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        (pushed("106", cancel_time=1772500000), "order.cancelled"),
        (pushed("200", aftersale_id=1450001, aftersale_type=3, apply_time=1772700000), "refund.requested"),
        (pushed("204", aftersale_id=1450001, refuse_time=1772700001), "refund.rejected"),
        (pushed("206", aftersale_id=1450001, success_time=1772700002), "refund.settled"),
        (pushed("212", aftersale_id=1450001, arbitrate_id="77", update_time=1772700003), "dispute.opened"),
    ],
)
def test_each_message_is_known_by_its_tag(run: Run, message: dict[str, Any], kind: str) -> None:
    events, _ = run("any", [message])
    assert [(event["type"], event["order_id"]) for event in events] == [(kind, "6920000000000000001")]


def test_a_message_that_proves_nothing_is_counted(run: Run) -> None:
    events, report = run(
        "douyin-orders", [pushed("113", content="x"), pushed("212", aftersale_id=1, arbitrate_id="77")]
    )
    assert events == []
    assert report.left_out == {"messages that prove no event": 1}
    assert report.lacking == {"dispute.opened of messages: no time": 1}


def test_an_after_sale_without_a_shop_says_what_to_give(run: Run) -> None:
    events, report = run("douyin-orders", after_sale())
    assert (events, report.readable) == ([], 0)
    assert report.refusals == ["no shop: give it by --shop"]
