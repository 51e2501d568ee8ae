"""Names of what is tallied per shop and hour, beside what the help rate counts.

A name is the letter of its table and then the thing itself: one way to count, send and keep serves every such table.
"""

from __future__ import annotations

#: Refund requests by kind and reason.
REFUND_REASONS = "r"
#: Buyers' messages by topic.
CONVERSATION_TOPICS = "t"


def tally(letter: str, *parts: str) -> str:
    """The name of one thing that is counted; no part but the last may hold a slash."""
    return "/".join((letter, *parts))


def table_of(name: str) -> tuple[str, str]:
    """A name's letter, and the thing itself."""
    letter, _, thing = name.partition("/")
    return letter, thing
