"""Tables of orders and tickets: columns by their usual names or by a map, and the map that is drafted from a header."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from streams.adapt import InputError
from streams.adapt.formats import Format
from streams.adapt.orders.records import Records
from streams.adapt.reading import Found
from streams.adapt.run import _holds
from streams.cli.main import command_of

from .conftest import Run

SHOP = {"shop": "tea-house"}
TAOBAO = (
    "订单编号,买家会员名,订单状态,订单创建时间,订单付款时间,发货时间,物流单号,物流公司,宝贝标题,宝贝总数量,"
    "买家实际支付金额,收货人姓名,联系手机,省份\n"
)
SHIPPED = '="3301",tea-fan,卖家已发货，等待买家确认,2026-03-02 09:00:00,2026-03-02 09:01:30,2026-03-03 16:00:00,'
PEOPLE = "张三丰,'13812345678,浙江省\n"


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(command_of("adapt"), [str(argument) for argument in arguments])


def kinds(events: list[dict[str, Any]]) -> list[str]:
    return [event["type"] for event in events]


def test_an_export_with_usual_names_needs_no_map(run: Run) -> None:
    table = TAOBAO + SHIPPED + "No:7830001,中通快递,绿茶,2,39.80," + PEOPLE
    events, report = run("orders-csv", table, name="orders.csv", **SHOP)
    assert [(event["type"], event["occurred_at"]) for event in events] == [
        ("order.placed", "2026-03-02T09:00:00+08:00"),
        ("order.paid", "2026-03-02T09:01:30+08:00"),
        ("order.shipped", "2026-03-03T16:00:00+08:00"),
    ]
    placed, _, shipped = events
    assert (placed["order_id"], placed["buyer_id"], placed["ship_to_region"]) == ("3301", "tea-fan", "浙江")
    assert placed["items"] == [{"item_id": "绿茶", "category_id": "uncategorised", "quantity": 2, "amount": 39.8}]
    assert (shipped["carrier"], shipped["tracking_no"]) == ("ZTO", "7830001")
    assert not any(word in str(events) for word in ("张三丰", "138"))
    assert "order_id = 订单编号" in report.notes[0]
    assert run("any", table, name="orders.csv", **SHOP)[0] == events


def test_a_long_table_is_looked_at_as_long_as_its_rows_disagree(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[Found] = []

    def holds(records: Records, document: Found, scans: Format) -> bool:
        looked.append(document)
        return _holds(records, document, scans)

    monkeypatch.setattr("streams.adapt.run._holds", holds)
    rows = [f'"{number}"{SHIPPED[7:]}No:783{number:04},中通快递,绿茶,2,39.80,{PEOPLE}' for number in range(400)]
    events, _ = run("any", TAOBAO + "".join(rows), name="orders.csv", **SHOP)
    assert events == run("orders-csv", TAOBAO + "".join(rows), name="orders.csv", **SHOP)[0]
    assert len({document.where for document in looked}) == 20


LINES = """Order number;Order date;Paid at;Ship date;Tracking number;Carrier;SKU;Category;Qty;Unit price;Status;Shop
A-1;2026-03-02 09:00;2026-03-02 09:01;2026-03-03 10:00;UPS1;UPS;green;tea;2;3.50;open;s1
A-1;2026-03-02 09:00;2026-03-02 09:01;2026-03-04 10:00;"US2,US3";USPS;pot;ware;1;20;open;s1
A-2;2026-03-02 10:00;;;;;green;tea;1;3.50;cancelled;s1
"""


def test_the_lines_of_an_order_are_one_order_in_its_parcels(run: Run) -> None:
    events, report = run("orders-csv", LINES, name="orders.csv")
    first = [event for event in events if event["order_id"] == "A-1"]
    assert kinds(first) == ["order.placed", "order.paid", "order.shipped", "order.shipped", "order.shipped"]
    assert first[0]["items"] == [
        {"item_id": "green", "category_id": "tea", "quantity": 2, "amount": 7.0},
        {"item_id": "pot", "category_id": "ware", "quantity": 1, "amount": 20.0},
    ]
    assert [(event["carrier"], event["tracking_no"], event["occurred_at"][8:10]) for event in first[2:]] == [
        ("UPS", "UPS1", "03"),
        ("USPS", "US2", "04"),
        ("USPS", "US3", "04"),
    ]
    assert kinds([event for event in events if event["order_id"] == "A-2"]) == ["order.placed", "order.cancelled"]
    assert report.assumed == {"orders that name no buyer, each taken as a buyer's of its own": 2}


def test_a_map_says_which_columns_say_what(run: Run, tmp_path: Path) -> None:
    columns = tmp_path / "map.toml"
    columns.write_text(
        'zone = "Asia/Tokyo"\nshop = "s9"\n[columns]\norder_id = "No"\nplaced_at = "When"\nitem_id = ["Part", "What"]\n'
        'status = "State"\ncompleted_at = "End"\n[statuses]\n"やめた" = "cancelled"\n'
    )
    table = "No,When,Part,What,State,End,Memo\nA,2026-03-02 09:00,,tea,やめた,2026-03-03 09:00,x\n"
    events, report = run("orders-csv", table, name="t.csv", columns=columns)
    assert [(event["type"], event["occurred_at"], event["shop_id"]) for event in events] == [
        ("order.placed", "2026-03-02T09:00:00+09:00", "s9"),
        ("order.cancelled", "2026-03-03T09:00:00+09:00", "s9"),
    ]
    assert report.notes == []


def test_refunds_of_lines_are_told(run: Run) -> None:
    table = (
        "订单编号,下单时间,商品ID,退款编号,退款申请时间,退款类型,退款原因,退款完成时间\n"
        "1,2026-03-02 09:00,6,R1,2026-03-05 09:00,退货退款,质量问题,2026-03-08 09:00\n"
        "2,2026-03-02 09:00,6,R2,2026-03-05 09:00,怎么办,,\n"
    )
    events, report = run("orders-csv", table, name="t.csv", **SHOP)
    (asked,) = [event for event in events if event["type"] == "refund.requested"]
    assert (asked["refund_id"], asked["kind"], asked["reason"], asked["item_id"]) == (
        "R1", "return_refund", "defective", "6",
    )  # fmt: skip
    assert kinds(events)[-1] == "refund.settled"
    assert report.lacking == {"refund.requested of orders: kind '怎么办' is not known": 1}


def test_tickets_are_opened_answered_or_complaints(run: Run) -> None:
    table = (
        "工单编号,关联订单号,工单类型,创建时间,最晚处理时间,首次响应时间,店铺\n"
        "T1,3301,催发货,2026-03-07 10:00,2026-03-07 20:00,2026-03-07 10:45,tea-house\n"
        "T2,,退款,2026-03-07 10:30,,,tea-house\n"
        "T3,3302,投诉,2026-03-07 11:00,,,tea-house\n"
        "T4,3302,天气,2026-03-07 12:00,,,tea-house\n"
    )
    events, report = run("tickets-csv", table, name="t.csv")
    assert [(event["type"], event.get("kind")) for event in events] == [
        ("ticket.opened", "urge_shipping"),
        ("ticket.opened", "after_sales"),
        ("ticket.responded", None),
        ("complaint.filed", None),
        ("ticket.opened", "other"),
    ]
    assert events[0]["respond_by"] == "2026-03-07T20:00:00+08:00"
    assert "order_id" not in events[1]
    assert report.assumed == {"kinds that are not known, taken as other": 1}
    assert run("any", table, name="t.csv")[0] == events


def test_a_history_of_scans_stays_one_for_any(run: Run) -> None:
    table = "order id,tracking number,carrier,created at,status\n1,T1,UPS,2026-03-02 09:00,Delivered\n"
    events, _ = run("any", table, name="t.csv")
    assert kinds(events) == ["scan"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("columns = 5", "columns is a table"),
        ('[columns]\norder_idd = "No"', "there is no column 'order_idd' (did you mean order_id?)"),
        ('[columns]\nplaced_at = "When"', "no order_id: the order's number"),
        ('[columns]\norder_id = ""', "order_id is the name of a column"),
        ('[columns]\norder_id = "No"\n[zones]\n', "a map of columns has no 'zones' (did you mean zone?)"),
        ('zone = "Mars"\n[columns]\norder_id = "No"', "unknown time zone 'Mars'"),
        ("[columns", "map.toml: "),
    ],
)
def test_a_mistake_in_a_map_is_one_line(run: Run, tmp_path: Path, text: str, told: str) -> None:
    columns = tmp_path / "map.toml"
    columns.write_text(text)
    with pytest.raises(InputError) as raised:
        run("orders-csv", "No,When,x\nA,2026-03-02,1\n", name="t.csv", columns=columns)
    assert told in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_table_without_the_column_that_it_has_to_have_says_what_it_has(run: Run, tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("Number,When,What\nA,2026-03-02,1\n")
    result = invoke("orders-csv", table, "--shop", "s")
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1] == (
        "Error: no event in the input: no column for order_id (the order's number); it has Number, When, What; "
        "--draft-map drafts a map"
    )
    assert result.stdout == ""


def test_a_number_that_a_spreadsheet_has_rounded_is_left_out_and_told(run: Run) -> None:
    table = "订单编号,下单时间,商品ID\n3.30001E+15,2026-03-02 09:00,6\n"
    events, report = run("orders-csv", table, name="t.csv", **SHOP)
    assert events == []
    assert "which a spreadsheet has rounded" in next(iter(report.lacking))


def test_a_drafted_map_reads_the_table_it_was_drafted_from(tmp_path: Path) -> None:
    table = tmp_path / "orders.csv"
    table.write_text(
        "系统订单编号,买家会员名,交易状态,下单时间(北京),订单付款时间,快递单号1,快递公司,商品ID,收货人姓名\n"
        "A,b,交易关闭,2026-03-02 09:00,2026-03-02 09:01,,,6,张三丰\nB,b,等待发货,2026-03-02 09:00,,,,6,张三丰\n"
    )
    drafted = invoke("orders-csv", "--draft-map", table)
    assert drafted.exit_code == 0, drafted.stderr
    assert "张三丰" not in drafted.stdout
    assert 'order_id = "系统订单编号"  # the order\'s number (a guess)' in drafted.stdout
    assert "# Nothing takes: 收货人姓名" in drafted.stdout
    assert '# "等待发货" = ""' in drafted.stdout
    made = tomllib.loads(drafted.stdout)
    assert made["columns"]["placed_at"] == "下单时间(北京)"
    assert made["columns"]["tracking_no"] == "快递单号1"
    assert made["statuses"] == {"交易关闭": "cancelled"}
    columns = tmp_path / "map.toml"
    columns.write_text(drafted.stdout)
    result = invoke("orders-csv", table, "--map", columns, "--shop", "s")
    assert result.exit_code == 0, result.stderr
    assert "order.cancelled 1, order.paid 1, order.placed 2" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["kuaidi100", "{file}", "--draft-map"], "kuaidi100 has no columns to map; orders-csv and tickets-csv have"),
        (["kuaidi100", "{file}", "--map", "{file}"], "kuaidi100 has no columns to map"),
        (["orders-csv", "{file}.none", "--draft-map"], "no such file"),
        (["orders-csv", "{file}", "{file}", "--draft-map"], "--draft-map drafts from one input"),
        (["orders-csv", "{empty}", "--draft-map"], "no table in it"),
        (["orders-csv", "{file}", "--map", "{file}.none"], "cannot be read"),
    ],
)
def test_a_mistake_with_maps_is_one_line_and_status_2(tmp_path: Path, arguments: list[str], told: str) -> None:
    table, empty = tmp_path / "t.csv", tmp_path / "empty.csv"
    table.write_text("订单编号,下单时间,商品ID\n1,2026-03-02 09:00,6\n")
    empty.write_text("")
    result = invoke(*(argument.format(file=table, empty=empty) for argument in arguments))
    assert result.exit_code == 2
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert told in line
