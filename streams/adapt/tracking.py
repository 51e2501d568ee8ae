"""Scans of parcels, as any platform tells them, into `scan` events."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from schemas.events import SCANS
from streams.adapt.lines import MAX_ID, Line, Report, Settings
from streams.adapt.places import without_people
from streams.adapt.reading import documents
from streams.adapt.shapes import Fault, Parcel, Row, Shape
from streams.adapt.tables import UNKNOWN, carrier_name, statuses
from streams.adapt.times import read_time, rfc3339


class _Scan(NamedTuple):
    moment: datetime
    line: Line


def scans(name: str, shape: Shape, path: Path, settings: Settings, report: Report) -> Iterator[Line]:
    """The scans in one file, in the order of their times; a scan that the file repeats goes out once.

    What is no scan is a problem in the report, and the rest goes on. The text never goes out: it names
    people.
    """
    parcels: dict[tuple[str, str], list[_Scan]] = {}
    for document in documents(path, report):
        pieces = 0
        for piece in shape.rows(document):
            pieces += 1
            if isinstance(piece, Fault):
                report.problem(path, piece.where, piece.what)
            elif isinstance(piece, Parcel):
                report.readable += 1
            else:
                _take(name, shape, piece, path, settings, report, parcels)
        if not pieces:
            report.problem(path, document.where, f"nothing of the format {name} in it")
    yield from _in_order(parcels, report)


def _take(
    name: str,
    shape: Shape,
    row: Row,
    path: Path,
    settings: Settings,
    report: Report,
    parcels: dict[tuple[str, str], list[_Scan]],
) -> None:
    number = row.number or settings.tracking_no or (_stem(path) if shape.number_from_file else "")
    carrier = carrier_name(*row.carriers) or carrier_name(settings.carrier or shape.carrier or "") or ""
    try:
        _check_id("tracking number", number)
        _check_id("carrier", carrier)
        moment = read_time(row.time, settings.tz)
    except ValueError as error:
        report.problem(path, row.where, str(error))
        return
    report.readable += 1
    reading = statuses(name).find(carrier, row.codes, row.text)
    if reading.disagree:
        report.disagreements[" ".join(row.codes), without_people(row.text)] += 1
    if reading.status is None:
        report.unknown[" ".join(row.codes), without_people(row.text)] += 1
    line = Line(SCANS, _value(name, number, carrier, moment, reading.status or UNKNOWN, row))
    parcels.setdefault((carrier, number), []).append(_Scan(moment, line))


def _check_id(what: str, value: str) -> None:
    if not value:
        raise ValueError(f"no {what}")
    if len(value) > MAX_ID:
        raise ValueError(f"{what} of more than {MAX_ID} characters")


def _value(name: str, number: str, carrier: str, moment: datetime, status: str, row: Row) -> dict[str, Any]:
    occurred_at = rfc3339(moment)
    fact = "\n".join((number, carrier, moment.astimezone(UTC).isoformat(), status, row.text))
    digest = hashlib.sha256(fact.encode()).hexdigest()[:16]
    value: dict[str, Any] = {
        "event_id": f"{name}:{number[: MAX_ID - len(name) - 18]}:{digest}",
        "type": "scan",
        "occurred_at": occurred_at,
        "tracking_no": number,
        "carrier": carrier,
        "status": status,
    }
    if row.place.facility:
        value["facility"] = row.place.facility
    if row.place.region:
        value["region"] = row.place.region
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
            report.left_out["scans that the file repeats"] += 1
            continue
        seen.add(identity)
        report.count(scan.line)
        yield scan.line


def _stem(path: Path) -> str:
    """A file's name without its endings."""
    name = path.name.removesuffix(".gz")
    for ending in (".json", ".jsonl", ".ndjson", ".txt"):
        name = name.removesuffix(ending)
    return name
