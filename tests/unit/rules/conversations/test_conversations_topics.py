"""What buyers' messages are about, by the phrase lists of the default policy."""

from __future__ import annotations

import msgspec
import pytest

from streams.policy.load import default
from streams.rules.conversations.topics import OTHER, TOPICS, topic_of

RULES = default().conversations.topics


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("怎么退货", "after_sales"),
        ("收到就壞了，可以換貨嗎", "after_sales"),
        ("帮我取消订单", "after_sales"),
        ("I want a REFUND", "after_sales"),
        ("什么时候发货", "logistics"),
        ("物 流 怎么不动了", "logistics"),
        ("快遞明天能到嗎", "logistics"),
        ("Where is my parcel?", "logistics"),
        ("有优惠券吗", "promotion"),
        ("刚买就降价了，能价保吗", "promotion"),
        ("do you have a coupon", "promotion"),
        ("这个有货吗", "product"),
        ("是正品吗", "product"),
        ("Is it in stock?", "product"),
        ("你好", "other"),
        ("", "other"),
        ("thank you", "other"),
        ("\x00\ud800\u0301", "other"),
    ],
)
def test_a_message_has_the_topic_of_its_phrases(text: str, topic: str) -> None:
    assert topic_of(text, RULES) == topic


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("退货的运费谁出，优惠券退吗，尺码不对", "after_sales"),
        ("发货时送优惠券吗，有货吗", "logistics"),
        ("有货的话有优惠吗", "promotion"),
    ],
)
def test_the_first_topic_in_the_order_holds(text: str, topic: str) -> None:
    assert topic_of(text, RULES) == topic


def test_every_phrase_of_the_default_policy_leads_to_its_topic_or_an_earlier_one() -> None:
    for index, topic in enumerate(TOPICS[:-1]):
        for phrase in getattr(RULES, topic):
            assert TOPICS.index(topic_of(phrase, RULES)) <= index, phrase


def test_the_lists_are_the_policys() -> None:
    rules = msgspec.structs.replace(RULES, after_sales=(), logistics=(), promotion=(), product=("退货",))
    assert topic_of("怎么退货", rules) == "product"
    assert topic_of("什么时候发货", rules) == OTHER


@pytest.mark.parametrize("part", ["退", "运", "\x00", "\u0301", "有货"], ids=ascii)
def test_a_text_as_long_as_a_record_has_a_topic(part: str) -> None:
    assert topic_of(part * (65_536 // len(part.encode())), RULES) in TOPICS
