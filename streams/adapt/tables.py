"""The tables that turn a carrier's codes and words into statuses, and its name into ours.

They are TOML files beside this module. Of a format: `[codes]` decide alone, `[coarse]` codes give only the
phase of the parcel, so that words which say more come before them. `[fallback]` codes count only where no
word is understood. What the words say is in `streams.adapt.words`.
"""

from __future__ import annotations

import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from typing import Any, NamedTuple, get_args

from schemas.events import Status
from streams.adapt.words import ENDS, status_of

STATUSES: tuple[str, ...] = get_args(Status)
UNKNOWN = "in_transit"
"""Any scan is an update: what is not understood is still a sign of life."""


def normal(text: str) -> str:
    """Text as it is compared: compatible characters made one, no case, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _load(name: str) -> dict[str, Any]:
    table = resources.files(__package__).joinpath("tables", f"{name}.toml")
    return tomllib.loads(table.read_text(encoding="utf-8"))


def _checked(name: str, status: str) -> str:
    if status not in STATUSES:
        raise ValueError(f"table {name}: {status!r} is no status")
    return status


class Reading(NamedTuple):
    """What a scan is: its status, None where nothing of it is known; whether code and words disagree on an end."""

    status: str | None
    disagree: bool = False


_PHASE = {"info_received": 0, "picked_up": 1, "in_transit": 2, "departed": 2, "arrived": 2}
_LATE = 3


class Statuses:
    """The statuses of one format's codes and words."""

    def __init__(self, codes: Mapping[str, str], coarse: Mapping[str, str], fallback: Mapping[str, str]) -> None:
        self._codes = codes
        self._coarse = coarse
        self._fallback = fallback

    def find(self, carrier: str, codes: Iterable[str], text: str) -> Reading:
        """The status of a scan by its codes (finest first) and words.

        A code that decides alone holds, unless it ends the watch and the words say that the parcel has not
        come to an end. Words come before a coarse code, unless they say less than it does. Where one of the
        two ends the watch and the other does not, the more cautious holds.
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


@cache
def statuses(name: str) -> Statuses:
    """The table of a format. ValueError if it names a status that is none."""
    raw = _load(name)
    merged: dict[str, dict[str, str]] = {"codes": {}, "coarse": {}, "fallback": {}}
    for other, carriers in raw.get("include", {}).items():
        part = _load(other)
        prefixes = [f"{carrier}/" for carrier in carriers] or [""]
        for kind, codes in merged.items():
            codes.update({prefix + code: to for prefix in prefixes for code, to in part.get(kind, {}).items()})
    for kind, codes in merged.items():
        codes.update({code: _checked(name, to) for code, to in raw.get(kind, {}).items()})
    return Statuses(merged["codes"], merged["coarse"], merged["fallback"])


def _plain_name(name: str) -> str:
    return normal(name).replace(" ", "").replace("-", "").replace("_", "")


@cache
def _carriers() -> dict[str, str]:
    known: dict[str, str] = {}
    for carrier, names in _load("carriers")["carriers"].items():
        for name in (carrier, *names):
            if known.setdefault(_plain_name(name), carrier) != carrier:
                raise ValueError(f"table carriers: {name!r} stands for two carriers")
    return known


def carrier_name(*names: str) -> str | None:
    """Our name of the carrier called `names`: of the first that the table knows, else the first as it is."""
    given = [name.strip() for name in names if name.strip()]
    for name in given:
        known = _carriers().get(_plain_name(name))
        if known:
            return known
    return given[0] if given else None
