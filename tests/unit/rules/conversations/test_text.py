"""One form for all ways to write a text, and phrases looked up in it."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.rules.conversations.phrase_matching import Phrases, normalise

#: Any text that a message may hold, and all that JSON can smuggle in.
ANY_TEXT = st.text(st.characters(exclude_categories=())) | st.text("平台介入 a1\x00\u0301\u200b\ud800臺ﷺ")

#: As many characters as a record of 64 KiB can hold, of a kind that has cost other programs dear.
HEAVY = {
    "control characters": "\x00" * 65_536,
    "spaces": " " * 65_536,
    "spaces between letters": "a " * 32_768,
    "lone surrogates": "\ud800" * 21_845,
    "combining marks to be put in order": "a" + "\u0301\u0316" * 16_000,
    "a character that stands for eighteen": "\ufdfa" * 21_845,
    "all characters there are": "".join(map(chr, range(0x800, 0x800 + 21_845))),
    "beginnings of phrases": "不用申请平台" * 3_640,
    "one phrase after the other": "退货" * 10_922,
    "phrases within phrases": "a" * 65_536,
}


@pytest.mark.parametrize(
    "written",
    [
        "平台介入",
        "平 台 介 入",
        "平\u3000台\t介\n入",
        "平\x00台\x1f介\x85入",
        "平\u200b台\ufeff介\u00ad入",
        "平\u0301台\u0336介\u20dd入",
        "平台\ud800介入\udfff",
        "平臺介入",
    ],
    ids=ascii,
)
def test_what_reads_alike_is_alike(written: str) -> None:
    assert normalise(written) == "平台介入"


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("", ""),
        ("Ｐｌａｔｆｏｒｍ　ＳＴＥＰ　ｉｎ", "platform step in"),
        ("  Please \t escalate\r\n this  ", "please escalate this"),
        ("don’t", "don't"),
        ("Café CAFE\u0301", "cafe cafe"),
        ("Straße", "strasse"),
        ("ﬁne", "fine"),
        ("我要 escalate 到 平台", "我要escalate到平台"),
        ("退 3 包", "退3包"),
        ("order 12 34", "order 12 34"),
        ("yes , please", "yes,please"),
        ("這個訂單發貨後沒物流", "这个订单发货后没物流"),
        ("㍿", "株式会社"),
        ("\ufdfa", "\ufdfa"),
        ("①２三", "12三"),
    ],
)
def test_texts_in_their_plain_form(written: str, plain: str) -> None:
    assert normalise(written) == plain


@given(ANY_TEXT)
def test_any_text_has_a_plain_form_that_is_its_own(text: str) -> None:
    plain = normalise(text)
    assert normalise(plain) == plain
    assert len(plain) <= 4 * len(text)
    plain.encode()


@given(ANY_TEXT)
def test_composed_and_decomposed_texts_are_the_same(text: str) -> None:
    forms = {normalise(unicodedata.normalize(form, text)) for form in ("NFC", "NFD")}
    assert forms == {normalise(unicodedata.normalize("NFC", text))}


@given(st.text(), ANY_TEXT, st.text())
def test_a_phrase_is_found_in_whatever_holds_it(before: str, phrase: str, after: str) -> None:
    if phrase and normalise(phrase)[:1].isascii():
        phrase = "平" + phrase
    # Between Latin letters a space is kept, and another text may end in one.
    phrases = Phrases([("it", [phrase + "台"])])
    assert phrases.found_in(f"{before}{phrase}台{after}") == {"it"}


@given(st.lists(st.text("ab平台", min_size=1, max_size=4), max_size=8), st.text("ab平台 ", max_size=30))
def test_the_search_finds_what_looking_at_every_place_finds(phrases: list[str], text: str) -> None:
    plain = normalise(text)
    latin = "abcdefghijklmnopqrstuvwxyz0123456789"
    expected = {
        phrase
        for phrase in phrases
        for start in range(len(plain))
        if plain.startswith(phrase, start) and not (phrase[0] in latin and start > 0 and plain[start - 1] in latin)
    }
    assert Phrases((phrase, [phrase]) for phrase in phrases).found_in(text) == expected


def test_a_latin_phrase_begins_where_a_word_begins_and_may_go_on() -> None:
    phrases = Phrases([("it", ["return"])])
    assert phrases.found_in("RETURNED yesterday") == {"it"}
    assert phrases.found_in("我要return") == {"it"}
    assert phrases.found_in("nonreturnable") == set()


def test_a_phrase_of_two_lists_is_found_for_both_and_an_empty_one_for_none() -> None:
    phrases = Phrases([("a", ["退货", " ", "\u200b"]), ("b", ["退 貨"]), ("c", [])])
    assert phrases.found_in("退货") == {"a", "b"}
    assert phrases.found_in("") == set()
    assert Phrases([]).found_in("退货") == set()


@pytest.mark.parametrize("text", HEAVY.values(), ids=HEAVY)
def test_a_heavy_text_is_read_whole(text: str) -> None:
    phrases = Phrases([("all", ["退货", "平台", "不用申请平台介入", *("a" * length for length in range(1, 40))])])
    phrases.found_in(text)
    assert phrases.found_in(text + "，平台") >= {"all"}


def test_every_character_alone_has_a_short_plain_form_that_is_its_own() -> None:
    characters = "".join(chr(code) + "，" for code in range(0, sys.maxunicode + 1, 7))
    plain = normalise(characters)
    assert normalise(plain) == plain
    assert len(plain) < 2 * len(characters)
