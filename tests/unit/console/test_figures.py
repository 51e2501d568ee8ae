"""Shops, carriers, facilities and dead letters: the figures, and the pages that show them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from schemas.times import DAY, HOUR
from streams.console import carriers, charts, dead_letters, shops
from streams.console.charts import Curve
from streams.console.store import Store
from streams.engine.log.interface import TopicPartition
from streams.engine.processor import Record
from streams.policy.load import default
from streams.rules.help_rate.levels import judge
from tests.unit.alerts.samples import T0, an_alert
from tests.unit.console.figures import NOW, baseline, filled, letter, rates, scan
from tests.unit.console.served import log_with_topics, served

RULES = default().help_rate


@pytest.fixture
def store() -> Iterator[Store]:
    made = Store()
    yield made
    made.close()


def put(store: Store, topic: str, *records: tuple[str, bytes | None]) -> None:
    made = [Record(number, 0, key.encode(), value, ()) for number, (key, value) in enumerate(records)]
    store.put(topic, TopicPartition(topic, 0), made)


def level(orders: int, escalations: int, flags: int) -> str:
    return judge(flags, orders, escalations, escalations / orders, 0.08, RULES).state


@pytest.mark.parametrize(("escalations", "state", "flags"), [(30, "campaign_blocked", 3), (50, "delisting_risk", 7),
                                                             (20, "elevated", 1), (10, "ok", 0)])  # fmt: skip
def test_what_it_takes_is_what_the_rule_asks_and_one_less_is_not_enough(
    escalations: int, state: str, flags: int
) -> None:
    found = shops.outlook(state, 200, escalations, 0.08, RULES)
    if found.reach is not None:
        next_level, count = found.reach
        assert level(200, escalations + count, flags) == next_level
        assert level(200, escalations + count - 1, flags) == state
    if found.fewer is not None and found.orders is not None:
        assert level(200, escalations - found.fewer, flags) != state
        assert level(200, escalations - found.fewer + 1, flags) == state
        assert level(200 + found.orders, escalations, flags) != state
        assert level(200 + found.orders - 1, escalations, flags) == state


@pytest.mark.parametrize(("state", "mean"), [("insufficient", None), ("insufficient", 0.08), ("ok", 0.0)])
def test_what_is_not_judged_has_nothing_to_leave(state: str, mean: float | None) -> None:
    found = shops.outlook(state, 10, 1, mean, RULES)
    assert (found.fewer, found.orders) == (None, None)


def test_a_shop_stands_as_its_last_record_and_its_rates_go_back(store: Store) -> None:
    put(store, "category-baselines", ("women-clothing", baseline(NOW - DAY)), ("women-clothing", baseline(NOW, 0.1)))
    put(store, "help-rates", ("s", rates("s", NOW - DAY, 10)), ("s", rates("s", NOW)), ("t", rates("t", NOW, 2, "ok")))
    found = shops.shop(store, "s", RULES)
    assert found is not None
    assert [share for _, share in found.month] == [0.05, 0.15]
    # The category's mean has moved since the shop's record.
    assert found.baseline == 0.1
    assert shops.thresholds(found.means, RULES)["delisting_risk"][-1][1] == pytest.approx(0.3)
    assert [one["shop"] for one in shops.shops(store, "")] == ["s", "t"]
    put(store, "help-rates", ("s", None))
    assert [one["shop"] for one in shops.shops(store, "")] == ["t"]
    assert shops.shop(store, "s", RULES) is None


def test_a_chart_has_no_style_or_script_and_says_what_it_shows() -> None:
    curve = Curve("<b>", "rate", [(T0, 0.1), (T0 + DAY, 0.3)])
    drawn = charts.shares([curve, Curve("mean", "mean", [])], T0 + 2 * DAY, 'of "x" <i>', "en")
    assert "style" not in drawn
    assert "<script" not in drawn
    assert "<b>" not in drawn
    assert 'aria-label="of &quot;x&quot; &lt;i&gt;"' in drawn
    assert charts.shares([Curve("none", "rate", [])], T0, "t", "en") == ""
    assert "<path" in charts.shares([Curve("one", "rate", [(T0, 0.0)])], T0, "t", "zh-CN")


def test_carriers_are_counted_by_hour_and_compared_with_the_days_before(store: Store) -> None:
    rules = default().feed_silence
    records = [("", scan("ZTO", NOW - day * DAY + 60)) for day in range(9)] + [("", scan("SF", NOW - DAY))]
    put(store, "logistics-scans", *records, ("", b"{}"))
    hours, found = carriers.carriers(store, rules)
    sf, zto = found
    assert (sf.name, sf.health, sf.recent) == ("SF", carriers.QUIET, 0)
    assert (zto.health, zto.recent, zto.usual) == (carriers.WELL, 1, 1.0)
    assert hours[-1] == NOW // HOUR
    assert zto.cells[-1] == (1, carriers.SHADES)
    assert zto.cells[-2] == (0, 0)
    assert store.unreadable == 1


def test_a_carrier_with_an_open_alert_is_silent_and_comes_first() -> None:
    log = log_with_topics()
    log.append("logistics-scans", b"P1", scan("AAA", NOW))
    with served(log) as console:
        console.put(an_alert("carrier.feed_silent"))
        page = console.until(lambda page: "silent</span>" in page, "/carriers")
    assert page.index(">SF<") < page.index(">AAA<")


def test_dead_letters_are_counted_by_reason_and_show_nothing_of_the_record(store: Store) -> None:
    headers = [letter(7, "invalid-json", "line 1"), letter(8, "invalid-json", "line 2"), letter(9, "wrong-key", "")]
    topic = TopicPartition("orders.dlq", 0)
    store.put("orders.dlq", topic, [Record(n, 0, b"key", b"payload", one) for n, one in enumerate(headers)])
    assert [(one["code"], one["source"], one["count"]) for one in dead_letters.by_reason(store)] == [
        ("invalid-json", "orders", 2),
        ("wrong-key", "orders", 1),
    ]
    assert [one["source_offset"] for one in dead_letters.samples(store, "wrong-key")] == [9]
    assert len(dead_letters.samples(store, "")) == 3


@pytest.mark.parametrize(
    ("path", "english", "chinese"),
    [
        ("/shops", "campaign", "women-clothing"),
        ("/shops/s%2F%3C1%3E", "What it would take", "怎样会变"),
        ("/carriers", "Scans by carrier and hour", "各快递公司每小时的扫描数"),
        ("/facilities", "郑州转运中心", "停滞包裹"),
        ("/dead-letters", "invalid-json", "只显示位置和原因"), ("/dead-letters?code=none", "Samples", "样例"),
    ],
)  # fmt: skip
def test_each_page_is_there_in_both_languages(path: str, english: str, chinese: str) -> None:
    with served(filled()) as console:
        console.put(an_alert("shipment.stalled"))
        page = console.until(lambda page: re.search(english, page) is not None, path)
        assert chinese in console.get(path, {"Accept-Language": "zh"}).text
        assert "<i>x" not in page
        assert "private" not in page
        assert "s/<1>" not in page


def test_a_shop_or_page_that_is_not_there_is_not_found() -> None:
    with served() as console:
        for path in ("/shops/none", "/nothing", "/alerts/", "/assets/../frame.py"):
            assert console.get(path).status == 404


def test_a_dead_letter_is_shown_whatever_its_producers_headers_hold(store: Store) -> None:
    source = TopicPartition("orders.dlq", 0)
    before = len(dead_letters.samples(store, ""))
    headers: Any = (("trace", b"\xff\xfe"), ("none", None), *letter(7, "not_json", "x"))
    store.put("orders.dlq", source, [Record(90, 0, b"A", b"", headers)])
    odd = tuple((name, b"9" * 30 if name == "source-offset" else value) for name, value in letter(8, "not_json", "x"))
    store.put("orders.dlq", source, [Record(91, 0, b"A", b"", odd)])
    assert len(dead_letters.samples(store, "")) == before + 2
    assert {one["source_offset"] for one in dead_letters.samples(store, "not_json")} == {7, -1}
    assert store.unreadable == 0
