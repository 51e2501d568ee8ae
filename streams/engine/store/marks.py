"""What a copy on disk says of itself: of which changelog it is, and up to which offset it is complete."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from streams.engine.errors import UNDECODABLE
from streams.engine.store.fitness import OLDEST, unfit
from streams.engine.store.interface import Origin


class Mark(NamedTuple):
    """`version`: the form of the copy; `written_at`: the machine's clock, in seconds."""

    version: int
    origin: Origin
    end: int
    written_at: float

    def is_fresh(self, now: float) -> bool:
        """Whether it is not so old that it will hardly be fit."""
        return 0 <= now - self.written_at <= OLDEST


encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Mark).decode


def decoded(value: bytes | None) -> Mark | None:
    """None if there is none, or of a form that is unknown."""
    try:
        return None if value is None else _decode(value)
    except UNDECODABLE:
        return None


def fit(value: bytes | None, version: int, now: float, origin: Origin, begin: int, end: int) -> Mark | str:
    """A copy's mark, or why that is unfit for a changelog; no reason is given for a copy that never existed.

    `version`: the form that is read; `begin` and `end`: the changelog's offsets.
    """
    if value is None:
        return ""
    mark = decoded(value)
    if mark is None:
        return "its form is unknown"
    if mark.version != version:
        return f"its form is {mark.version}, not {version}"
    if mark.origin != origin:
        return "it is of another changelog"
    why = unfit(mark.end, now - mark.written_at, begin, end)
    return mark if why is None else why
