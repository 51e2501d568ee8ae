"""Dated periods of a policy: days of every year or of a single one, at a fixed offset from UTC."""

from __future__ import annotations

import re
from datetime import date
from functools import cached_property
from typing import Annotated

import msgspec

from schemas.times import DAY, HOUR, date_of

_DAY_OF_YEAR = re.compile(r"(\d\d)-(\d\d)", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


class Period(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, dict=True):
    """From the start of `first` to the end of `last`: `MM-DD` of every year, or `YYYY-MM-DD`.

    A yearly period may run over the new year (`12-20` to `01-05`).
    """

    name: Annotated[str, msgspec.Meta(min_length=1)]
    first: str
    last: str
    utc_offset_hours: Annotated[float, msgspec.Meta(ge=-14, le=14)] = 8
    peak_season: bool = False

    def problem(self) -> str | None:
        """What is wrong with the dates, in one line, or None."""
        forms = [bool(_DAY_OF_YEAR.fullmatch(text)) for text in (self.first, self.last)]
        if forms[0] != forms[1] or not (forms[0] or all(map(_DATE.fullmatch, (self.first, self.last)))):
            got = f"got {self.first!r} and {self.last!r}"
            return f"first and last must both be MM-DD (every year) or both YYYY-MM-DD, {got}"
        for field, text in (("first", self.first), ("last", self.last)):
            try:
                date.fromisoformat(f"2024-{text}" if forms[0] else text)
            except ValueError:
                return f"{field}: there is no day {text!r}"
        dates = self._dates
        if dates is not None and dates[1] < dates[0]:
            return f"is empty: last, {self.last}, lies before first, {self.first}"
        return None

    def contains(self, micros: int) -> bool:
        """Whether the period contains the instant (microseconds UTC)."""
        day = (micros + round(self.utc_offset_hours * HOUR)) // DAY
        found = self._days.get(day)
        if found is None:
            found = self._days[day] = self._holds(day)
        return found

    @cached_property
    def _days(self) -> dict[int, bool]:
        return {}

    def _holds(self, day: int) -> bool:
        local = date_of(day)
        dates = self._dates
        if dates is not None:
            return dates[0] <= local <= dates[1]
        place = (local.month, local.day)
        first, last = self._days_of_year
        return first <= place <= last if first <= last else place >= first or place <= last

    @cached_property
    def _dates(self) -> tuple[date, date] | None:
        """The dates if it is of a single year. Raises ValueError if it has neither form."""
        if _DAY_OF_YEAR.fullmatch(self.first) and _DAY_OF_YEAR.fullmatch(self.last):
            return None
        if len(self.first) != 10 or len(self.last) != 10:
            raise ValueError("neither form")
        return date.fromisoformat(self.first), date.fromisoformat(self.last)

    @cached_property
    def _days_of_year(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """(month, day) of both if it is of every year. Raises ValueError if there is no such day."""
        # 2024 is a leap year, so that 29 February is a day.
        first, last = (date.fromisoformat(f"2024-{text}") for text in (self.first, self.last))
        return (first.month, first.day), (last.month, last.day)
