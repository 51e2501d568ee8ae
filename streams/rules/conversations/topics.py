"""What a buyer's message is about."""

from __future__ import annotations

from functools import lru_cache

from streams.policy.model import Topics
from streams.rules.conversations.phrase_matching import Phrases

AFTER_SALES, LOGISTICS, PROMOTION, PRODUCT, OTHER = "after_sales", "logistics", "promotion", "product", "other"
#: In the order in which their phrases are looked up; `other` is what has none.
TOPICS = (AFTER_SALES, LOGISTICS, PROMOTION, PRODUCT, OTHER)


def topic_of(text: str, topics: Topics) -> str:
    """The first topic of which the message has a phrase, else `other`. Linear in the text's length."""
    found = _prepared(topics).found_in(text)
    return next((topic for topic in TOPICS if topic in found), OTHER)


@lru_cache(maxsize=16)
def _prepared(topics: Topics) -> Phrases:
    return Phrases((topic, getattr(topics, topic)) for topic in TOPICS if topic != OTHER)
