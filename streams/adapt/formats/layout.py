"""Where a platform puts what a scan says: a layout of paths, and the pieces that it finds in a document.

A path is names joined by `.`; `name[]` goes through a list (one object counts as a list of one), and
`name[a=b]` keeps the entries whose `a` is the parcel's `b`. Names match whatever their case, `_` and `-`.
`@key` is the name under which the parcel was found. Of several paths the first that says anything holds;
`a+b` joins what both say, and says nothing where either does not; `utc:a` is a time in UTC.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from streams.adapt.places import Place, place_in_fields, place_in_text
from streams.adapt.reading import Found, objects, reason
from streams.adapt.reading.search import folded
from streams.adapt.reading.xml import TEXT
from streams.adapt.words.normalise import plain

Object = dict[str, Any]
UTC_PREFIX = "utc:"
_NOTHING = frozenset({"null", "none", "undefined", "nan", "n/a"})


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


def text_of(value: object) -> str:
    """A field that should be text, or a number that stands for it; "" for anything else, and for "null"."""
    if isinstance(value, dict):
        value = value.get(TEXT)
    if isinstance(value, str):
        text = value.strip()
        return "" if text.casefold() in _NOTHING else text
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return ""


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths of a format; see the module for their form.

    A parcel is an object that has one of `scans` (or of `otherwise`, which hold a scan each and count where
    there are none of `scans`) and one of `mark`, where any are given. An object with all of `bare` (`a|b`:
    either) that is in no parcel is a scan by itself. An object with a number and one of `refused` is a parcel
    that the platform refused. `assumed` is the carrier where nothing else names one.
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

    def pieces(self, document: Found) -> Iterator[Piece]:
        """The parcels and scans in a document, in its order."""
        for found in objects(document, self._wanted):
            if self._is_refused(found.value):
                why = reason(found.value) or "no reason given"
                yield Fault(found.where, f"{_first(found.value, self.number)} is refused: {why}")
            elif self._is_parcel(found.value):
                yield from self._parcel(found)
            else:
                yield self._row(found.where, found.value)

    def _wanted(self, value: Object) -> bool:
        return self._is_parcel(value) or self._is_bare(value) or self._is_refused(value)

    def _is_refused(self, value: Object) -> bool:
        return any(_field(value, path) for path in self.refused) and bool(_first(value, self.number))

    def _is_parcel(self, value: Object) -> bool:
        if self.mark and not any(_holds(value, path) for path in self.mark):
            return False
        return any(self._listed(value, path) is not None for path in (*self.scans, *self.otherwise))

    def _is_bare(self, value: Object) -> bool:
        return bool(self.bare) and all(any(text_of(_at(value, one)) for one in path.split("|")) for path in self.bare)

    def _parcel(self, found: Found) -> Iterator[Piece]:
        value = found.value
        yield Parcel(
            found.where,
            _first(value, self.number) or (found.key if "@key" in self.number else ""),
            tuple(name for path in self.carrier for name in _all(value, path)),
            tuple(_codes(value, self.state)),
            value,
            self.assumed,
        )
        told = False
        for path in self.scans:
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
        for where, holder in _walk(value, outer, value, "") if outer else [("", value)]:
            if not isinstance(holder, dict) or not _holds(holder, last):
                continue
            held = _field(holder, last)
            at = f"{where}.{last}" if where else last
            if isinstance(held, list):
                found = [*(found or []), *((f"{at}[{index}]", entry, holder) for index, entry in enumerate(held))]
            elif isinstance(held, dict) and _time(held, self.time)[1]:
                found = [*(found or []), (at, held, holder)]
            elif held is None:
                found = found or []
        return found

    def _row(self, where: str, item: Object, *holders: Object) -> Row:
        words = plain(_first(item, self.text))
        fields = place_in_fields(_first(item, self.location), _first(item, self.area))
        told = place_in_text(words) if self.place_in_text else Place()
        time, path = _time(item, self.time)
        zone = next((zone for holder in (item, *holders) if (zone := _first(holder, self.zone))), "")
        return Row(
            where=where,
            time=time,
            codes=tuple(_codes(item, self.codes)),
            text=words,
            place=Place(told.facility or fields.facility, fields.region or told.region),
            number=_first(item, self.scan_number),
            carriers=tuple(name for path in self.scan_carrier for name in _all(item, path)),
            zone="UTC" if path.startswith(UTC_PREFIX) else zone if not self.zoned or path in self.zoned else "",
        )


def _field(value: Any, name: str) -> Any:
    """The field of an object, whatever the spelling of its name; of two that say something the first."""
    if not isinstance(value, dict):
        return None
    if name in value and value[name] not in (None, ""):
        return value[name]
    wanted = folded(name)
    return next((held for key, held in value.items() if folded(key) == wanted and held not in (None, "")), None)


def _at(value: Any, path: str) -> Any:
    for name in path.split("."):
        if isinstance(value, list):
            value = next((held for held in value if isinstance(held, dict)), None)
        value = _field(value, name.removesuffix("[]"))
    return value


def _holds(value: Object, path: str) -> bool:
    wanted = folded(path)
    return any(folded(key) == wanted for key in value)


def _all(value: Any, path: str) -> Iterator[str]:
    """Every text at a path, through lists."""
    for _, held in _walk(value, path.split("."), value, ""):
        text = text_of(held)
        if text:
            yield text


def _walk(value: Any, names: list[str], root: Any, where: str) -> Iterator[tuple[str, Any]]:
    if not names:
        yield where, value
        return
    name, bracket, condition = names[0].partition("[")
    held = _field(value, name)
    at = f"{where}.{name}" if where else name
    if not bracket:
        if held is not None:
            yield from _walk(held, names[1:], root, at)
        return
    left, _, right = condition.removesuffix("]").replace("/", ".").partition("=")
    for index, entry in enumerate(held if isinstance(held, list) else [held]):
        if entry is not None and (not left or text_of(_at(entry, left)) == text_of(_at(root, right))):
            yield from _walk(entry, names[1:], root, f"{at}[{index}]")


def _first(value: Object, paths: tuple[str, ...]) -> str:
    for path in paths:
        parts = [text_of(_at(value, part)) for part in path.removeprefix(UTC_PREFIX).split("+")]
        if all(parts):
            return " ".join(parts)
    return ""


def _codes(value: Object, paths: tuple[str, ...]) -> Iterator[str]:
    for path in paths:
        prefix, _, plain_path = path.rpartition(":")
        code = text_of(_at(value, plain_path))
        if code:
            yield f"{prefix}:{code}" if prefix else code


def _time(item: Object, paths: tuple[str, ...]) -> tuple[object, str]:
    """The first time that there is, with the path that gave it."""
    for path in paths:
        parts = [_at(item, part) for part in path.removeprefix(UTC_PREFIX).split("+")]
        if len(parts) == 1:
            if parts[0] is not None and (not isinstance(parts[0], str) or text_of(parts[0])):
                return parts[0], path
        elif all(text_of(part) for part in parts):
            return " ".join(text_of(part) for part in parts), path
    return None, ""


def layout(raw: Mapping[str, Any]) -> Layout:
    """The layout that a format's `[[layout]]` table describes. ValueError for a name that there is not."""
    fields: dict[str, Any] = {}
    for name, given in raw.items():
        if name not in Layout.__slots__:
            raise ValueError(f"a layout has no {name!r}")
        fields[name] = (
            given
            if isinstance(given, bool) or name == "assumed"
            else tuple([given] if isinstance(given, str) else given)
        )
    return Layout(**fields)
