"""Whatever an order's body holds, its events are valid, nothing personal goes out, and nothing else is raised."""

from __future__ import annotations

import copy
import csv
import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.decode import decode
from streams.adapt import Report, adapt_body, format_of, settings_for
from streams.adapt.orders.columns import BadMap, read_map
from streams.adapt.orders.drafting import draft
from streams.adapt.reading import documents_of

from .shops import (
    PERSONAL,
    after_sale,
    douyin_order,
    fulfillment,
    refund,
    shopify_order,
    shopify_refund,
    trade,
    woo_order,
)

BODIES = {
    "taobao-orders": [trade(), refund(), {"topic": "TradeBuyerPay", "content": {"tid": 1}, "pub_time": ""}],
    "douyin-orders": [douyin_order(), after_sale(), {"tag": "101", "data": {"p_id": 1, "pay_time": 1}}],
    "shopify": [shopify_order(refunds=[shopify_refund()]), fulfillment()],
    "woocommerce": [woo_order(refunds=[{"id": 5, "reason": "x"}])],
    "any": [trade(), douyin_order(), woo_order()],
}  # fmt: skip
ODD: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=200)
    | st.sampled_from(
        ["", "0", "0000-00-00 00:00:00", "9999-12-31 23:59:59", "2026-03-02 09:00:00", "1e400", "7.8E+13"]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
HEADER = [
    "订单编号",
    "下单时间",
    "付款时间",
    "发货时间",
    "物流单号",
    "物流公司",
    "商品ID",
    "数量",
    "金额",
    "订单状态",
    "退款编号",
]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where the leaves and branches of a body are."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path] * bool(path) + [place for key, inner in entries for place in places(inner, (*path, key))]


@st.composite
def spoilt(draw: st.DrawFn) -> tuple[str, bytes]:
    """A body of some format, with odd values in some places."""
    name = draw(st.sampled_from(sorted(BODIES)))
    body = {"it": [copy.deepcopy(draw(st.sampled_from(BODIES[name])))]}
    for place in draw(st.lists(st.sampled_from(places(body)[2:]), max_size=4)):
        holder: Any = body
        try:
            for key in place[:-1]:
                holder = holder[key]
            holder[place[-1]] = draw(ODD)
        except (KeyError, IndexError, TypeError):
            continue
    return name, json.dumps(body, ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")


def check(name: str, body: bytes, **options: Any) -> list[dict[str, Any]]:
    chosen = format_of(name)
    lines = list(adapt_body(chosen, body, settings_for(chosen, **options), Report()))
    for line in lines:
        decode(line.topic, json.dumps(line.value).encode())
    ids = [line.value["event_id"] for line in lines]
    assert len(set(ids)) == len(ids)
    return [line.value for line in lines]


@settings(deadline=None)
@given(spoilt())
def test_a_spoilt_body_gives_valid_events_that_name_nobody(case: tuple[str, bytes]) -> None:
    events = check(*case, shop="s", carrier="ZTO")
    told = json.dumps(events, ensure_ascii=False)
    assert not any(word in told for word in PERSONAL)


@settings(deadline=None)
@given(st.sampled_from(sorted(BODIES)), st.binary(max_size=300))
def test_any_bytes_are_read_without_a_traceback(name: str, body: bytes) -> None:
    check(name, body, shop="s")


@settings(deadline=None)
@given(
    st.sampled_from(["orders-csv", "tickets-csv", "any"]),
    st.lists(st.lists(st.text(max_size=30), min_size=len(HEADER), max_size=len(HEADER)), max_size=4),
)
def test_any_cells_are_read_without_a_traceback(name: str, rows: list[list[str]]) -> None:
    text = io.StringIO()
    csv.writer(text).writerows([HEADER, *rows])
    check(name, text.getvalue().encode("utf-8", "replace"), shop="s", carrier="ZTO")


@settings(deadline=None)
@given(st.lists(st.text(min_size=1, max_size=20), min_size=3, max_size=8, unique=True), st.text(max_size=20))
def test_a_draft_is_toml_whatever_the_header(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], cell: str
) -> None:
    records = format_of("orders-csv").records
    assert records is not None
    assert records.rows is not None
    rows = json.dumps([{**dict.fromkeys(names, cell), "订单状态": cell}]).encode()
    path = tmp_path_factory.mktemp("map") / "map.toml"
    path.write_text(draft(records.rows, documents_of(rows, "", Report()), "t\n.csv"), encoding="utf-8")
    try:
        read_map(path, records.rows)
    except BadMap as bad:
        # The draft is TOML; without a column that looks like the order's number the user has to name it.
        assert "order_id is the name of a column" in str(bad)  # noqa: PT017  either of two outcomes
