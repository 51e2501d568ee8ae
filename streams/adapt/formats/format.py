"""A format: what it is, and how its documents become parcels and scans."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from schemas.did_you_mean import did_you_mean
from streams.adapt.formats.layout import Layout, Piece, layout
from streams.adapt.formats.statuses import KINDS, Statuses, checked
from streams.adapt.lines import Line, Report, Settings
from streams.adapt.orders.records import Records, records
from streams.adapt.reading import Found
from streams.adapt.times import zone

_ORDERS = ("help", "details", "zone", "dates", "record", "rows", "columns", "statuses", "kinds", "reasons")
_NAMES = ("help", "details", "zone", "dates", "carrier", "layout", "include", "zones", *KINDS)
_TEXTS = frozenset({"help", "details", "zone", "dates", "carrier"})
_DATES = {"day-first": True, "month-first": False}


@dataclass(frozen=True, slots=True)
class Format:
    """One format of scans, or of orders.

    `tz` is the zone of its times without one; `day_first` says how 01/04/2016 is read, None that it is ambiguous.
    `zones` are the zones that the platform calls by names of its own beside a time, by these names.
    `pieces` finds the parcels and scans of a document. `carrier` is that of a platform which is a carrier itself.
    `records` are those of a format of orders and tickets, which has no scans. `folder` formats have neither: `read`
    reads a folder whole.
    """

    name: str
    help: str
    tz: str
    pieces: Callable[[Found], Iterator[Piece]]
    statuses: Statuses
    carrier: str | None = None
    details: str = ""
    day_first: bool | None = None
    read: Callable[[Path, Settings, Report], Iterator[Line]] | None = None
    zones: Mapping[str, str] = field(default_factory=dict)
    records: Records | None = None

    @property
    def folder(self) -> bool:
        """Whether the input is a folder."""
        return self.read is not None


def from_toml(name: str, text: str) -> Format:
    """The format that a TOML text describes: of orders where it has `[[record]]` (see `streams.adapt.orders.records`),
    else of scans:

    `[[layout]]` tables of paths (see `layout`); `[codes]`, `[coarse]` and `[fallback]`, which turn codes into
    statuses (see `statuses`); perhaps `help`, `details`, `zone` (else UTC), `dates` (`day-first` or
    `month-first`: how 01/04/2016 is read), `carrier`, and `[zones]` with the platform's names of zones.
    ValueError for what it may not hold.
    """
    raw = tomllib.loads(text)
    names = _ORDERS if "record" in raw else _NAMES
    for given in raw:
        if given not in names:
            raise ValueError(f"a format has no {given!r}; it has {', '.join(names)}")
        if given in _TEXTS and not isinstance(raw[given], str):
            raise ValueError(f"{given} of a format is a text, not {raw[given]!r}")
    if raw.get("dates", "day-first") not in _DATES:
        raise ValueError(f"dates are {' or '.join(_DATES)}, not {raw['dates']!r}")
    if "record" in raw:
        return _of_orders(name, raw)
    tables = raw.get("layout")
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise ValueError("no [[layout]], which says where parcels and scans are")
    layouts = [layout(table) for table in tables]
    return Format(
        name=name,
        help=raw.get("help", ""),
        tz=zone(raw.get("zone", "UTC")).key,
        day_first=_DATES[raw["dates"]] if "dates" in raw else None,
        pieces=lambda document: _pieces(layouts, document),
        statuses=Statuses(**_tables(name, raw)),
        carrier=raw.get("carrier"),
        details=raw.get("details", ""),
        zones=_zones(raw.get("zones", {})),
    )


def _of_orders(name: str, raw: Mapping[str, Any]) -> Format:
    return Format(
        name=name,
        help=raw.get("help", ""),
        tz=zone(raw.get("zone", "UTC")).key,
        day_first=_DATES[raw["dates"]] if "dates" in raw else None,
        pieces=lambda _document: iter(()),
        statuses=Statuses({}),
        details=raw.get("details", ""),
        records=records(raw),
    )


def _zones(given: object) -> dict[str, str]:
    if not isinstance(given, dict) or not all(isinstance(to, str) for to in given.values()):
        raise ValueError("zones is a table of names and the zones that they mean: [zones]")
    return {name: zone(to).key for name, to in given.items()}


def _pieces(layouts: list[Layout], document: Found) -> Iterator[Piece]:
    """The pieces by the first layout that finds any."""
    for found in layouts:
        pieces = iter(found.pieces(document))
        first = next(pieces, None)
        if first is not None:
            yield first
            yield from pieces
            return


def _tables(name: str, raw: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """The tables of codes, with those that are included: for the carriers named, or for all where none is."""
    tables: dict[str, dict[str, str]] = {kind: {} for kind in KINDS}
    for other, carriers in raw.get("include", {}).items():
        try:
            part = tomllib.loads(packaged(other))
        except OSError:
            raise ValueError(f"include: there is no format {other!r}{did_you_mean(other, packaged_names())}") from None
        prefixes = [f"{carrier}/" for carrier in carriers] or [""]
        for kind, codes in tables.items():
            codes.update({prefix + code: to for prefix in prefixes for code, to in part.get(kind, {}).items()})
    for kind, codes in tables.items():
        given = raw.get(kind, {})
        if not isinstance(given, dict):
            raise ValueError(f"{kind} is a table of codes: [{kind}]")  # noqa: TRY004  it is in the file
        codes.update({code: checked(name, to) for code, to in given.items()})
    return tables


@cache
@cache
def packaged_names() -> tuple[str, ...]:
    """The names of the formats that are described beside this module."""
    entries = sorted(entry.name for entry in resources.files(__package__).iterdir())
    return tuple(entry.removesuffix(".toml") for entry in entries if entry.endswith(".toml"))


def packaged(name: str) -> str:
    """The TOML of a format that comes with parcelwatch."""
    return resources.files(__package__).joinpath(f"{name}.toml").read_text(encoding="utf-8")
