"""Facts: what an event says, with its place in the order of all events.

If two facts with the same natural id disagree, the first one holds: by time, then event id, then the SHA-256 of the
value. A settled fact is replaced only by one of an earlier time.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TypeVar

import msgspec

#: Bytes kept of a digest: enough to order values that share time and event id.
_DIGEST = 8


def digest(value: bytes) -> bytes:
    """The tie-breaker between events of equal time and event id: a prefix of the value's SHA-256."""
    return sha256(value).digest()[:_DIGEST]


class Fact(msgspec.Struct, array_like=True, kw_only=True, gc=False):
    """An event's place in the order: `time` in microseconds, then the tie-breakers."""

    time: int
    event_id: str
    digest: bytes
    shop_id: str

    @property
    def place(self) -> tuple[int, str, bytes]:
        return self.time, self.event_id, self.digest


SomeFact = TypeVar("SomeFact", bound=Fact)


def takes_its_place(new: Fact, known: Fact | None, settled: int) -> bool:
    """Whether `new` replaces `known`, a fact with the same natural id."""
    if known is None:
        return True
    if new.time != known.time:
        return new.time < known.time
    return known.time >= settled and new.place < known.place


def first(new: SomeFact, known: SomeFact | None, settled: int) -> SomeFact:
    """Whichever of the two holds."""
    return new if known is None or takes_its_place(new, known, settled) else known
