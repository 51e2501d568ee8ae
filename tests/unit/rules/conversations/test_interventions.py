"""Which messages ask for platform staff, and which interventions count."""

from __future__ import annotations

from itertools import permutations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.times import HOUR, parse
from streams.policy.contradictions import contradictions
from streams.policy.load import default
from streams.policy.model import Words
from streams.policy.phrases import written_out
from streams.rules.conversations.interventions import Intervention, asks_for_staff, counted
from tests.oracle.streams import ASKING

T0 = parse("2026-11-03T00:15:00Z")
RULES = default().interventions

ASKS = [
    *ASKING,
    "平台介入",
    "小二介入",
    "找平台客服",
    "申请介入",
    "叫客服介入",
    "escalate to the platform",
    "我要求平台介入处理",
    "商家一直拖，申请小二介入",
    "请客服介入一下",
    "让平台来处理吧",
    "找你们平台处理",
    "麻烦平台尽快介入",
    "再不退款我就让淘宝介入",
    "平台能不能介入",
    "我要向平台投诉这家店",
    "已经申请了纠纷单，没有人管",
    "转平台人工",
    "平台客服在吗",
    "不想再说了，申请平台介入",
    "別廢話，我要申請平臺介入",
    "平 台 介 入",
    "我要申请\u200b平台\u3000介入",
    "Please ESCALATE this to the platform!",
    "Ｅｓｃａｌａｔｅ　ｔｏ　ｔｈｅ　ｐｌａｔｆｏｒｍ",
    "I want the platform to step in now",
    "I will contact the platform",
]
DOES_NOT_ASK = [
    "",
    "什么时候发货",
    "你好，人工客服",
    "转人工",
    "客服在吗",
    "叫你们经理来",
    "我要投诉快递员",
    "不用介入",
    "先不介入",
    "不用平台介入了",
    "先不要申请平台介入",
    "不需要小二介入，我们自己商量",
    "暂时不用平台处理",
    "别找平台客服",
    "已经取消平台介入了",
    "先不介 入",
    "先不用平臺介入",
    "我撤销纠纷了，平台介入就算了",
    "向你求助，平台介入有用吗",
    "是不是可以申请平台介入",
    "京东人工智能音箱有货吗",
    "在别的平台买的",
    "平台活动什么时候开始",
    "no need to escalate to the platform",
    "Please don’t escalate to the platform yet",
    "which platform is it on",
]


@pytest.mark.parametrize("text", ASKS)
def test_a_message_that_asks_for_platform_staff(text: str) -> None:
    assert asks_for_staff(text, RULES)


@pytest.mark.parametrize("text", DOES_NOT_ASK)
def test_a_message_that_does_not(text: str) -> None:
    assert not asks_for_staff(text, RULES)


@pytest.mark.parametrize("text", ASKS)
def test_a_refusal_or_a_question_to_other_buyers_in_it_takes_it_back(text: str) -> None:
    assert not asks_for_staff(f"{text}，先不介入", RULES)
    assert not asks_for_staff(f"向你求助：{text}", RULES)


@given(st.text(st.characters(exclude_categories=())))
def test_any_text_is_read_and_a_refusal_in_it_found(text: str) -> None:
    asks_for_staff(text, RULES)
    assert not asks_for_staff(f"平台介入，{text}，不用介入", RULES)


@pytest.mark.parametrize("part", ["平台介", "不用申请平台", "\x00", "\u0301\u0316", "平台介入", "先不介入"], ids=ascii)
def test_a_text_as_long_as_a_record_is_read(part: str) -> None:
    text = part * (65_536 // len(part.encode()))
    assert asks_for_staff(text, RULES) is (part == "平台介入")


def with_phrases(*phrases: str, **words: tuple[str, ...]) -> list[str]:
    rules = msgspec.structs.replace(RULES, phrases=phrases, exceptions=(), words=Words(**words))
    return contradictions(msgspec.structs.replace(default(), interventions=rules))


def test_a_place_stands_for_each_of_its_words() -> None:
    words = Words(callee=("平台", "小二"), call=("叫", "找"))
    assert list(written_out(["{call}{callee}介入", "{desk}x", "y"], words)) == [
        "叫平台介入", "叫小二介入", "找平台介入", "找小二介入", "y",
    ]  # fmt: skip


def test_a_place_that_there_is_not_is_refused() -> None:
    (problem,) = with_phrases("{who}介入")
    assert problem.startswith("interventions.phrases: '{who}介入': {who} is none of callee, desk, other, ")


def test_a_place_in_a_word_that_there_is_not_is_refused() -> None:
    (problem,) = with_phrases("介入", ignored=("{callee}{thing}", "{what}"))
    assert problem.startswith("interventions.words.ignored: '{what}': {what} is none of callee, ")


def test_an_empty_phrase_is_refused_as_it_would_be_in_every_message() -> None:
    assert with_phrases("{call}", call=("找", "")) == [
        "interventions.phrases: '{call}' stands for an empty phrase, too",
        "interventions.words.call: '' stands for an empty phrase, too",
    ]


def test_too_many_phrases_are_refused_before_they_are_written_out() -> None:
    many = tuple(map(str, range(1000)))
    assert with_phrases("{callee}{call}{thing}", callee=many, call=many, thing=many) == [
        "interventions.phrases: stand for more than 50000 phrases"
    ]


def an_intervention(name: str, at: int, conversation: str | None = "C") -> Intervention:
    return Intervention(
        time=T0 + at, event_id=name, digest=b"", shop_id="S", intervention_id=name,
        conversation_id=conversation, order_id=None,
    )  # fmt: skip


@pytest.mark.parametrize(("apart", "both"), [(24 * HOUR - 1, False), (24 * HOUR, True), (24 * HOUR + 1, True)])
def test_one_within_a_day_of_a_counted_one_does_not_count(apart: int, both: bool) -> None:
    found = counted([an_intervention("a", 0), an_intervention("b", apart)], RULES)
    assert [one.event_id for one in found] == (["a", "b"] if both else ["a"])


def test_what_does_not_count_begins_no_day_of_its_own_in_any_order() -> None:
    known = [an_intervention("a", 0), an_intervention("b", 20 * HOUR), an_intervention("c", 30 * HOUR)]
    for order in permutations(known):
        assert [one.event_id for one in counted(order, RULES)] == ["a", "c"]


def test_requests_without_a_conversation_and_other_conversations_count() -> None:
    known = [an_intervention("a", 0), an_intervention("b", 1, None), an_intervention("c", 2, None)]
    assert len(counted([*known, an_intervention("d", 3, "D")], RULES)) == 4
