"""Names of the tallies kept per shop and hour in addition to the help rate's counts.

A name is its table's letter followed by what is counted, so all tables share the code that counts, sends and keeps.
"""

from __future__ import annotations

#: Refund requests by kind and reason.
REFUND_REASONS = "r"
#: Buyers' messages by topic.
CONVERSATION_TOPICS = "t"


def tally(letter: str, *parts: str) -> str:
    """The name of one tally; only the last part may contain a slash."""
    return "/".join((letter, *parts))


def table_of(name: str) -> tuple[str, str]:
    """Splits a name into its table's letter and what is counted."""
    letter, _, thing = name.partition("/")
    return letter, thing
