"""Converts any platform's scans of parcels into `scan` events."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from schemas.events import SCANS
from streams.adapt.formats import Fault, Format, Parcel, Row
from streams.adapt.formats.registry import ANY, formats
from streams.adapt.formats.statuses import UNKNOWN
from streams.adapt.lines import MAX_ID, Line, Report, Settings
from streams.adapt.places import without_people
from streams.adapt.reading import Found, lists_in, reason
from streams.adapt.times import read_time, rfc3339, zone_of_text
from streams.carriers import carrier_name

_GUESSED = 20
"""Documents of one input of which it is told what else they may be: each is looked at as every format."""


class _Scan(NamedTuple):
    moment: datetime
    line: Line


class _Read(NamedTuple):
    """A row that can be an event, with its time and the status that its own codes and words give."""

    row: Row
    number: str
    carrier: str
    moment: datetime
    status: str | None


@dataclass(slots=True)
class _Group:
    """A parcel as a document has it, and its rows; `lacking` counts rows without what every event needs."""

    parcel: Parcel | None
    read: list[_Read] = field(default_factory=list)
    rows: int = 0
    lacking: Counter[str] = field(default_factory=Counter)


def scans_of(chosen: Format, found: Iterable[Found], file: str, settings: Settings, report: Report) -> Iterator[Line]:
    """The scans in the documents of one file or body, in the order of their times; a repeated one is emitted once.

    Anything that is not a scan is a problem in the report, and the rest continues. The text is never emitted:
    it names people.
    """
    parcels: dict[tuple[str, str], list[_Scan]] = {}
    unlike = 0
    for document in found:
        groups: list[_Group] = []
        faults = 0
        for piece in chosen.pieces(document):
            if isinstance(piece, Fault):
                faults += 1
                report.problem(file, piece.where, piece.what)
            elif isinstance(piece, Parcel):
                groups.append(_Group(piece))
            else:
                if not groups:
                    groups.append(_Group(None))
                _take(chosen, groups[-1], piece, file, settings, report)
        if not groups and not faults:
            _nothing(chosen, document, file, report, guess=unlike < _GUESSED)
            unlike += 1
        for group in groups:
            _close(chosen, group, document, file, report, parcels, len(groups) + faults > 1)
    yield from _in_order(parcels, report)


def _take(chosen: Format, group: _Group, row: Row, file: str, settings: Settings, report: Report) -> None:
    group.rows += 1
    parcel = group.parcel or Parcel("")
    number = row.number or parcel.number or settings.tracking_no or ""
    assumed = settings.carrier or parcel.assumed or chosen.carrier or ""
    carrier = carrier_name(*row.carriers, *parcel.carriers) or carrier_name(assumed)
    try:
        _check_id("tracking number", number, "--tracking-no")
        _check_id("carrier", carrier or "", "--carrier")
    except ValueError as error:
        group.lacking[str(error)] += 1
        return
    try:
        moment = read_time(
            row.time, zone_of_text(chosen.zones.get(row.zone, row.zone)) or settings.tz, settings.day_first
        )
    except ValueError as error:
        report.problem(file, row.where, str(error))
        report.refusals.append(str(error))
        return
    report.readable += 1
    if settings.latest is not None and moment > settings.latest:
        report.problem(file, row.where, f"more than a day ahead of now: {rfc3339(moment)}")
        return
    reading = chosen.statuses.find(carrier or "", row.codes, row.text)
    if reading.disagree:
        report.disagreements[" ".join(row.codes), without_people(row.text)] += 1
    group.read.append(_Read(row, number, carrier or "", moment, reading.status))


def _close(
    chosen: Format,
    group: _Group,
    document: Found,
    file: str,
    report: Report,
    parcels: dict[tuple[str, str], list[_Scan]],
    several: bool,
) -> None:
    """Makes events of a parcel's rows, and says what is wrong with it as a whole."""
    where = (group.parcel.where if group.parcel else "") or document.where
    for what, count in group.lacking.items():
        report.problem(file, where, f"{what} ({count:,} scans)")
        report.refusals.append(what)
    if group.parcel is not None and not group.rows:
        report.readable += 1
        why = reason(group.parcel.value if several else document.value, parcel=True)
        if why:
            report.problem(file, where, f"no scans: {why}")
    newest_last = bool(group.read) and group.read[0].moment < group.read[-1].moment
    newest = max(reversed(group.read) if newest_last else group.read, key=lambda read: read.moment, default=None)
    for read in group.read:
        status = read.status
        if status is None and read is newest and group.parcel is not None:
            # The state of the parcel is that of its newest scan.
            status = chosen.statuses.find(read.carrier, group.parcel.codes, "").status
        if status is None:
            report.unknown[" ".join(read.row.codes), without_people(read.row.text)] += 1
        line = Line(SCANS, _value(chosen.name, read, status or UNKNOWN))
        parcels.setdefault((read.carrier, read.number), []).append(_Scan(read.moment, line))


def _nothing(chosen: Format, document: Found, file: str, report: Report, *, guess: bool) -> None:
    """Reports why a document has no parcel: the platform's own reason, or, with `guess`, the format it resembles."""
    why = reason(document.value)
    others = sorted(formats().items(), key=lambda entry: entry[0] == ANY) if guess else []
    other = next((name for name, found in others if found is not chosen and _is_of(found, document)), None)
    if other == ANY:
        what = f"nothing of the format {chosen.name} in it{lists_in(document)}; the format {ANY} can read it"
        report.problem(file, document.where, what)
    elif other:
        report.problem(file, document.where, f"nothing of the format {chosen.name} in it; it looks like {other}")
    elif why:
        report.refusals.append(why)
        report.problem(file, document.where, f"no parcel in it: {why}")
    else:
        report.problem(file, document.where, f"nothing of the format {chosen.name} in it{lists_in(document)}")


def _is_of(chosen: Format, document: Found) -> bool:
    if chosen.records is not None and chosen.records.in_document(document):
        return True
    return any(isinstance(piece, Row) and piece.time is not None for piece in chosen.pieces(document))


def _check_id(what: str, value: str, option: str) -> None:
    if not value:
        raise ValueError(f"no {what}: give it by {option}")
    if len(value) > MAX_ID:
        raise ValueError(f"{what} of more than {MAX_ID} characters")


def _value(name: str, read: _Read, status: str) -> dict[str, Any]:
    number, place = read.number, read.row.place
    fact = "\n".join((number, read.carrier, read.moment.astimezone(UTC).isoformat(), status, read.row.text))
    digest = hashlib.sha256(fact.encode()).hexdigest()[:16]
    value: dict[str, Any] = {
        "event_id": f"{name}:{number[: MAX_ID - len(name) - 18]}:{digest}",
        "type": "scan",
        "occurred_at": rfc3339(read.moment),
        "tracking_no": number,
        "carrier": read.carrier,
        "status": status,
    }
    if place.facility:
        value["facility"] = place.facility
    if place.region:
        value["region"] = place.region
    return value


def _in_order(parcels: dict[tuple[str, str], list[_Scan]], report: Report) -> Iterator[Line]:
    ordered: list[_Scan] = []
    for found in parcels.values():
        # Many platforms give the newest first; among equal times the told order, oldest first, is kept.
        newest_first = found[0].moment > found[-1].moment
        ordered.extend(reversed(found) if newest_first else found)
    ordered.sort(key=lambda scan: scan.moment)
    seen: set[str] = set()
    for scan in ordered:
        identity = scan.line.value["event_id"]
        if identity in seen:
            report.repeats += 1
            continue
        seen.add(identity)
        report.count(scan.line)
        yield scan.line
