"""Facts: what an event says, with its place in the order of all events.

Of two facts that disagree (same natural id) the first in the order holds: by time, then event id, then the SHA-256 of
the value. Once a fact is settled only an earlier time takes its place.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TypeVar

import msgspec

#: Bytes of a digest that are kept: enough for the order of values that share time and event id.
_DIGEST = 8


def digest(value: bytes) -> bytes:
    """What decides between events of one time and event id: the beginning of the SHA-256 of the value."""
    return sha256(value).digest()[:_DIGEST]


class Fact(msgspec.Struct, array_like=True, kw_only=True, gc=False):
    """One event's place: `time` in microseconds, then what decides between events of one time."""

    time: int
    event_id: str
    digest: bytes
    shop_id: str

    @property
    def place(self) -> tuple[int, str, bytes]:
        return self.time, self.event_id, self.digest


SomeFact = TypeVar("SomeFact", bound=Fact)


def takes_its_place(new: Fact, known: Fact | None, settled: int) -> bool:
    """Whether `new` holds instead of `known`, a fact of the same natural id."""
    if known is None:
        return True
    if new.time != known.time:
        return new.time < known.time
    return known.time >= settled and new.place < known.place


def first(new: SomeFact, known: SomeFact | None, settled: int) -> SomeFact:
    """The one of the two that holds."""
    return new if known is None or takes_its_place(new, known, settled) else known
