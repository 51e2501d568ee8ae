"""Scan statuses, ranked so that one integer per scan sorts as the rules require.

Of scans at the same instant, a terminal one counts, else the one with the greatest name. So ranks go by (terminal,
name), and a scan is `time << 4 | rank`: sortable, distinct by time and status, 8 bytes.
"""

from __future__ import annotations

from typing import get_args

from schemas.events import Status

TERMINAL = frozenset({"delivered", "returned", "destroyed"})
NAMES: tuple[Status, ...] = tuple(sorted(get_args(Status), key=lambda name: (name in TERMINAL, name)))
RANK: dict[str, int] = {name: rank for rank, name in enumerate(NAMES)}
#: Ranks from here on are terminal.
FIRST_TERMINAL = min(RANK[name] for name in TERMINAL)
INFO_RECEIVED = RANK["info_received"]
PICKED_UP = RANK["picked_up"]
DELIVERY_FAILED, RETURNING = RANK["delivery_failed"], RANK["returning"]
DELIVERED, RETURNED, DESTROYED = RANK["delivered"], RANK["returned"], RANK["destroyed"]
#: Scans that raise an alert by themselves.
TELLING = frozenset({DELIVERY_FAILED, RETURNING, RETURNED, DESTROYED})
WITH_RECIPIENT = frozenset({RANK["delivery_failed"], RANK["out_for_delivery"], RANK["held"]})
BITS = 4
MASK = (1 << BITS) - 1


def pack(time: int, rank: int) -> int:
    """One scan as an integer; `time` in microseconds."""
    return time << BITS | rank
