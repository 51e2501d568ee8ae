"""What escalates by an event of its own."""

from __future__ import annotations

from streams.rules.facts import Fact


class Escalation(Fact, array_like=True, kw_only=True, gc=False):
    """A dispute or a complaint."""

    order_id: str | None
    item_id: str | None = None
