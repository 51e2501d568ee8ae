"""The topic of a buyer's message."""

from __future__ import annotations

from functools import lru_cache

from streams.policy.model import Topics
from streams.rules.conversations.phrase_matching import Phrases

AFTER_SALES, LOGISTICS, PROMOTION, PRODUCT, OTHER = "after_sales", "logistics", "promotion", "product", "other"
#: In lookup order; `other` is for messages without any topic's phrase.
TOPICS = (AFTER_SALES, LOGISTICS, PROMOTION, PRODUCT, OTHER)


def topic_of(text: str, topics: Topics) -> str:
    """The first topic with a phrase in the message, else `other`. Takes linear time."""
    found = _prepared(topics).found_in(text)
    return next((topic for topic in TOPICS if topic in found), OTHER)


@lru_cache(maxsize=16)
def _prepared(topics: Topics) -> Phrases:
    return Phrases((topic, getattr(topics, topic)) for topic in TOPICS if topic != OTHER)
