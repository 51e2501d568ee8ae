"""The tables that turn a carrier's codes and words into statuses, and its name into ours.

They are TOML files beside this module. Of a format: `[codes]` decide alone, `[coarse]` codes give only the
phase of the parcel, so that words which say more come before them. `words-*.toml` are the words, for all
formats.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from importlib import resources
from typing import Any, NamedTuple, get_args

from schemas.events import Status

STATUSES: tuple[str, ...] = get_args(Status)
UNKNOWN = "in_transit"
"""Any scan is an update: what is not understood is still a sign of life."""

_GAP = 40
"""How many characters a `*` in a phrase may stand for."""
_LATIN = "a-z0-9\u00c0-\u024f"


class _Phrase(NamedTuple):
    parts: tuple[str, ...]
    pattern: re.Pattern[str]
    length: int
    status: str

    def find(self, text: str) -> int:
        """Where the phrase begins in `text`, or -1."""
        if not all(part in text for part in self.parts):
            return -1
        found = self.pattern.search(text)
        return found.start() if found else -1


def _phrase(written: str, status: str) -> _Phrase:
    parts = tuple(normal(part) for part in written.removeprefix("^").split("*"))
    if not all(parts):
        raise ValueError(f"{written!r} has an empty part")
    pattern = f".{{0,{_GAP}}}?".join(map(_whole, parts))
    anchor = "^" if written.startswith("^") else ""
    return _Phrase(parts, re.compile(anchor + pattern), sum(map(len, parts)), status)


def _whole(part: str) -> str:
    """A pattern for a part as whole words: a Latin one ends where it does, a last 中 begins no 中心."""
    before = f"(?<![{_LATIN}])" if re.match(f"[{_LATIN}]", part[0]) else ""
    after = f"(?![{_LATIN}])" if re.match(f"[{_LATIN}]", part[-1]) else "(?!心)" if part[-1] == "中" else ""
    return before + re.escape(part) + after


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


@cache
def _phrases() -> dict[str, list[_Phrase]]:
    """All phrases by their first two characters (or only one), so that few have to be looked for in a text."""
    found: dict[str, list[_Phrase]] = {}
    names = sorted(entry.name for entry in resources.files(__package__).joinpath("tables").iterdir())
    for name in (name.removesuffix(".toml") for name in names if name.startswith("words-")):
        for status, written in _load(name)["words"].items():
            for phrase in (_phrase(text, _checked(name, status)) for text in written):
                found.setdefault(phrase.parts[0][:2], []).append(phrase)
    return found


@lru_cache(maxsize=65536)
def by_words(text: str) -> str | None:
    """The status by the longest phrase in `text`, of equally long ones the first in it; None without one."""
    plain = normal(text)
    phrases = _phrases()
    best: _Phrase | None = None
    first = 0
    for start in sorted({plain[at : at + size] for at in range(len(plain)) for size in (1, 2)}):
        for phrase in phrases.get(start, ()):
            if best is not None and phrase.length < best.length:
                continue
            at = phrase.find(plain)
            if at >= 0 and (best is None or (-phrase.length, at) < (-best.length, first)):
                best, first = phrase, at
    return best.status if best else None


class Statuses:
    """The statuses of one format's codes and words."""

    def __init__(self, codes: Mapping[str, str], coarse: Mapping[str, str]) -> None:
        self._codes = codes
        self._coarse = coarse

    def find(self, carrier: str, codes: Iterable[str], text: str) -> str | None:
        """The status of a scan by its codes (finest first) and words, or None where neither is known.

        A code that decides alone; else the words, unless all they say is that the parcel is on its way and
        a coarse code says more; else the coarse code.
        """
        given = tuple(codes)
        decided = self._first(self._codes, carrier, given)
        if decided:
            return decided
        said = by_words(text) if text else None
        phase = self._first(self._coarse, carrier, given)
        if said and (said != UNKNOWN or phase is None):
            return said
        return phase

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
    merged: dict[str, dict[str, str]] = {"codes": {}, "coarse": {}}
    for other, carriers in raw.get("include", {}).items():
        part = _load(other)
        prefixes = [f"{carrier}/" for carrier in carriers] or [""]
        for kind, codes in merged.items():
            codes.update({prefix + code: to for prefix in prefixes for code, to in part[kind].items()})
    for kind, codes in merged.items():
        codes.update({code: _checked(name, to) for code, to in raw[kind].items()})
    return Statuses(merged["codes"], merged["coarse"])


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
