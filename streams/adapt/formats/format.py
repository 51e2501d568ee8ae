"""A format: what it is, and how its documents become parcels and scans."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from streams.adapt.formats.layout import Layout, Piece, layout
from streams.adapt.formats.statuses import KINDS, Statuses, checked
from streams.adapt.lines import Line, Report, Settings
from streams.adapt.reading import Found


@dataclass(frozen=True, slots=True)
class Format:
    """One format of scans.

    `tz` is the zone of its times without one. `pieces` finds the parcels and scans of a document. `carrier` is
    that of a platform which is a carrier itself. `folder` formats are no scans: `read` reads a folder whole.
    """

    name: str
    help: str
    tz: str
    pieces: Callable[[Found], Iterator[Piece]]
    statuses: Statuses
    carrier: str | None = None
    details: str = ""
    read: Callable[[Path, Settings, Report], Iterator[Line]] | None = None

    @property
    def folder(self) -> bool:
        """Whether the input is a folder."""
        return self.read is not None


def from_toml(name: str, text: str) -> Format:
    """The format that a TOML text describes.

    `help`, `zone`, perhaps `carrier` and `details`; `[[layout]]` tables of paths (see `layout`); `[codes]`,
    `[coarse]` and `[fallback]`, which turn codes into statuses (see `statuses`). ValueError for what it may
    not hold.
    """
    raw = tomllib.loads(text)
    layouts = [layout(table) for table in raw.get("layout", ())]
    return Format(
        name=name,
        help=raw["help"],
        tz=raw["zone"],
        pieces=lambda document: _pieces(layouts, document),
        statuses=Statuses(**_tables(name, raw)),
        carrier=raw.get("carrier"),
        details=raw.get("details", ""),
    )


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
        part = tomllib.loads(packaged(other))
        prefixes = [f"{carrier}/" for carrier in carriers] or [""]
        for kind, codes in tables.items():
            codes.update({prefix + code: to for prefix in prefixes for code, to in part.get(kind, {}).items()})
    for kind, codes in tables.items():
        codes.update({code: checked(name, to) for code, to in raw.get(kind, {}).items()})
    return tables


@cache
def packaged(name: str) -> str:
    """The TOML of a format that comes with parcelwatch."""
    return resources.files(__package__).joinpath(f"{name}.toml").read_text(encoding="utf-8")
