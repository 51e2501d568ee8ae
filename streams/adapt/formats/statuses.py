"""What a format's codes and words mean.

`[codes]` decide alone, `[coarse]` codes give only the phase of the parcel, so that words which say more come
before them; `[fallback]` codes count only where no word is understood. A code that only one carrier uses is
written CARRIER/CODE. What the words say is in `streams.adapt.words`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple, get_args

from schemas.events import Status
from streams.adapt.words import ENDS, status_of

STATUSES: tuple[str, ...] = get_args(Status)
UNKNOWN = "in_transit"
"""Any scan is an update: what is not understood is still a sign of life."""
KINDS = ("codes", "coarse", "fallback")


def checked(name: str, status: str) -> str:
    """`status`, where it is one; else ValueError."""
    if status not in STATUSES:
        raise ValueError(f"format {name}: {status!r} is no status; they are {', '.join(STATUSES)}")
    return status


class Reading(NamedTuple):
    """What a scan is: its status, None where nothing of it is known; whether code and words disagree on an end."""

    status: str | None
    disagree: bool = False


_PHASE = {"info_received": 0, "picked_up": 1, "in_transit": 2, "departed": 2, "arrived": 2}
_LATE = 3
_CUT = re.compile(r"\W+(?:to|at|for|a|à|ao|al|an|aan)\W*$", re.IGNORECASE)
"""The end of a sentence whose name was cut off: "Shipment delivered to"."""


class Statuses:
    """The statuses of one format's codes and words."""

    def __init__(
        self,
        codes: Mapping[str, str],
        coarse: Mapping[str, str] | None = None,
        fallback: Mapping[str, str] | None = None,
    ) -> None:
        self._codes = codes
        self._coarse = coarse or {}
        self._fallback = fallback or {}

    def find(self, carrier: str, codes: Iterable[str], text: str) -> Reading:
        """The status of a scan by its codes (finest first) and words.

        A code that decides alone holds, unless it ends the watch and the words say that the parcel has not
        come to an end. Words come before a coarse code, unless they say less than it does. Where one of the
        two ends the watch and the other does not, the more cautious holds. A sentence that stops before its name
        says nothing against a code.
        """
        given = tuple(codes)
        said = status_of(text) if text else None
        decided = self._first(self._codes, carrier, given)
        phase = self._first(self._coarse, carrier, given)
        code = decided or phase
        if code is None:
            return Reading(said or self._first(self._fallback, carrier, given))
        if said is None:
            return Reading(code)
        if (code in ENDS) != (said in ENDS):
            if decided in ENDS and status_of(_CUT.sub("", text)) == decided:
                return Reading(decided)
            return Reading(said if code in ENDS else code, disagree=True)
        if decided or _PHASE.get(said, _LATE) < _PHASE.get(code, _LATE) or said == UNKNOWN:
            return Reading(code)
        return Reading(code if code == "returned" else said)

    @staticmethod
    def _first(table: Mapping[str, str], carrier: str, codes: tuple[str, ...]) -> str | None:
        for code in codes:
            status = table.get(f"{carrier}/{code}") or table.get(code)
            if status:
                return status
        return None
