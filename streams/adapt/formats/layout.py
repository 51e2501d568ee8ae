"""Where a platform puts what a scan says: a layout of paths, and the pieces that it finds in a document.

A path is names joined by `.`; `name[]` goes through a list (one object counts as a list of one), and
`name[a=b]` keeps the entries whose `a` is the parcel's `b`. Names match whatever their case, `_` and `-`.
`@key` is the name under which the parcel was found; `^a` is the `a` of the nearest object around the parcel
that has one. Of several paths the first that says anything holds; `a+b` joins what both say, and says nothing
where either does not; `utc:a` is a time in UTC.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from schemas.did_you_mean import did_you_mean
from streams.adapt.places import Place, place_in_fields, place_in_text
from streams.adapt.reading import Found, objects, reason
from streams.adapt.reading.paths import (
    UTC_PREFIX,
    Object,
    codes_at,
    field_of,
    first_text,
    holds,
    text_around,
    text_of,
    texts_at,
    time_at,
    value_at,
    walk,
)
from streams.adapt.words.normalise import plain

_SWITCHES = frozenset({"place_in_text", "timed"})
_DEEPEST = 4
"""Levels in which an entry of a list is searched for a list of scans, which it then is no scan itself."""


class Row(NamedTuple):
    """One scan as the platform tells it: `codes` finest first, `number` only where the scan names its parcel.

    `zone` is the zone that the scan itself gives for a time without one.
    """

    where: str
    time: object
    codes: tuple[str, ...] = ()
    text: str = ""
    place: Place = Place()
    number: str = ""
    carriers: tuple[str, ...] = ()
    zone: str = ""


class Parcel(NamedTuple):
    """A parcel, before its rows: `carriers` best first, `codes` of its present state.

    `value` is what it came in, `assumed` its carrier where neither the data nor the user names one.
    """

    where: str
    number: str = ""
    carriers: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    value: Any = None
    assumed: str = ""


class Fault(NamedTuple):
    """A piece of a document that is no row, and why."""

    where: str
    what: str


Piece = Row | Parcel | Fault


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths of a format; see the module for their form.

    A parcel is an object that has one of `scans` (or of `otherwise`, which hold a scan each and count where
    there are none of `scans`) and one of `mark`, where any are given. An object with all of `bare` (`a|b`:
    either) that is in no parcel is a scan by itself. An object with a number and one of `refused` is a parcel
    that the platform refused. `assumed` is the carrier where nothing else names one.
    With `timed` a list counts only where one of its entries has a time and words and no such list itself, or
    where it is empty beside a number; the first such list is all.
    """

    scans: tuple[str, ...] = ()
    otherwise: tuple[str, ...] = ()
    mark: tuple[str, ...] = ()
    bare: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    number: tuple[str, ...] = ()
    carrier: tuple[str, ...] = ()
    assumed: str = ""
    state: tuple[str, ...] = ()
    scan_number: tuple[str, ...] = ()
    scan_carrier: tuple[str, ...] = ()
    time: tuple[str, ...] = ()
    zone: tuple[str, ...] = ()
    zoned: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    text: tuple[str, ...] = ()
    location: tuple[str, ...] = ()
    area: tuple[str, ...] = ()
    place_in_text: bool = False
    timed: bool = False

    def pieces(self, document: Found) -> Iterator[Piece]:
        """The parcels and scans in a document, in its order."""
        parcel = False

        def wanted(value: Object) -> bool:
            nonlocal parcel
            parcel = self._is_parcel(value)
            return parcel or self._is_bare(value) or self._is_refused(value)

        for found in objects(document, wanted):
            if self._is_refused(found.value):
                why = reason(found.value) or "no reason given"
                yield Fault(found.where, f"{first_text(found.value, self.number)} is refused: {why}")
            elif parcel:
                yield from self._parcel(found)
            else:
                yield self._row(found.where, found.value)

    def _is_refused(self, value: Object) -> bool:
        if not self.refused:
            return False
        return any(field_of(value, path) for path in self.refused) and bool(first_text(value, self.number))

    def _is_parcel(self, value: Object) -> bool:
        if self.mark and not any(holds(value, path) for path in self.mark):
            return False
        return any(self._listed(value, path) is not None for path in (*self.scans, *self.otherwise))

    def _is_bare(self, value: Object) -> bool:
        return bool(self.bare) and all(
            any(text_of(value_at(value, one)) for one in path.split("|")) for path in self.bare
        )

    def _parcel(self, found: Found) -> Iterator[Piece]:
        value = found.value
        yield Parcel(
            found.where,
            first_text(value, self.number)
            or text_around(found.holders, self.number)
            or (found.key if "@key" in self.number else ""),
            tuple(name for path in self.carrier for name in texts_at(value, path))
            + tuple(filter(None, [text_around(found.holders, self.carrier)])),
            tuple(codes_at(value, self.state)),
            value,
            self.assumed,
        )
        told = False
        for path in self.scans:
            if told and self.timed:
                break
            for where, entry, holder in self._listed(value, path) or ():
                told = True
                at = f"{found.where}.{where}" if found.where else where
                yield self._row(at, entry, holder, value) if isinstance(entry, dict) else Fault(at, "not an object")
        for path in () if told else self.otherwise:
            for where, entry, holder in self._listed(value, path) or ():
                if isinstance(entry, dict):
                    yield self._row(f"{found.where}.{where}" if found.where else where, entry, holder, value)

    def _listed(self, value: Object, path: str) -> list[tuple[str, Any, Object]] | None:
        """The entries of the lists at a path, each with where it is and what holds it; None without such a list.

        One scan that is in no list counts as a list of one, and null as an empty list.
        """
        *outer, last = path.split(".")
        last = last.removesuffix("[]")
        found: list[tuple[str, Any, Object]] | None = None
        for where, holder in walk(value, outer, value, "") if outer else [("", value)]:
            if not isinstance(holder, dict) or not holds(holder, last):
                continue
            held = field_of(holder, last)
            at = f"{where}.{last}" if where else last
            if isinstance(held, list) and (not self.timed or self._has_times(held, value)):
                found = [*(found or []), *((f"{at}[{index}]", entry, holder) for index, entry in enumerate(held))]
            elif isinstance(held, dict) and time_at(held, self.time)[1]:
                found = [*(found or []), (at, held, holder)]
            elif held is None:
                found = found or []
        return found

    def _has_times(self, held: list[Any], parcel: Object) -> bool:
        if not held:
            return bool(first_text(parcel, self.number))
        return any(self._is_scan(entry) and not self._holds_scans(entry) for entry in held)

    def _is_scan(self, entry: Any) -> bool:
        return isinstance(entry, dict) and bool(time_at(entry, self.time)[1] and first_text(entry, self.text))

    def _holds_scans(self, value: Any, depth: int = 0) -> bool:
        if isinstance(value, list):
            return any(map(self._is_scan, value))
        nested = value.values() if isinstance(value, dict) and depth < _DEEPEST else ()
        return any(self._holds_scans(inner, depth + 1) for inner in nested)

    def _row(self, where: str, item: Object, *holders: Object) -> Row:
        words = plain(first_text(item, self.text))
        fields = place_in_fields(first_text(item, self.location), first_text(item, self.area))
        told = place_in_text(words) if self.place_in_text else Place()
        time, path = time_at(item, self.time)
        zone = ""
        if self.zone:
            zone = next((zone for holder in (item, *holders) if (zone := first_text(holder, self.zone))), "")
        return Row(
            where=where,
            time=time,
            codes=tuple(codes_at(item, self.codes)),
            text=words,
            place=Place(told.facility or fields.facility, fields.region or told.region),
            number=first_text(item, self.scan_number),
            carriers=tuple(name for path in self.scan_carrier for name in texts_at(item, path)),
            zone="UTC" if path.startswith(UTC_PREFIX) else zone if not self.zoned or path in self.zoned else "",
        )


def layout(raw: Mapping[str, Any]) -> Layout:
    """The layout that a format's `[[layout]]` table describes.

    ValueError for a name that there is not, a value that is no path, and where scans or their times are not said.
    """
    fields: dict[str, Any] = {}
    for name, given in raw.items():
        if name not in Layout.__slots__:
            meant = did_you_mean(name, Layout.__slots__)
            raise ValueError(f"a layout has no {name!r}{meant}; it has {', '.join(Layout.__slots__)}")
        if name in _SWITCHES or name == "assumed":
            if type(given) is not (bool if name in _SWITCHES else str):
                raise ValueError(f"{name} of a layout cannot be {given!r}")
            fields[name] = given
            continue
        paths = [given] if isinstance(given, str) else given
        if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
            raise ValueError(f"{name} of a layout is a path or a list of paths, not {given!r}")
        fields[name] = tuple(paths)
    made = Layout(**fields)
    if not (made.scans or made.otherwise or made.bare):
        raise ValueError("a layout has no scans (the list in a parcel) and no bare (the names that make a scan)")
    if not made.time:
        raise ValueError("a layout has no time, the path of a scan's time")
    return made
