"""Olist's files into events, with one small invented folder."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from schemas.decode import decode
from streams.adapt import Report, adapt

Row = dict[str, str]
ORDER: Row = {
    "order_id": "o1",
    "customer_id": "c1",
    "order_status": "delivered",
    "order_purchase_timestamp": "2017-08-01 10:00:00",
    "order_approved_at": "2017-08-01 11:00:00",
    "order_delivered_carrier_date": "2017-08-03 09:00:00",
    "order_delivered_customer_date": "2017-08-09 18:00:00",
}
ITEM: Row = {
    "order_id": "o1",
    "order_item_id": "1",
    "product_id": "p1",
    "seller_id": "s1",
    "shipping_limit_date": "2017-08-05 11:00:00",
    "price": "19.90",
}
REVIEW: Row = {
    "review_id": "r1",
    "order_id": "o1",
    "review_score": "1",
    "review_creation_date": "2017-08-10 00:00:00",
    "review_answer_timestamp": "2017-08-12 20:00:00",
}
CUSTOMER: Row = {"customer_id": "c1", "customer_unique_id": "u1", "customer_state": "SP"}
PRODUCT: Row = {"product_id": "p1", "product_category_name": "brinquedos"}

Adapted = tuple[list[dict[str, Any]], Report]
Olist = Callable[..., Adapted]


@pytest.fixture
def olist(tmp_path: Path) -> Olist:
    """Writes the given files (rows by name) into a folder and adapts it; every event is valid."""

    def adapted(tz: str | None = None, packed: bool = False, **files: list[Row]) -> Adapted:
        given = {"orders": [ORDER], "order_items": [ITEM], **files}
        for name, rows in given.items():
            if not rows:
                continue
            text = "\n".join([",".join(rows[0]), *(",".join(row.values()) for row in rows)]) + "\n"
            path = tmp_path / f"olist_{name}_dataset.csv"
            if packed:
                path.with_suffix(".csv.gz").write_bytes(gzip.compress(text.encode()))
            else:
                path.write_text(text)
        report = Report()
        lines = list(adapt("olist", [tmp_path], report=report, tz=tz))
        for line in lines:
            decode(line.topic, json.dumps(line.value).encode())
        return [line.value for line in lines], report

    return adapted


def times(events: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(event.get("status", event["type"]), event["occurred_at"]) for event in events]


def test_a_delivered_order_gives_its_whole_life_in_the_order_of_time(olist: Olist) -> None:
    events, report = olist(order_reviews=[REVIEW])
    assert times(events) == [
        ("order.placed", "2017-08-01T10:00:00-03:00"),
        ("order.paid", "2017-08-01T11:00:00-03:00"),
        ("order.shipped", "2017-08-03T09:00:00-03:00"),
        ("picked_up", "2017-08-03T09:00:00-03:00"),
        ("order.completed", "2017-08-09T18:00:00-03:00"),
        ("delivered", "2017-08-09T18:00:00-03:00"),
        ("complaint.filed", "2017-08-12T20:00:00-03:00"),
    ]
    assert report.problems == []
    assert len({event["event_id"] for event in events}) == 7


def test_the_facts_of_an_order_come_from_all_files(olist: Olist) -> None:
    events, _ = olist(customers=[CUSTOMER], products=[PRODUCT], sellers=[{"seller_id": "s1", "seller_state": "MG"}])
    placed, paid, shipped, scan = events[:4]
    assert placed == {
        "event_id": "olist:o1:order.placed",
        "type": "order.placed",
        "occurred_at": "2017-08-01T10:00:00-03:00",
        "order_id": "o1",
        "shop_id": "s1",
        "buyer_id": "u1",
        "items": [{"item_id": "p1", "category_id": "brinquedos", "quantity": 1, "amount": 19.9}],
        "ship_to_region": "SP",
    }
    assert paid["ship_by"] == "2017-08-05T11:00:00-03:00"
    assert (shipped["tracking_no"], shipped["carrier"]) == ("OLIST-o1", "OLIST")
    assert (shipped["from_region"], shipped["to_region"]) == ("MG", "SP")
    assert (scan["tracking_no"], scan["carrier"]) == ("OLIST-o1", "OLIST")


def test_without_the_other_files_what_they_say_is_missing_and_no_more(olist: Olist) -> None:
    events, report = olist()
    assert events[0]["buyer_id"] == "c1"
    assert events[0]["items"][0]["category_id"] == "uncategorised"
    assert "ship_to_region" not in events[0]
    assert report.problems == []


def test_lines_of_one_product_are_one_item(olist: Olist) -> None:
    events, _ = olist(order_items=[ITEM, {**ITEM, "order_item_id": "2", "price": "20.00"}])
    assert events[0]["items"] == [{"item_id": "p1", "category_id": "uncategorised", "quantity": 2, "amount": 39.9}]


def test_an_order_of_two_sellers_is_two_orders_with_a_parcel_and_a_complaint_each(olist: Olist) -> None:
    second = {**ITEM, "order_item_id": "2", "product_id": "p2", "seller_id": "s2"}
    events, _ = olist(order_items=[second, ITEM], order_reviews=[REVIEW])
    placed = [event for event in events if event["type"] == "order.placed"]
    assert [(event["order_id"], event["shop_id"]) for event in placed] == [("o1-1", "s1"), ("o1-2", "s2")]
    assert {event["tracking_no"] for event in events if event["type"] == "scan"} == {"OLIST-o1-1", "OLIST-o1-2"}
    filed = [event for event in events if event["type"] == "complaint.filed"]
    assert [(event["complaint_id"], event["order_id"], event["shop_id"]) for event in filed] == [
        ("r1-1", "o1-1", "s1"),
        ("r1-2", "o1-2", "s2"),
    ]


def test_the_ship_by_is_the_earliest_of_the_sellers_items(olist: Olist) -> None:
    early = {**ITEM, "order_item_id": "2", "shipping_limit_date": "2017-08-04 11:00:00"}
    events, _ = olist(order_items=[ITEM, early])
    assert events[1]["ship_by"] == "2017-08-04T11:00:00-03:00"


def test_a_cancelled_order_is_cancelled_at_the_latest_of_its_times(olist: Olist) -> None:
    cancelled = {
        **ORDER,
        "order_status": "canceled",
        "order_delivered_carrier_date": "",
        "order_delivered_customer_date": "",
    }
    events, _ = olist(orders=[cancelled])
    assert times(events)[-1] == ("order.cancelled", "2017-08-01T11:00:00-03:00")
    assert not any(event["type"] == "order.completed" for event in events)


@pytest.mark.parametrize("status", ["unavailable", "processing", "invoiced", "approved", "created"])
def test_an_order_that_never_left_is_neither_completed_nor_cancelled(olist: Olist, status: str) -> None:
    kept = {**ORDER, "order_status": status, "order_delivered_carrier_date": "", "order_delivered_customer_date": ""}
    events, _ = olist(orders=[kept])
    assert [event["type"] for event in events] == ["order.placed", "order.paid"]


def test_only_one_star_is_a_complaint(olist: Olist) -> None:
    events, _ = olist(order_reviews=[{**REVIEW, "review_score": "2"}])
    assert not any(event["type"] == "complaint.filed" for event in events)


def test_an_order_without_items_has_no_shop_and_is_counted(olist: Olist) -> None:
    events, report = olist(orders=[ORDER, {**ORDER, "order_id": "o2"}])
    assert {event.get("order_id", "o1") for event in events} == {"o1"}
    assert report.left_out == {"orders without items, so without a shop": 1}


def test_summer_time_of_sao_paulo_counts_and_another_zone_may_be_told(olist: Olist) -> None:
    summer = [{**ORDER, "order_purchase_timestamp": "2017-12-01 10:00:00"}]
    assert "2017-12-01T10:00:00-02:00" in {at for _, at in times(olist(orders=summer)[0])}
    assert "2017-12-01T10:00:00+00:00" in {at for _, at in times(olist(orders=summer, tz="UTC")[0])}


def test_gzipped_files_are_read(olist: Olist) -> None:
    assert len(olist(packed=True)[0]) == 6


def test_bad_rows_are_left_out_with_file_and_line_and_the_rest_goes_on(olist: Olist) -> None:
    orders = [ORDER, {**ORDER, "order_id": "o2", "order_purchase_timestamp": "soon"}, ORDER, {**ORDER, "order_id": ""}]
    items = [ITEM, {**ITEM, "order_id": "o2"}, {**ITEM, "order_id": "zz"}, {**ITEM, "order_item_id": "x"}]
    reviews = [{**REVIEW, "review_score": "bad"}]
    events, report = olist(orders=orders, order_items=items, order_reviews=reviews)
    assert len(events) == 6
    told = {f"{Path(found.file).name}: {found.where}: {found.what}" for found in report.problems}
    assert told == {
        "olist_orders_dataset.csv: line 3: order_purchase_timestamp: no time: 'soon'",
        "olist_orders_dataset.csv: line 4: order o1 is there twice",
        "olist_orders_dataset.csv: line 5: no order_id",
        "olist_order_items_dataset.csv: line 4: an item of an unknown order 'zz'",
        "olist_order_items_dataset.csv: line 5: order_item_id 'x' is no number",
        "olist_order_reviews_dataset.csv: line 2: review_score 'bad' is no number",
    }


def test_a_row_of_another_width_and_a_missing_column_are_problems(olist: Olist, tmp_path: Path) -> None:
    olist()
    with (tmp_path / "olist_orders_dataset.csv").open("a") as file:
        file.write("o2,c2\n")
    (tmp_path / "olist_products_dataset.csv").write_text("product_id\np1\n")
    report = Report()
    assert len(list(adapt("olist", [tmp_path], report=report))) == 6
    assert sorted(found.what for found in report.problems) == [
        "2 cells under a head of 7",
        "has no column product_category_name",
    ]


@pytest.mark.parametrize(("missing", "named"), [("orders", "orders"), ("order_items", "order_items")])
def test_a_folder_without_orders_or_items_is_not_readable(olist: Olist, missing: str, named: str) -> None:
    events, report = olist(**{missing: []})
    assert (events, report.readable) == ([], 0)
    assert report.problems[0].what == f"has no olist_{named}_dataset.csv or .csv.gz"
