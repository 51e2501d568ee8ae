"""Messages of one conversation, as times after a fixed one."""

from __future__ import annotations

from typing import Any

import msgspec

from schemas.times import parse
from streams.policy.load import default
from streams.policy.model import Policy
from streams.rules.conversations.replies import Message, Side

#: 12:00 in Shanghai.
T0 = parse("2026-11-03T04:00:00Z")


def said(side: Side, at: int, event_id: str | None = None, **fields: Any) -> Message:
    """A message `at` microseconds after T0; without an id of its own it is no repeat of any."""
    name = event_id if event_id is not None else f"{side}{at}"
    topic = "other" if side == "buyer" else None
    return Message(
        **{"time": T0 + at, "event_id": name, "digest": b"", "shop_id": "S", "topic": topic, **fields}, side=side
    )


def buyer(at: int, event_id: str | None = None, **fields: Any) -> Message:
    return said("buyer", at, event_id, **fields)


def merchant(at: int, event_id: str | None = None, **fields: Any) -> Message:
    return said("merchant", at, event_id, **fields)


def watching(**changed: Any) -> Policy:
    """The default policy with replies watched."""
    policy = default()
    rule = msgspec.structs.replace(policy.conversations.reply_late, enabled=True, **changed)
    return msgspec.structs.replace(policy, conversations=msgspec.structs.replace(policy.conversations, reply_late=rule))
