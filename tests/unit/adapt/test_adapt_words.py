"""What the words of a scan mean. The texts are made up in the manner of carriers."""

from __future__ import annotations

import pytest

from streams.adapt.tables import STATUSES, _phrases, by_words, carrier_name, statuses

FORMATS_WITH_TABLES = ["kuaidi100", "kdniao", "cainiao", "sf-route", "aftership", "17track", "history"]


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("您的订单等待揽收", "info_received"),
        ("商家正在通知快递公司上门揽件", "info_received"),
        ("揽收失败：寄件人不在", "info_received"),
        ("【城东网点】已揽收", "picked_up"),
        ("乙方速运 已收取快件", "picked_up"),
        ("快件离开【城东网点】，已发往【北郊转运中心】", "departed"),
        ("快件在【城东网点】已装车，准备发往【北郊转运中心】", "departed"),
        ("【北郊转运中心】 已发出 下一站 【南门网点】", "departed"),
        ("快件到达【北郊转运中心】", "arrived"),
        ("到【北郊转运中心】", "arrived"),
        ("到某某市【北郊转运中心】", "arrived"),
        ("[南门服务部]到达目的地网点，快件很快进行派送", "arrived"),
        ("快件运输中", "in_transit"),
        ("[北郊分拨中心]进行称重扫描", "in_transit"),
        ("【南门网点】的小哥正在第1次派件，请保持电话畅通", "out_for_delivery"),
        ("正在派送途中,请您准备签收", "out_for_delivery"),
        ("快件派送不成功(客户不便收件),待工作日再次派送", "delivery_failed"),
        ("收件人拒收", "delivery_failed"),
        ("快件尚未签收", "delivery_failed"),
        ("快件已被【青年路智能柜】代收，请凭取件码及时取件", "held"),
        ("您的快件已送达 青年路智能柜 保管。", "held"),
        ("快件已由小区东门店代收，请及时取件", "held"),
        ("快件到达【青年路驿站】，请凭取件码取件", "held"),
        ("快件异常，正在核实", "exception"),
        ("快件破损", "exception"),
        ("快件正在清关", "customs"),
        ("海关查验，暂时扣留", "customs"),
        ("应客户要求，快件正在退回", "returning"),
        ("因拒收，快件退回寄件网点", "returning"),
        ("退回件已到达【城东网点】", "returning"),
        ("已签收，感谢使用", "delivered"),
        ("快件已在南门网点签收 签收人：本人", "delivered"),
        ("您的快递已签收, 签收人在【青年路智能快递柜】领取。", "delivered"),
        ("您的快件已经被领取", "delivered"),
        ("已送达，如有疑问请联系 已签收", "delivered"),
        ("快件退回已签收", "returned"),
        ("退回件已由寄件人签收", "returned"),
        ("快件已销毁", "destroyed"),
    ],
)
def test_chinese_words_mean_a_status(text: str, status: str) -> None:
    assert by_words(text) == status


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("Shipping label created", "info_received"),
        ("Carrier has not yet received this parcel", "info_received"),
        ("Parcel picked up", "picked_up"),
        ("Departed facility in NOWHERE", "departed"),
        ("Arrived at sorting centre", "arrived"),
        ("Out for Delivery", "out_for_delivery"),
        ("Delivery attempted; recipient not home", "delivery_failed"),
        ("Undelivered: no access", "delivery_failed"),
        ("Available for pickup at the post office", "held"),
        ("Final notice: will be returned to sender if not collected", "held"),
        ("Delivered to locker", "held"),
        ("Weather delay", "exception"),
        ("Held by customs", "customs"),
        ("Returning to sender", "returning"),
        ("Delivered, front door", "delivered"),
        ("Returned to sender", "returned"),
        ("Parcel destroyed", "destroyed"),
        ("Your parcel will be delivered tomorrow", "in_transit"),
        ("Delivered to airline", "in_transit"),
        ("ENTREGUE", None),
        ("", None),
    ],
)
def test_english_words_mean_a_status_whatever_their_case(text: str, status: str | None) -> None:
    assert by_words(text) == status
    assert by_words(text.upper()) == status


def test_the_longest_phrase_decides_and_of_equal_ones_the_first_in_the_text() -> None:
    assert by_words("已签收") == "delivered"
    assert by_words("退回，已签收") == "returned"
    assert by_words("已到达，已揽收") == "arrived"
    assert by_words("已揽收，已到达") == "picked_up"


def test_a_centre_is_a_place_and_not_something_going_on() -> None:
    assert by_words("派件中") == "out_for_delivery"
    assert by_words("【南门派件中心】已发出") == "departed"
    assert by_words("【海淀派送中心】") is None


def test_a_latin_word_is_not_found_inside_another() -> None:
    assert by_words("undelivered") == "delivery_failed"
    assert by_words("leftover") is None


def test_full_width_letters_are_the_same_words() -> None:
    assert by_words("签收人:本人") == by_words("签收人：本人") == "delivered"


def test_a_gap_spans_forty_characters_and_no_more() -> None:
    assert by_words("已被" + "某" * 40 + "代收") == "held"
    assert by_words("已被" + "某" * 41 + "代收") is None


@pytest.mark.parametrize("name", FORMATS_WITH_TABLES)
def test_every_table_names_only_statuses(name: str) -> None:
    table = statuses(name)
    assert set(table._codes.values()) | set(table._coarse.values()) <= set(STATUSES)
    assert not table._codes.keys() & table._coarse.keys()


def test_a_deciding_code_beats_words_and_words_beat_a_coarse_code() -> None:
    table = statuses("kuaidi100")
    assert table.find("YTO", ["501"], "已签收") == "held"
    assert table.find("YTO", ["签收"], "快件已被智能柜代收") == "held"
    assert table.find("YTO", ["签收"], "谢谢惠顾") == "delivered"


def test_words_of_mere_movement_leave_the_decision_to_a_coarse_code() -> None:
    table = statuses("kuaidi100")
    assert table.find("YTO", ["派件"], "快件运输中") == "out_for_delivery"
    assert table.find("YTO", [], "快件运输中") == "in_transit"


def test_neither_a_known_code_nor_known_words_is_no_status() -> None:
    assert statuses("kuaidi100").find("YTO", ["没见过"], "谢谢惠顾") is None


def test_a_code_of_one_carrier_means_nothing_for_another() -> None:
    table = statuses("history")
    assert table.find("DHL", ["OK"], "") == "delivered"
    assert table.find("FEDEX", ["OK"], "") is None
    assert table.find("USPS", ["10"], "") == "arrived"
    assert table.find("SF", ["31"], "") == "arrived"


@pytest.mark.parametrize(
    ("names", "carrier"),
    [
        (["zhongtong"], "ZTO"),
        (["中通快递"], "ZTO"),
        (["HTKY"], "BEST"),
        (["yunda"], "YD"),
        (["SF Express"], "SF"),
        (["sf-express"], "SF"),
        (["unheard-of", "圆通速递"], "YTO"),
        (["Unheard Of"], "Unheard Of"),
        (["", " "], None),
    ],
)
def test_a_carrier_gets_our_name_or_keeps_its_own(names: list[str], carrier: str | None) -> None:
    assert carrier_name(*names) == carrier


def test_no_phrase_stands_for_two_statuses() -> None:
    meant: dict[str, set[str]] = {}
    for phrases in _phrases().values():
        for phrase in phrases:
            meant.setdefault(phrase.pattern.pattern, set()).add(phrase.status)
    assert {pattern for pattern, found in meant.items() if len(found) > 1} == set()
