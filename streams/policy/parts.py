"""What the sections of a policy are made of: their base, and the kinds of value that they hold."""

from __future__ import annotations

from typing import Annotated

import msgspec

#: Upper bound for durations: anything longer than centuries is a mistake, and would overflow a time.
Positive = Annotated[float, msgspec.Meta(gt=0, le=1_000_000)]
NotNegative = Annotated[float, msgspec.Meta(ge=0, le=1_000_000)]
PositiveInt = Annotated[int, msgspec.Meta(gt=0, le=1_000_000)]
Text = Annotated[str, msgspec.Meta(min_length=1)]
ClockTime = Annotated[str, msgspec.Meta(pattern="^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$")]


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, dict=True):
    """A section, or a part of one."""
