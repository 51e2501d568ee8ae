"""Orders, refunds and parcels as platforms give them: each state gives the events that it proves, and names nobody."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from streams.adapt import Report, adapt_body, format_of, settings_for

from .conftest import Run
from .shops import PERSONAL, fulfillment, refund, shopify_order, shopify_refund, sub_order, trade, woo_order

SHOP = {"shop": "tea-house"}


def told(events: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(event["type"], event["occurred_at"]) for event in events]


def only(events: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    (found,) = [event for event in events if event["type"] == kind]
    return found


def test_a_trade_gives_its_order_its_payment_and_its_parcel(run: Run) -> None:
    events, report = run("taobao-orders", {"trade_fullinfo_get_response": {"trade": trade()}})
    assert events == [
        {
            "event_id": "taobao-orders:3300011112222:order.placed",
            "type": "order.placed",
            "occurred_at": "2026-03-02T09:00:00+08:00",
            "order_id": "3300011112222",
            "shop_id": "tea-house",
            "buyer_id": "AAHk5d-b1",
            "ship_to_region": "新疆",
            "items": [{"item_id": "6001", "category_id": "50013", "quantity": 2, "amount": 39.8}],
        },
        {
            "event_id": "taobao-orders:3300011112222:order.paid",
            "type": "order.paid",
            "occurred_at": "2026-03-02T09:01:30+08:00",
            "order_id": "3300011112222",
            "shop_id": "tea-house",
        },
        {
            "event_id": "taobao-orders:3300011112222:order.shipped:ZTO:78300011112222",
            "type": "order.shipped",
            "occurred_at": "2026-03-03T16:00:00+08:00",
            "order_id": "3300011112222",
            "shop_id": "tea-house",
            "tracking_no": "78300011112222",
            "carrier": "ZTO",
            "to_region": "新疆",
        },
    ]
    assert not report.problems
    assert not report.left_out


def test_lines_of_a_trade_in_one_parcel_are_one_shipment_and_in_two_parcels_two(run: Run) -> None:
    lines = [sub_order(), sub_order(num_iid=6002), sub_order(num_iid=6003, invoice_no="YT88", logistics_company="圆通")]
    events, _ = run("taobao-orders", trade(orders={"order": lines}))
    shipped = [(event["carrier"], event["tracking_no"]) for event in events if event["type"] == "order.shipped"]
    assert shipped == [("ZTO", "78300011112222"), ("YTO", "YT88")]
    assert len(only(events, "order.placed")["items"]) == 3


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("TRADE_FINISHED", "order.completed"),
        ("TRADE_CLOSED", "order.cancelled"),
        ("TRADE_CLOSED_BY_TAOBAO", "order.cancelled"),
        ("WAIT_BUYER_CONFIRM_GOODS", None),
    ],
)
def test_a_trades_end_is_told_by_its_state(run: Run, status: str, kind: str | None) -> None:
    events, _ = run("taobao-orders", trade(status=status, end_time="2026-03-12 08:00:00"))
    ends = [event["type"] for event in events if event["occurred_at"] == "2026-03-12T08:00:00+08:00"]
    assert ends == ([kind] if kind else [])


def test_an_end_without_a_time_is_left_out_and_counted(run: Run) -> None:
    events, report = run("taobao-orders", trade(status="TRADE_FINISHED", end_time=None))
    assert "order.completed" not in [event["type"] for event in events]
    assert report.lacking == {"order.completed of trades: no time": 1}


def test_the_rows_of_a_page_and_of_a_push_table_are_read(run: Run) -> None:
    page = {"trades_sold_get_response": {"trades": {"trade": [trade(), trade(tid=2, tid_str="2")]}, "total_results": 2}}
    events, _ = run("taobao-orders", page)
    assert len({event["order_id"] for event in events}) == 2
    answer = json.dumps({"trade_fullinfo_get_response": {"trade": trade()}}).replace('"', '""')
    table = f'tid,status,jdp_response\n3300011112222,WAIT_BUYER_CONFIRM_GOODS,"{answer}"\n'
    events, _ = run("taobao-orders", table, name="jdp_tb_trade.csv")
    assert [event["type"] for event in events] == ["order.placed", "order.paid", "order.shipped"]


@pytest.mark.parametrize(
    ("fields", "kinds"),
    [
        ({"status": "WAIT_SELLER_AGREE"}, ["refund.requested"]),
        ({"status": "SELLER_REFUSE_BUYER"}, ["refund.requested", "refund.rejected"]),
        ({"status": "SUCCESS"}, ["refund.requested", "refund.settled"]),
        ({"status": "WAIT_SELLER_AGREE", "cs_status": 2}, ["refund.requested", "dispute.opened"]),
    ],
)
def test_a_refund_gives_what_its_state_proves(run: Run, fields: dict[str, Any], kinds: list[str]) -> None:
    events, _ = run("taobao-orders", {"refunds_receive_get_response": {"refunds": {"refund": [refund(**fields)]}}})
    assert [event["type"] for event in events] == kinds
    asked = only(events, "refund.requested")
    assert (asked["refund_id"], asked["kind"], asked["reason"]) == ("990001", "return_refund", "no_reason")


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"has_good_return": False}, "refund_only"),
        ({"has_good_return": "true"}, "return_refund"),
        ({"dispute_type": "TMALL_EXCHANGE", "has_good_return": True}, "exchange"),
        ({"dispute_type": "RESHIPPING"}, "reship"),
    ],
)
def test_the_kind_of_a_refund_is_ours(run: Run, fields: dict[str, Any], kind: str) -> None:
    events, _ = run("taobao-orders", refund(**fields))
    assert only(events, "refund.requested")["kind"] == kind


def test_a_reason_that_is_not_known_is_other_and_told_without_people(run: Run) -> None:
    events, report = run("taobao-orders", refund(reason="好像哪里不对 电话13812345678"))
    assert only(events, "refund.requested")["reason"] == "other"
    assert report.reasons.total() == 1
    assert "138" not in next(iter(report.reasons))


def test_messages_give_what_they_prove_and_the_rest_is_counted_with_what_to_do(run: Run) -> None:
    def message(topic: str, **content: Any) -> dict[str, Any]:
        inner = {"tid": 3300011112222, "seller_nick": "tea-house", "buyer_nick": "茶**友", **content}
        return {"topic": topic, "pub_time": "2026-03-02 09:01:31", "user_id": 1, "content": json.dumps(inner)}

    sent = [
        message("taobao_trade_TradeCreate"),
        message("taobao_trade_TradeBuyerPay"),
        message("taobao_trade_TradeSellerShip"),
        message("taobao_trade_TradeSuccess"),
        message("taobao_refund_RefundSuccess", refund_id=990001, modified="2026-03-08 10:00:00"),
    ]
    events, report = run("taobao-orders", {"tmc_messages_consume_response": {"messages": {"tmc_message": sent}}})
    assert [event["type"] for event in events] == ["order.paid", "order.completed", "refund.settled"]
    assert sum(report.left_out.values()) == 2
    assert all("adapt the answer of" in why for why in report.left_out)


def test_an_export_and_a_message_of_one_fact_have_one_id(run: Run) -> None:
    exported, _ = run("taobao-orders", trade())
    content = {"tid": "3300011112222", "seller_nick": "tea-house"}
    sent = {"topic": "taobao_trade_TradeBuyerPay", "pub_time": "2026-03-02 09:01:33", "content": content}
    (paid,), _ = run("taobao-orders", sent)
    assert paid["event_id"] == only(exported, "order.paid")["event_id"]


def test_an_update_of_an_order_tells_its_facts_under_the_same_ids(run: Run) -> None:
    before, _ = run("taobao-orders", trade())
    after, _ = run("taobao-orders", trade(status="TRADE_FINISHED", end_time="2026-03-12 08:00:00", modified="x"))
    assert [event["event_id"] for event in after[:3]] == [event["event_id"] for event in before]
    once, report = run("taobao-orders", [trade(), trade()])
    assert once == before
    assert report.repeats == 3


def test_of_a_fact_told_twice_the_earlier_time_holds(run: Run) -> None:
    closed = {"status": "TRADE_CLOSED", "end_time": None}
    late, early = trade(**closed, modified="2026-03-09 08:00:00"), trade(**closed, modified="2026-03-08 08:00:00")
    events, _ = run("taobao-orders", [late, early])
    assert only(events, "order.cancelled")["occurred_at"] == "2026-03-08T08:00:00+08:00"


def test_a_shopify_order_holds_its_fulfilments_and_refunds(run: Run) -> None:
    events, report = run("shopify", {"orders": [shopify_order(refunds=[shopify_refund()])]}, **SHOP)
    assert told(events) == [
        ("order.placed", "2026-03-02T09:00:00-05:00"),
        ("order.paid", "2026-03-02T09:00:00-05:00"),
        ("order.shipped", "2026-03-03T16:00:00-05:00"),
        ("refund.requested", "2026-03-09T10:00:00-05:00"),
        ("refund.settled", "2026-03-09T10:00:01-05:00"),
    ]
    placed = only(events, "order.placed")
    assert placed["items"] == [{"item_id": "632910392", "category_id": "uncategorised", "quantity": 2, "amount": 21.0}]
    assert (placed["buyer_id"], placed["ship_to_region"]) == ("207119551", "Kentucky")
    assert only(events, "refund.requested")["kind"] == "return_refund"
    assert not report.left_out


def test_shopify_webhooks_tell_the_same_facts_as_an_export(run: Run) -> None:
    exported, _ = run("shopify", {"orders": [shopify_order(refunds=[shopify_refund()])]}, **SHOP)
    sent = [shopify_order(fulfillments=[]), fulfillment(), shopify_refund()]
    pushed = [event for body in sent for event in run("shopify", body, **SHOP)[0]]
    assert pushed == exported


def test_a_fulfilment_of_several_numbers_is_several_parcels(run: Run) -> None:
    events, _ = run("shopify", fulfillment(tracking_numbers=["A1", "A2"]), **SHOP)
    assert [event["tracking_no"] for event in events] == ["A1", "A2"]


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"tracking_numbers": [], "tracking_number": None}, "order.shipped of fulfillments: no tracking_no"),
        ({"tracking_company": None}, "order.shipped of fulfillments: no carrier: give it by --carrier"),
        ({"status": "cancelled"}, "fulfillments that were cancelled or failed"),
    ],
)
def test_a_fulfilment_that_names_no_parcel_is_counted(run: Run, fields: dict[str, Any], why: str) -> None:
    events, report = run("shopify", fulfillment(**fields), **SHOP)
    assert events == []
    assert report.left_out + report.lacking == {why: 1}


def test_a_cancelled_order_and_a_dispute_of_shopify(run: Run) -> None:
    events, _ = run("shopify", shopify_order(cancelled_at="2026-03-04T00:00:00Z", fulfillments=[]), **SHOP)
    assert only(events, "order.cancelled")["occurred_at"] == "2026-03-04T00:00:00+00:00"
    dispute = {"id": 7, "order_id": 450789469, "type": "chargeback", "initiated_at": "2026-04-01T00:00:00-05:00"}
    events, _ = run("shopify", dispute, **SHOP)
    assert [(event["type"], event["dispute_id"]) for event in events] == [("dispute.opened", "7")]


def test_a_guests_order_is_a_buyers_of_its_own_and_that_is_told(run: Run) -> None:
    events, report = run("shopify", shopify_order(customer=None), **SHOP)
    assert only(events, "order.placed")["buyer_id"] == "order:450789469"
    assert report.assumed == {"orders that name no buyer, each taken as a buyer's of its own": 1}
    events, _ = run("woocommerce", woo_order(customer_id=0), **SHOP)
    assert only(events, "order.placed")["buyer_id"] == "order:727"


def test_of_shops_that_number_by_themselves_orders_and_buyers_are_told_apart(run: Run) -> None:
    one, _ = run("woocommerce", woo_order(customer_id=5), shop="tea", by_shop=True)
    other, _ = run("woocommerce", woo_order(customer_id=5), shop="pots", by_shop=True)
    assert {event["order_id"] for event in one} == {"tea/727"}
    assert {only(events, "order.placed")["buyer_id"] for events in (one, other)} == {"tea/5", "pots/5"}
    assert not {event["event_id"] for event in one} & {event["event_id"] for event in other}
    assert only(run("woocommerce", woo_order(customer_id=0), shop="tea", by_shop=True)[0], "order.placed")[
        "buyer_id"
    ] == ("order:tea/727")
    with_table, _ = run(
        "tickets-csv", "ticket id,order id,created at,shop\nT,727,2026-03-02,tea\n", name="t.csv", by_shop=True
    )
    assert {event["order_id"] for event in with_table} == {"tea/727"}


def test_a_woocommerce_order_has_its_parcels_in_its_meta_data(run: Run) -> None:
    events, report = run("woocommerce", woo_order(refunds=[{"id": 5, "reason": "damaged", "total": "-3"}]), **SHOP)
    assert told(events) == [
        ("order.placed", "2026-03-02T09:00:00+00:00"),
        ("order.paid", "2026-03-02T09:00:30+00:00"),
        ("order.shipped", "2026-03-03T16:00:00+00:00"),
        ("order.completed", "2026-03-03T16:00:00+00:00"),
        ("refund.requested", "2026-03-03T16:00:00+00:00"),
        ("refund.settled", "2026-03-03T16:00:00+00:00"),
    ]
    shipped = only(events, "order.shipped")
    assert (shipped["carrier"], shipped["tracking_no"]) == ("DHL", "JD0140")
    assert only(events, "refund.requested")["reason"] == "damaged"
    assert not report.left_out


def test_an_order_without_items_is_told_as_far_as_it_goes(run: Run) -> None:
    events, report = run("taobao-orders", trade(orders={"order": [sub_order(num_iid=0, outer_iid="", oid="")]}))
    assert [event["type"] for event in events] == ["order.paid", "order.shipped"]
    assert report.lacking == {"order.placed of trades: no items": 1}


def test_what_is_ahead_of_now_is_left_out(run: Run) -> None:
    events, report = run("taobao-orders", trade(), now=datetime(2026, 3, 2, 0, 59, tzinfo=UTC))
    assert [event["type"] for event in events] == ["order.placed", "order.paid"]
    assert report.lacking == {"order.shipped of trades: more than a day ahead of now": 1}


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("taobao-orders", trade()),
        ("taobao-orders", refund()),
        ("shopify", shopify_order(refunds=[shopify_refund()])),
        ("shopify", fulfillment()),
        ("woocommerce", woo_order()),
    ],
)
def test_nothing_personal_goes_out_and_any_recognises_the_body(run: Run, name: str, body: Any) -> None:
    events, report = run(name, body, **SHOP)
    assert events
    assert not any(word in json.dumps([events, list(report.left_out)], ensure_ascii=False) for word in PERSONAL)
    assert run("any", body, **SHOP)[0] == events


def of_kuaidi100(number: str, carrier: str) -> dict[str, Any]:
    return {"nu": number, "com": carrier, "data": [{"time": "2026-03-03 17:20:00", "context": "已揽收"}]}


def of_kdniao(number: str, carrier: str) -> dict[str, Any]:
    traces = [{"AcceptTime": "2026-03-03 17:20:00", "AcceptStation": "已揽收"}]
    return {"LogisticCode": number, "ShipperCode": carrier, "Traces": traces}


def of_aftership(number: str, carrier: str) -> dict[str, Any]:
    checkpoints = [{"checkpoint_time": "2026-03-03T17:20:00", "message": "Picked up", "tag": "InTransit"}]
    return {"tracking_number": number, "slug": carrier, "checkpoints": checkpoints}


@pytest.mark.parametrize(
    ("order", "scan_format", "scans"),
    [
        (trade(), "kuaidi100", of_kuaidi100("78300011112222", "zhongtong")),
        (trade(), "kdniao", of_kdniao("78300011112222", "ZTO")),
        (trade(), "aftership", of_aftership("78300011112222", "zto-express")),
        (shopify_order(), "aftership", of_aftership("9400100000000000000001", "usps")),
        (woo_order(), "aftership", of_aftership("JD0140", "dhl")),
        (
            trade(orders={"order": [sub_order(logistics_company="跨越速运")]}),
            "kdniao",
            of_kdniao("78300011112222", "KYSY"),
        ),
    ],
)
def test_an_order_and_its_carriers_push_meet_in_one_shipment(
    run: Run, order: Any, scan_format: str, scans: Any
) -> None:
    events, _ = run("any", order, **SHOP)
    pushed, _ = run(scan_format, scans)
    shipped = only(events, "order.shipped")
    assert {(one["carrier"], one["tracking_no"]) for one in pushed} == {(shipped["carrier"], shipped["tracking_no"])}


def test_a_body_as_it_was_received_is_adapted_without_a_file() -> None:
    chosen, report = format_of("shopify"), Report()
    settings = settings_for(chosen, shop="s")
    lines = adapt_body(chosen, json.dumps(fulfillment()).encode(), settings, report)
    assert [line.value["event_id"] for line in lines] == ["shopify:450789469:order.shipped:USPS:9400100000000000000001"]
    assert list(adapt_body(chosen, b"{", settings, report)) == []
    assert [problem.what for problem in report.problems] == ["no JSON, XML or table in it"]
