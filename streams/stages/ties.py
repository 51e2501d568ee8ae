"""What decides between two scans of one time and status, as long as they are not settled.

Events of one time sort by event id, then by the SHA-256 of the value. Both are in the value, so its bytes are kept, and
looked into only where two scans collide.
"""

from __future__ import annotations

from collections.abc import Hashable
from hashlib import sha256
from typing import Generic, TypeVar

import msgspec

Key = TypeVar("Key", bound=Hashable)


class _Identified(msgspec.Struct, gc=False):
    event_id: str


_DECODE = msgspec.json.Decoder(_Identified).decode


def sorts_before(value: bytes, other: bytes) -> bool:
    """Whether the event in `value` sorts before that in `other`, an event of the same time and topic."""
    if value == other:
        return False
    one, two = _DECODE(value).event_id, _DECODE(other).event_id
    if one != two:
        return one < two
    return sha256(value).digest() < sha256(other).digest()


class TieBook(Generic[Key]):
    """The values of scans that are not settled, in two generations, so that forgetting costs nothing per scan."""

    def __init__(self) -> None:
        self._young: dict[tuple[Key, int], bytes] = {}
        self._old: dict[tuple[Key, int], bytes] = {}
        self._greatest = -(1 << 62)
        #: Everything in the old generation is older than, or as old as this.
        self._old_until = -(1 << 62)

    def note(self, key: Key, packed: int, time: int, value: bytes) -> None:
        """Keeps the value of a scan."""
        self._young[key, packed] = value
        if time > self._greatest:
            self._greatest = time

    def get(self, key: Key, packed: int) -> bytes | None:
        """The value of a scan that is not settled; perhaps that of one that is."""
        found = self._young.get((key, packed))
        return found if found is not None else self._old.get((key, packed))

    def settle(self, settled: int) -> None:
        """Forgets a generation where events below `settled` (microseconds) are settled."""
        if settled > self._old_until:
            self._old, self._young = self._young, {}
            self._old_until = self._greatest
