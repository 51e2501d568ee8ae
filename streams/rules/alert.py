"""An alert as rules produce it, raised or resolved, before it is rendered for consumers."""

from __future__ import annotations

from typing import Any, NamedTuple

RAISED = "raised"
RESOLVED = "resolved"
MERCHANT = "merchant"
PLATFORM = "platform"


class Alert(NamedTuple):
    """One alert for one or two audiences. `time` is in microseconds; times in `evidence` are RFC 3339 text already."""

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
