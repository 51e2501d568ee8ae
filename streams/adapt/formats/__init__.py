"""The formats that can be adapted: those that come with parcelwatch, and those that other packages add.

A package adds one by an entry point of the group `parcelwatch.formats`: its name is the format's, its object
a `Format`, which `from_toml` makes of a text.
"""

from streams.adapt.formats.format import Format, from_toml
from streams.adapt.formats.layout import Fault, Layout, Parcel, Piece, Row
from streams.adapt.formats.registry import formats, known
from streams.adapt.formats.statuses import Statuses

__all__ = ["Fault", "Format", "Layout", "Parcel", "Piece", "Row", "Statuses", "formats", "from_toml", "known"]
