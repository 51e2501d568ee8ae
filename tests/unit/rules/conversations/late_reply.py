"""A policy with the rule that is off by default."""

from __future__ import annotations

import msgspec

from streams.policy.model import Policy


def with_late_reply(policy: Policy) -> Policy:
    """The policy with the rule that is off by default."""
    talks = policy.conversations
    talks = msgspec.structs.replace(talks, reply_late=msgspec.structs.replace(talks.reply_late, enabled=True))
    return msgspec.structs.replace(policy, conversations=talks)
