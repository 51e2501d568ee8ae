"""Separators between the characters of words, and between clauses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.policy.load import default
from streams.rules.conversations.interventions import asks_for_staff
from streams.rules.conversations.separators import clauses, plain

RULES = default().interventions

BETWEEN = [
    ".", "*", "-",
    "_", "~", "|", "/", "\\", "+", "=", "^", "#", "@", "&", "`", "'", ",", "，", "。", "、", "；", "：",
    "！", "？", "!", "?", ";", ":", "·", "…", "—", "～", "＊", "．", "\u3000", " ", "  ", "\t", "\n", "\r\n",
    "\x00", "\u200b",
    "\u200d", "\u2060", "\ufeff", "\u00ad", "\ufe0f", "\u0336", "\u20dd", "\u2028", "\u3164", "\u2800", "\ue000",
    "\ud83d", "😊", "❤️", "👍🏻", "🇨🇳", "👩\u200d👧", "♥", "★", "→", "【】", "()", "<>", " * ", "。。", "ー", "x", "1",
]  # fmt: skip
PLEAS = ["平台介入", "申请平台介入", "找平台客服", "叫客服介入", "小二介入"]


@pytest.mark.parametrize("between", BETWEEN, ids=ascii)
@pytest.mark.parametrize("plea", PLEAS)
def test_a_plea_is_found_with_a_separator_between_its_characters(plea: str, between: str) -> None:
    spelled = between.join(plea)
    assert asks_for_staff(spelled, RULES)
    assert asks_for_staff(f"我等了三天，{spelled}！", RULES)


@pytest.mark.parametrize("between", BETWEEN, ids=ascii)
@pytest.mark.parametrize("refusal", ["不用介入", "先不介入", "不用平台介入", "向你求助"])
def test_a_refusal_is_found_with_a_separator_between_its_characters(refusal: str, between: str) -> None:
    assert not asks_for_staff(between.join(refusal), RULES)
    assert not asks_for_staff(f"平台介入，{between.join(refusal)}", RULES)


@pytest.mark.parametrize(
    "spelled",
    [
        "平😊台😂介🤣入",
        "平.台*介-入",
        "平*台介入",
        "平台*介*入",
        "平台.介入",
        "我要申请平😊台介😊入",
        "「平」「台」「介」「入」",
    ],
)
def test_separators_may_differ_and_stand_between_some_characters_only(spelled: str) -> None:
    assert asks_for_staff(spelled, RULES)


@pytest.mark.parametrize(
    "spelled",
    [
        "e.s.c.a.l.a.t.e to the p.l.a.t.f.o.r.m",
        "e s c a l a t e to the p l a t f o r m",
        "escalate*to*the*platform",
        "esca\u200blate to the plat\u00adform",
        "ｅｓｃａｌａｔｅ　ｔｏ　ｔｈｅ　ｐｌａｔｆｏｒｍ",
        "I want the 𝗽𝗹𝗮𝘁𝗳𝗼𝗿𝗺 to step in",
        "I want platform\nstaff to step\nin",
    ],
)
def test_latin_words_too(spelled: str) -> None:
    assert asks_for_staff(spelled, RULES)


@pytest.mark.parametrize(
    "text",
    [
        "这里很平。台灯介绍一下，入口在哪",
        "价格公平，台面介意有划痕，入手",
        "我找平，台灯坏了",
        "买的小，二介质",
        "退货后，台面处理",
        "好，平，台灯",
        "你们看申😊请介绍入口",
        "我在你们平台。物流介入查一下",
        "在哪个平台😊物流处理一下",
    ],
)
def test_what_stands_in_two_clauses_is_not_joined(text: str) -> None:
    assert not asks_for_staff(text, RULES)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("平台介入", "平台介入"),
        ("好。平台介入！", "好;平台介入;"),
        ("好，平台", "好,平台"),
        ("好😊平台", "好,平台"),
        ("好...平台", "好,平台"),
        ("don't step-in, please", "don't step in,please"),
        ("", ""),
    ],
)
def test_separators_that_stand_in_no_word_end_clauses_and_sentences(written: str, read: str) -> None:
    assert clauses(plain(written), lambda _: iter(())) == read


@given(st.text(st.characters(exclude_categories=())) | st.text("平台介入找不用 .*，。\n😊ax1'"))
def test_any_text_is_read_and_grows_no_longer(text: str) -> None:
    written = plain(text)
    assert len(clauses(written, lambda _: iter(()))) <= len(written)
    asks_for_staff(text, RULES)
