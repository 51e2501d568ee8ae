"""Escalations that have an event of their own, and their voidings."""

from __future__ import annotations

from typing import NamedTuple

from streams.rules.facts import Fact


class Escalation(Fact, array_like=True, kw_only=True, gc=False):
    """A dispute or a complaint."""

    order_id: str | None
    item_id: str | None = None


class Voided(Fact, array_like=True, kw_only=True, gc=False):
    """An event that voids an escalation. `rank`: 0 from the topic `orders`, 1 from `chats`, which sorts later."""

    rank: int


class Voiding(NamedTuple):
    """The place of a voiding in the order of all events."""

    time: int
    rank: int
    event_id: str
    digest: bytes
