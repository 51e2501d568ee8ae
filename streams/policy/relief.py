"""Spans of relief: times in which silences may last longer, as after a flood or in a lockdown."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from typing import Annotated, Any

import msgspec

from schemas.times import HOUR, parse, render


class Relief(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, dict=True):
    """What runs from an instant in [`from`, `to`) falls due `hours` later.

    It holds for parcels from or to one of `regions`, or for all where there are none. Times are RFC 3339 with an
    offset.
    """

    name: Annotated[str, msgspec.Meta(min_length=1)]
    begins: str = msgspec.field(name="from")
    ends: str = msgspec.field(name="to")
    hours: Annotated[float, msgspec.Meta(gt=0, le=1_000_000)]
    regions: Annotated[tuple[Annotated[str, msgspec.Meta(min_length=1)], ...], msgspec.Meta(min_length=1)] | None = None

    def problem(self) -> str | None:
        """What is wrong with the times, in one line, or None."""
        for field, text in (("from", self.begins), ("to", self.ends)):
            try:
                parse(text)
            except ValueError as error:
                return f"{field}: must be a time with an offset, as 2026-07-20T00:00:00+08:00, got {text!r} ({error})"
        if self._span[1] <= self._span[0]:
            return f"is empty: to, {self.ends}, is not after from, {self.begins}"
        return None

    @cached_property
    def micros(self) -> int:
        """How much later, in microseconds."""
        return round(self.hours * HOUR)

    def contains(self, micros: int) -> bool:
        """Whether the instant, in microseconds, lies in the span."""
        begins, ends = self._span
        return begins <= micros < ends

    @cached_property
    def _span(self) -> tuple[int, int]:
        return parse(self.begins), parse(self.ends)


def in_utc(content: dict[str, Any]) -> None:
    """Writes the times of all spans in a policy's content in one form, so that equal policies have one version.

    Both TOML and YAML have times of their own. What is no time with an offset becomes a text that `problem` reports.
    """
    shipments = content.get("shipments")
    spans = shipments.get("relief") if isinstance(shipments, dict) else None
    for span in spans if isinstance(spans, list) else ():
        for field in ("from", "to") if isinstance(span, dict) else ():
            if field in span:
                span[field] = _in_utc(span[field])


def _in_utc(value: Any) -> Any:
    text = value.isoformat() if isinstance(value, datetime) else value
    if not isinstance(text, str):
        return value
    try:
        return render(parse(text))
    except ValueError:
        return text
