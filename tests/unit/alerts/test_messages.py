"""What the alerts say: every one in both languages, with nothing missing showing."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from schemas.events import RefundKind, Status, TicketKind
from schemas.times import DAY, render
from streams.alerts.facts import NAMES, percent
from streams.alerts.languages import LANGUAGES
from streams.alerts.messages import Messages
from streams.alerts.templates import Template
from streams.alerts.wording import catalogue
from streams.rules.alert import Alert
from streams.rules.alert_types import ALERT_TYPES
from tests.unit.alerts.samples import (
    AUDIENCES,
    CAUSES,
    EVIDENCE,
    GROUNDS,
    REQUESTS,
    RIGHTS,
    SUSPICIONS,
    T0,
    an_alert,
    every_alert,
)  # fmt: skip

MESSAGES = Messages()
ALERTS = list(every_alert())


def said(alert: Alert, audience: int = 0) -> dict[str, str]:
    return MESSAGES.write(alert)[audience].message


def texts(alert: Alert) -> list[tuple[str, str]]:
    """(language, text) of every message and piece of advice."""
    found = []
    for wording in MESSAGES.write(alert):
        found += list(wording.message.items())
        for piece in wording.advice:
            found += [(language, piece[language]) for language in ("zh-CN", "en")]
    return found


@pytest.mark.parametrize("alert", ALERTS, ids=lambda a: f"{a.type}-{a.resolution}")
def test_no_text_shows_a_gap_or_a_code(alert: Alert) -> None:
    for language, text in texts(alert):
        assert not re.search(r"[{}\[\]|]|None|null|unknown|未知", text), text
        assert not re.search(r"\s[,.;，。；：、]|\s\s|[（(]\s*[）)]|，，|，。|。。|,,|\.\.|: *\.", text), text
        assert "_" not in text.replace("urge_shipping", ""), text
        assert text == text.strip()
        if language == "zh-CN":
            assert text.endswith("。")
            assert not re.search(r"[,;:?!](?!\d)", text.replace("11-01/11-20", "")), f"half-width marks: {text}"
            assert "UTC" not in text
        else:
            assert re.fullmatch(r"[A-Za-z].*\.", text)
            assert not re.search(r"[，。、；：（）]|北京时间", text)
            for chinese in re.findall(r"[\u4e00-\u9fff]+", text):
                assert chinese == "郑州转运中心"


@pytest.mark.parametrize("alert", ALERTS, ids=lambda a: f"{a.type}-{a.resolution}")
def test_every_message_names_its_subject_and_a_time_with_its_zone(alert: Alert) -> None:
    for wording in MESSAGES.write(alert):
        for language, zone in (
            ("zh-CN", r"北京时间 \d{4}-\d\d-\d\d \d\d:\d\d"),
            ("en", r"\d{4}-\d\d-\d\d \d\d:\d\d UTC"),
        ):
            assert alert.subject in wording.message[language]
            dates = re.findall(r"\d{4}-\d\d-\d\d", wording.message[language])
            assert dates
            assert len(re.findall(zone, wording.message[language])) == len(dates)


@pytest.mark.parametrize("type_", EVIDENCE)
def test_every_raised_alert_says_what_to_do_and_has_advice_for_each_audience(type_: str) -> None:
    raised = catalogue().alerts[type_].raised
    for audience, wording in zip(AUDIENCES[type_], MESSAGES.write(an_alert(type_)), strict=True):
        assert raised.action(audience) is not None
        assert wording.advice


def test_the_catalogue_holds_every_type_and_resolution_and_no_other() -> None:
    words = catalogue()
    assert words.alerts.keys() == ALERT_TYPES.keys()
    wanted: dict[str, set[str]] = {}
    for type_ in ALERT_TYPES.values():
        wanted.setdefault(type_.family, set()).update(type_.resolutions)
    assert {family: set(found) for family, found in words.resolved.items()} == {
        family: resolutions for family, resolutions in wanted.items() if resolutions
    }


def test_every_value_in_the_catalogue_is_one_that_there_is() -> None:
    words = catalogue()
    known = NAMES | words.names.phrases.keys()
    sentences = [a.raised for a in words.alerts.values()]
    sentences += [s for found in words.resolved.values() for s in found.values()]
    found = [text for s in sentences for text in (s.what, s.merchant, s.platform) if text is not None]
    found += [text for a in words.advice.values() for text in (a.merchant, a.platform) if text is not None]
    found += list(words.names.phrases.values())
    for text in found:
        for sentence in text.values():
            assert Template(sentence).names <= known, sentence
    mentioned = {code for s in sentences for code in s.advice}
    by_evidence = {cause["code"] for cause in CAUSES}
    by_evidence |= {"answer_urge_shipping", "answer_after_sales", "answer_other"}
    assert mentioned | by_evidence == set(words.advice)


def test_advice_on_a_cause_mentions_the_cause_alone() -> None:
    for cause in CAUSES:
        words = catalogue().advice[cause["code"]]
        for text in (words.merchant, words.platform):
            assert text is not None
            for sentence in text.values():
                assert all(name.startswith("cause_") for name in Template(sentence).names)


def test_a_stall_is_told_with_its_silence_its_last_scan_and_its_first_cause() -> None:
    assert said(an_alert("shipment.stalled")) == {
        "zh-CN": "包裹 YT880001（YTO，订单 O-1）自北京时间 2026-11-03 08:15 起已 7 天没有物流更新，"
        "最后状态：已到达，最后位置：郑州转运中心。首先怀疑：未交给快递。"
        "请按建议逐条查件，并先安抚买家，需要时退款或补发。",
        "en": "Parcel YT880001 (YTO, order O-1) has had no logistics update for 7 days, "
        "since 2026-11-03 00:15 UTC; last status: arrived; last seen at: 郑州转运中心. "
        "Most likely: not handed over to the carrier. "
        "Work through the advice with the carrier, keep the buyer informed, "
        "and refund or reship where needed.",
    }


def test_a_stall_of_a_parcel_that_no_order_names_asks_the_carrier() -> None:
    alert = an_alert(
        "shipment.stalled",
        audiences=("platform",), shop_id=None, order_id=None, order_ids=[], last_status=None, facility=None,
    )  # fmt: skip
    assert said(alert) == {
        "zh-CN": "包裹 YT880001（YTO，未关联订单）自北京时间 2026-11-03 08:15 起已 7 天没有物流更新，"
        "至今没有任何扫描记录。首先怀疑：未交给快递。该运单没有关联订单，请向快递核实归属和去向。",
        "en": "Parcel YT880001 (YTO, no order known) has had no logistics update for 7 days, "
        "since 2026-11-03 00:15 UTC; no scan so far. Most likely: not handed over to the carrier. "
        "No order is known for it: ask the carrier whose it is and where it went.",
    }


def test_the_advice_for_a_stall_follows_the_ranking_of_its_causes() -> None:
    merchant, platform = MESSAGES.write(an_alert("shipment.stalled"))
    codes = [cause["code"] for cause in CAUSES]
    assert [piece["code"] for piece in merchant.advice] == codes
    assert [piece["code"] for piece in platform.advice] == codes
    assert merchant.advice != platform.advice
    assert "“派送失败”" in merchant.advice[1]["zh-CN"]
    assert "(Xinjiang)" in merchant.advice[2]["en"]
    assert merchant.advice[4]["zh-CN"].startswith("已 7 天没有动静，疑似丢件")


def test_advice_is_told_apart_by_the_values_of_the_cause() -> None:
    for hours, days in ((168, "7 天没"), (190, "7 天 22 小时没")):
        causes = [{"code": "lost_suspected", "silent_hours": hours}]
        (merchant, _) = MESSAGES.write(an_alert("shipment.stalled", causes=causes))
        assert f"已 {days}有动静" in merchant.advice[0]["zh-CN"]


def test_parcels_of_several_orders_say_so() -> None:
    message = said(an_alert("shipment.slow", order_ids=["O-1", "O-2", "O-3"]))
    assert "订单 O-1 等 3 单" in message["zh-CN"]
    assert "order O-1 and 2 more" in message["en"]


def test_an_order_due_soon_says_how_much_time_is_left() -> None:
    alert = an_alert("order.ship_due_soon", ship_by=render(T0 + 7 * DAY + 12 * 3_600_000_000))
    assert said(alert)["zh-CN"] == (
        "订单 O-1（北京时间 2026-11-01 08:15 付款）须在北京时间 2026-11-10 20:15 前发货，"
        "只剩 12 小时，目前还没有发货。请尽快打包出库并上传运单号。"
    )
    assert ", 12 hours from now, and is not shipped yet." in said(alert)["en"]


def test_a_ticket_due_soon_says_how_much_time_is_left() -> None:
    message = said(an_alert("ticket.due_soon", due_at=render(T0 + 7 * DAY + 3_600_000_000)))
    assert "须在北京时间 2026-11-10 09:15 前回复，只剩 1 小时，目前尚未回复。" in message["zh-CN"]
    assert ", 1 hour from now, and is not answered yet." in message["en"]


def test_a_time_left_that_is_over_is_not_mentioned() -> None:
    assert "只剩" not in said(an_alert("ticket.due_soon", due_at=render(T0 + 7 * DAY - 1)))["zh-CN"]


def test_every_status_kind_and_cause_has_a_name() -> None:
    names = catalogue().names
    assert set(names.statuses) == set(get_args(Status))
    assert set(names.kinds) == set(get_args(TicketKind))
    assert set(names.causes) == {cause["code"] for cause in CAUSES}


def test_every_request_ground_right_and_kind_of_refund_has_a_name() -> None:
    names = catalogue().names
    assert set(names.requests) == set(REQUESTS)
    assert set(names.grounds) == {*GROUNDS, *SUSPICIONS}
    assert set(names.refund_kinds) == set(get_args(RefundKind)) == set(RIGHTS)
    assert set(names.rights) == set(RIGHTS.values())


def test_a_review_says_what_was_asked_when_and_why_it_may_still_be_granted() -> None:
    assert said(an_alert("aftersales.review", request="ticket", ground="commitment")) == {
        "zh-CN": "订单 O-1（店铺 shop-7）在北京时间 2026-11-10 08:15 收到售后工单，"
        "此时已过基础售后期（北京时间 2026-10-09 08:15 截止），"
        "但仍在商家承诺的延长期内（北京时间 2026-12-23 08:15 截止）。请人工审核后再决定是否受理。",
        "en": "Order O-1 of shop shop-7 got an after-sales ticket at 2026-11-10 00:15 UTC, "
        "after its after-sales window closed (at 2026-10-09 00:15 UTC) "
        "but within the extension by the merchant's promise, which lasts until 2026-12-23 00:15 UTC. "
        "Review it before it is accepted or turned down.",
    }


def test_a_refused_right_is_named_with_what_the_buyer_asked_for() -> None:
    alert = an_alert("aftersales.rights_refused", kind="return_refund", rights=["no_reason_return"])
    assert said(alert) == {
        "zh-CN": "订单 O-1 的买家在北京时间 2026-11-09 08:15 申请退货退款，按“无理由退货”的规则应予支持，"
        "却在北京时间 2026-11-10 08:15 被拒绝，极易升级为纠纷。请尽快与买家联系，重新受理该申请。",
        "en": "The buyer of order O-1 asked for a return and refund at 2026-11-09 00:15 UTC "
        "and had the right to it (a return without a reason), but was refused at 2026-11-10 00:15 UTC. "
        "Refusals like this one turn into disputes. Contact the buyer soon and reconsider the request.",
    }


def test_a_help_rate_is_compared_with_its_category_alone() -> None:
    assert said(an_alert("help_rate.campaign_blocked"))["zh-CN"] == (
        "截至北京时间 2026-11-10 08:15，店铺 shop-7 近 30 天的平台求助率为 15%（200 笔订单，30 次求助："
        "纠纷 9、投诉 8、平台介入 7、工单超时 6），"
        "是类目 women-clothing 均值 5% 的 3 倍，已达到限制活动报名的水平。"
        "再增加 3 次求助将触及下架风险线。请先办结未了的纠纷、投诉和工单，再按建议整改，回落后方可恢复报名。"
    )


def test_kinds_that_do_not_add_up_to_what_counts_are_named_beside_it() -> None:
    # Timeouts do not count: 9 + 8 + 7.
    message = said(an_alert("help_rate.elevated", escalations=24, rate=0.12))
    assert "12%（200 笔订单，计入求助 24 次，同期共有纠纷 9、投诉 8、平台介入 7、工单超时 6）" in message["zh-CN"]
    assert (
        "12% (orders: 200, escalations that count: 24; in the same time disputes 9, complaints 8, interventions 7, "
        "ticket timeouts 6)" in message["en"]
    )


def test_a_baseline_of_nothing_is_named_without_a_multiple() -> None:
    message = said(an_alert("help_rate.elevated", baseline=0.0))
    assert "，高于类目 women-clothing 均值 0%。" in message["zh-CN"]
    assert "倍" not in message["zh-CN"]


def test_help_rates_have_advice_for_every_stage() -> None:
    for type_ in ("help_rate.elevated", "help_rate.campaign_blocked", "help_rate.delisting_risk"):
        for wording in MESSAGES.write(an_alert(type_)):
            codes = {piece["code"] for piece in wording.advice}
            assert codes == {"stage_shipping", "stage_logistics", "stage_after_sales"}


def test_the_advice_for_a_ticket_is_that_for_its_kind() -> None:
    for kind in ("urge_shipping", "after_sales", "other"):
        (wording,) = MESSAGES.write(an_alert("ticket.timed_out", kind=kind))
        assert [piece["code"] for piece in wording.advice] == [f"answer_{kind}"]


def test_a_value_with_marks_of_the_templates_is_written_as_it_is() -> None:
    message = said(an_alert("shipment.slow", facility="{subject} [100%s|x]"))
    assert "last seen at: {subject} [100%s|x]." in message["en"]


def test_an_unknown_resolution_is_a_fault_of_ours() -> None:
    with pytest.raises(KeyError):
        MESSAGES.write(an_alert("ticket.due_soon", "vanished"))


@pytest.mark.parametrize(
    ("minutes", "chinese", "english"),
    [
        (1, "1 分钟", "1 minute"),
        (59, "59 分钟", "59 minutes"),
        (60, "1 小时", "1 hour"),
        (24 * 60, "24 小时", "24 hours"),
        (47 * 60 + 59, "47 小时", "47 hours"),
        (48 * 60, "2 天", "2 days"),
        (49 * 60, "2 天 1 小时", "2 days and 1 hour"),
        (174 * 60, "7 天 6 小时", "7 days and 6 hours"),
    ],
)
def test_a_length_of_time_in_words(minutes: int, chinese: str, english: str) -> None:
    assert LANGUAGES["zh-CN"].duration(minutes * 60_000_000) == chinese
    assert LANGUAGES["en"].duration(minutes * 60_000_000) == english


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0%"), (0.0, "0%"), (0.1, "10%"), (1, "100%"), (1.25, "125%"), (0.012345, "1.23%"), (None, None)],
)
def test_a_share_as_a_percentage(share: object, text: str | None) -> None:
    assert percent(share) == text


@pytest.mark.parametrize("text", ["a [b", "a b]", "{a", "a}", "[a [b] c]", "{A}"])
def test_a_template_with_a_mark_that_does_not_match_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="unmatched"):
        Template(text)


def test_a_template_takes_the_first_alternative_whose_values_are_known() -> None:
    template = Template("{a}[, b {b}|, c {c}|, neither] at 100%[ ({d})].")
    assert template.render({"a": "A", "b": "B", "c": "C", "d": "D"}, "?") == "A, b B at 100% (D)."
    assert template.render({"a": "A", "b": None, "c": "C", "d": None}, "?") == "A, c C at 100%."
    assert template.render({"a": None, "b": None, "c": None, "d": None}, "?") == "?, neither at 100%."
