"""Whether a restore may start from a copy of a changelog."""

from __future__ import annotations

#: Seconds after which a copy is too old: Kafka forgets deletions after `delete.retention.ms`, a day, and what was
#: deleted since would be back.
OLDEST = 12 * 3600.0


def unfit(held: int, age: float, begin: int, end: int) -> str | None:
    """Why a copy up to offset `held` is unfit for a changelog from `begin` to `end`; None if it is fit.

    `age`: seconds since its last write, by a clock that should not go back.
    """
    if held > end:
        return f"it holds up to {held}, the changelog up to {end}"
    if held < begin:
        return f"it holds up to {held}, the changelog begins at {begin}"
    if not 0 <= age <= OLDEST and held < end:
        return "it is too old to know what was deleted since"
    return None
