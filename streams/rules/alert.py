"""What a rule says: an alert raised or resolved, before it has the form that consumers read."""

from __future__ import annotations

from typing import Any, NamedTuple

RAISED = "raised"
RESOLVED = "resolved"
MERCHANT = "merchant"
PLATFORM = "platform"


class Alert(NamedTuple):
    """One alert to one or two audiences. Times in `evidence` are RFC 3339 text already; `time` is in microseconds."""

    type: str
    subject: str
    status: str
    time: int
    audiences: tuple[str, ...]
    shop_id: str | None
    order_id: str | None
    carrier: str | None
    episode: str
    resolution: str | None
    evidence: dict[str, Any]
