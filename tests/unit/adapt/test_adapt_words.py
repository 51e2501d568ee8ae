"""What the words of a scan mean. The texts are made up in the manner of carriers."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.scan_texts.measure import labelled, score
from streams.adapt.formats import Statuses, formats
from streams.adapt.formats.statuses import STATUSES
from streams.adapt.words import clauses, grammar, status_of
from streams.adapt.words.lexicon import Lexicon, lexicons

FORMATS_WITH_TABLES = [name for name, found in formats().items() if not found.folder]


def statuses(name: str) -> Statuses:
    return formats()[name].statuses


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
    assert status_of(text) == status


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
        ("Delivered to airline", "arrived"),
        ("Quux", None),
        ("", None),
    ],
)
def test_english_words_mean_a_status_whatever_their_case(text: str, status: str | None) -> None:
    assert status_of(text) == status
    assert status_of(text.upper()) == status


def test_what_ends_a_watch_counts_most_and_movement_as_it_is_told_first() -> None:
    assert status_of("派送失败，已签收") == "delivered"
    assert status_of("退回，已签收") == "returned"
    assert status_of("已揽收，已到达") == "picked_up"


@pytest.mark.parametrize(
    "text",
    [
        *("快件未签收", "快件将于明日签收", "如已签收请忽略", "请签收", "预计今日签收", "待签收", "签收失败", "签收中"),
        *(
            "已由驿站签收",
            "快递员已签收",
            "转运中心已签收",
            "已由快递员从智能柜取出",
            "签收人：自提柜",
            "客户称已签收但未收到",
        ),
        *(
            "客户反馈已签收但未收到",
            "已签收，请凭取件码取件",
            "暂无签收记录",
            "签收率",
            "妥投：待确认",
            "退回中",
            "将退回寄件人",
            "已退回网点",
        ),
        *("Not delivered", "Will be delivered", "If delivered", "Please confirm delivered"),
        *("Expected to be delivered", "Delivered in error", "Delivered?"),
        *("Delivered to the depot", "Delivered to a locker", "Delivered to the airline", "Signed for at depot"),
        *(
            "Collected by courier",
            "Attempted to be delivered",
            "Delivered: pending",
            "Delivered in error",
            "Delivered?",
        ),
        *("Returned to depot", "Return to sender requested", "Being returned to sender", "Will be destroyed"),
    ],
)
def test_what_did_not_happen_or_not_to_the_recipient_ends_nothing(text: str) -> None:
    assert status_of(text) not in ("delivered", "returned", "destroyed")


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("揽收超时", "info_received"),
        ("取消揽收", "info_received"),
        ("Pickup failed", "info_received"),
        ("Not yet received by carrier", "info_received"),
        ("从寄件人处已揽收", "picked_up"),
        ("Collected from sender", "picked_up"),
    ],
)
def test_a_parcel_is_collected_only_where_the_words_say_that_it_was(text: str, status: str) -> None:
    assert status_of(text) == status


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("Delivered 1 of 3 pieces", "exception"),
        ("Delivered 3 of 3 pieces", "delivered"),
        ("已签收2件,共3件", "exception"),
        ("部分签收", "delivery_failed"),
        ("签收可能延迟", "exception"),
        ("已撤销签收", "delivery_failed"),
        ("Delivered by the carrier to the recipient's mailbox", "delivered"),
        ("Delivered to the carrier", "arrived"),
        ("집배원이 배달을 완료했습니다", "delivered"),
        ("已放门卫处", "delivered"),
        ("已放门卫处,待签收", "out_for_delivery"),
        ("已将包裹转交给邻居", "delivered"),
        ("已将包裹转交给邻居驿站", "held"),
        ("快递已由门卫代收,请联系门卫领取", "delivered"),
        ("快递已由超市代收,请联系店主领取", "held"),
        ("The customer has collected the parcel from the ParcelShop", "delivered"),
        ("Collected from the ParcelShop", "picked_up"),
        ("An den Absender zurückgegeben", "returned"),
        ("Order information received", "info_received"),
        ("已放在您小区的快递柜", "held"),
        ("已放在您的门口", "delivered"),
        ("客户自取", "held"),
        ("客户已自取", "delivered"),
        ("一件已签收,另一件在途", "exception"),
        ("国外邮政已妥投", "delivered"),
        ("Parcel retrieved from locker by recipient", "delivered"),
        ("Retrieved from locker by driver", "arrived"),
        ("Delivered into DPD network", "arrived"),
        ("Item delivered - authority to leave", "delivered"),
        ("Placed in the drop box by the sender", "in_transit"),
    ],
)
def test_parts_of_a_parcel_and_who_acts_and_who_receives_decide_whether_it_has_come(text: str, status: str) -> None:
    assert status_of(text) == status


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("Delivered by our local partner", "delivered"),
        ("Delivered to our local partner", "arrived"),
        ("Returned parcel collected by the sender at the branch", "returned"),
        ("Return parcel collected from the sender", "returning"),
        ("Delivered date updated", "in_transit"),
        ("Delivered by 9pm", "in_transit"),
        ("Customs form signed, clearance continues", "customs"),
        ("Delivery slip placed in the mailbox", "delivery_failed"),
        ("Handed over to the customer at the parcel shop", "delivered"),
        ("Parcel collected from locker after storage time expired", "in_transit"),
        ("Delivered 2 out of 5", "exception"),
        ("3件中的1件已签收", "exception"),
        ("货物已送达目的地收件人", "delivered"),
        ("快件已送达收件人处的智能柜", "held"),
        ("已从收件人处取回", "in_transit"),
        ("智能柜退件取出", "returning"),
        ("退件正在派送给寄件人", "returning"),
        ("客户称签收人不是本人", "exception"),
        ("已妥投【信报箱】", "delivered"),
        ("Delivered in 2 days", "in_transit"),
        ("Delivery code delivered by SMS", "in_transit"),
        ("Delivered scan missing", "exception"),
        ("Delivered to merchant - return", "returned"),
        ("Item returned, available at the branch for the sender", "returning"),
        ("Packaging destroyed, contents repacked", "exception"),
        ("RTO delivered at seller's warehouse", "returned"),
        ("Delivery: completed", "delivered"),
        ("OUT_FOR_DELIVERY", "out_for_delivery"),
        ("ReturnedToSender", "returned"),
        ("重新派送后签收成功", "delivered"),
        ("寄件人取回包裹后重新下单", "returning"),
        ("快件已按海关要求销毁", "destroyed"),
        ("客户弃件，待处理", "exception"),
        ("联系收件人签收", "out_for_delivery"),
    ],
)
def test_who_acts_from_whom_it_was_taken_and_what_was_signed_or_left_decide_an_end(text: str, status: str) -> None:
    assert status_of(text) == status


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("Objeto entregue ao destinatario", "delivered"),
        ("A entrega nao pode ser efetuada", "delivery_failed"),
        ("Colis livre au destinataire", "delivered"),
        ("Non livre, destinataire absent", "delivery_failed"),
        ("Envio entregado en buzon", "delivered"),
    ],
)
def test_words_without_their_accents_are_the_same_words(text: str, status: str) -> None:
    assert status_of(text) == status


def test_brackets_name_places_and_what_they_say_at_the_start_is_where_it_was_written() -> None:
    assert status_of("【东关网点】您的快件已签收") == "delivered"
    assert status_of("快件已送达【东关的某某小区店】") == "held"
    assert status_of("【已签收】感谢使用") == "delivered"


def test_markup_is_no_part_of_a_text() -> None:
    assert status_of("<b>&#24050;签收</b>") == "delivered"


def test_a_latin_word_is_not_found_inside_another() -> None:
    assert status_of("undelivered") == "delivery_failed"
    assert status_of("leftover") is None


def test_full_width_letters_are_the_same_words() -> None:
    assert status_of("签收人:本人") == status_of("签收人：本人") == "delivered"


@pytest.mark.parametrize("name", FORMATS_WITH_TABLES)
def test_every_table_names_only_statuses(name: str) -> None:
    table = statuses(name)
    assert set(table._codes.values()) | set(table._coarse.values()) <= set(STATUSES)
    assert not table._codes.keys() & table._coarse.keys()
    assert not table._fallback.keys() & (table._codes.keys() | table._coarse.keys())


def test_a_deciding_code_beats_words_and_words_beat_a_coarse_code() -> None:
    table = statuses("kuaidi100")
    assert table.find("YTO", ["501"], "已签收") == ("held", True)
    assert table.find("YTO", ["签收"], "快件已被智能柜代收").status == "held"
    assert table.find("YTO", ["签收"], "谢谢惠顾").status == "delivered"


def test_where_code_and_words_disagree_on_an_end_the_more_cautious_holds_and_it_is_said() -> None:
    table = statuses("kuaidi100")
    assert table.find("YTO", ["301"], "快件派送失败") == ("delivery_failed", True)
    assert table.find("YTO", ["派件"], "已签收") == ("out_for_delivery", True)
    assert table.find("YTO", ["301"], "已签收") == ("delivered", False)


def test_words_never_say_less_than_a_code() -> None:
    table = statuses("aftership")
    assert table.find("USPS", ["InTransit_001"], "Shipping label created").status == "in_transit"
    assert table.find("USPS", ["InTransit_001"], "Departed facility").status == "departed"


def test_a_code_that_says_nothing_leaves_it_to_the_words() -> None:
    table = statuses("kuaidi100")
    assert table.find("YTO", ["304"], "已签收，签收人凭取货码签收").status == "delivered"
    assert table.find("YTO", ["304"], "").status == "held"


def test_words_of_mere_movement_leave_the_decision_to_a_coarse_code() -> None:
    table = statuses("kuaidi100")
    assert table.find("YTO", ["派件"], "快件运输中").status == "out_for_delivery"
    assert table.find("YTO", [], "快件运输中").status == "in_transit"


def test_neither_a_known_code_nor_known_words_is_no_status() -> None:
    assert statuses("kuaidi100").find("YTO", ["没见过"], "谢谢惠顾").status is None


def test_a_code_of_one_carrier_means_nothing_for_another() -> None:
    table = statuses("history")
    assert table.find("DHL", ["OK"], "").status == "delivered"
    assert table.find("FEDEX", ["OK"], "").status is None
    assert table.find("USPS", ["10"], "").status == "arrived"
    assert table.find("SF", ["31"], "").status == "arrived"


LABELLED = sorted((Path(__file__).parents[3] / "bench" / "scan_texts").glob("*.tsv"), key=lambda path: path.name)


@pytest.mark.parametrize("path", LABELLED, ids=lambda path: path.stem)
def test_labelled_texts_end_wrongly_at_most_once_in_a_hundred_and_are_missed_at_most_three_times(path: Path) -> None:
    found = score(labelled(path))
    assert found.ends > 30
    assert len(found.wrong) <= 0.01 * found.texts, found.wrong
    assert len(found.missed) <= 0.03 * found.ends, found.missed


@pytest.mark.parametrize("lexicon", lexicons(), ids=lambda lexicon: lexicon.name)
def test_every_act_of_a_lexicon_is_a_status(lexicon: Lexicon) -> None:
    acts = {kind.removeprefix("acts.") for kinds in lexicon.phrases.values() for kind in kinds if "acts." in kind}
    assert acts <= set(STATUSES) - {"delivered", "returned", "destroyed"}


@pytest.mark.parametrize("word", ["离开", "签收", "x", "not delivered ", "【签收】", "((", "电话 "])
def test_a_text_costs_no_more_than_what_is_looked_at_of_it(word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    weighed = []
    real = clauses._hedged_by
    monkeypatch.setattr(clauses, "_hedged_by", lambda *pair, **more: weighed.append(0) or real(*pair, **more))
    text = word * 30_000
    known = grammar._status_of.cache_info().currsize
    assert status_of(text) == status_of(text[: grammar._LONGEST])
    assert len(weighed) < 200_000
    assert grammar._status_of.cache_info().currsize == known


def test_what_is_asked_in_a_clause_is_no_word_of_it() -> None:
    for text in ("Delivered? no", "in transit. Was it delivered?", "离开, 已签收?", "?delivered??"):
        assert status_of(text) not in {"delivered"}
