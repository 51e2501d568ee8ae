"""Carriers by any name: our code of each, and the names by which people and platforms know it.

The table is `carriers.toml`. Lookup ignores case, spaces, `-`, `_` and `.`.
"""

from __future__ import annotations

import difflib
import tomllib
import unicodedata
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib import resources

_IGNORED = str.maketrans("", "", " -_.\t()（）")
#: Characters of a name; none of the table is longer, and ids are no longer.
_LONGEST = 128


def _plain(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold().translate(_IGNORED)


@cache
def _table() -> Mapping[str, tuple[str, ...]]:
    """Every carrier's code with its names, the main one first."""
    text = resources.files(__package__).joinpath("carriers.toml").read_text(encoding="utf-8")
    found: dict[str, tuple[str, ...]] = {}
    for code, row in tomllib.loads(text).items():
        others = [name for key, names in row.items() if key != "name" for name in names]
        found[code] = tuple(dict.fromkeys((row["name"], code, *others)))
    return found


@cache
def _codes() -> Mapping[str, str]:
    known: dict[str, str] = {}
    for code, names in _table().items():
        for name in names:
            if known.setdefault(_plain(name), code) != code:
                raise ValueError(f"table of carriers: {name!r} stands for two carriers")
    return known


def code_of(name: str) -> str | None:
    """Our code of the carrier called `name`; None for one that the table does not know."""
    # What anybody may send must not fill the memory.
    return _code_of(name) if len(name) <= _LONGEST else None


@lru_cache(maxsize=4096)
def _code_of(name: str) -> str | None:
    return _codes().get(_plain(name))


def canonical(name: str) -> str:
    """Our code of the carrier called `name`, else the name as it is, without spaces around it."""
    return code_of(name) or name.strip()


def carrier_name(*names: str) -> str | None:
    """Our code of the carrier called `names`: of the first that the table knows, else the first as it is."""
    given = [name.strip() for name in names if name.strip()]
    return next((code for name in given if (code := code_of(name))), given[0] if given else None)


def same(one: str, other: str) -> bool:
    """True if both names are of one carrier."""
    return one == other or (code_of(one) is not None and code_of(one) == code_of(other))


def names_of(code: str) -> tuple[str, ...]:
    """All names of the carrier with our code `code`; none for one that the table does not know."""
    return _table().get(code, ())


def near(name: str) -> list[str]:
    """Codes of carriers with a name like `name`, closest first, to suggest a correction."""
    return list(dict.fromkeys(_codes()[match] for match in difflib.get_close_matches(_plain(name), _codes(), n=3)))
