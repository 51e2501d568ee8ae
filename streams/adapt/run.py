"""From input files to lines of events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypedDict, Unpack

from schemas.did_you_mean import did_you_mean
from streams.adapt.formats import Format, Row, known
from streams.adapt.formats.registry import ANY, BrokenFormat, find, formats
from streams.adapt.lines import Line, Report, Settings
from streams.adapt.orders.columns import BadMap, Columns, are_usual, read_map
from streams.adapt.orders.drafting import draft
from streams.adapt.orders.events import orders_of
from streams.adapt.orders.records import Records
from streams.adapt.orders.rows import header_of, orders_in
from streams.adapt.reading import Found, documents, documents_of
from streams.adapt.times import zone
from streams.adapt.tracking import scans_of

_SURE = 20
"""Rows of one header that are of one kind, behind which all are taken for it."""

AHEAD = timedelta(days=1)
"""How far ahead of now a time may be, for clocks that are wrong and zones that are not told."""


class InputError(Exception):
    """Invalid arguments: an unknown format or zone, a missing input. Nothing was read."""


class Given(TypedDict, total=False):
    """What an input is read with in place of the format's own.

    `tz` replaces its zone for naive times, `day_first` its way to read 01/04/2016, `columns` (a file of `--map`) the
    names of its columns. With `by_shop` the shop stands before the ids of its orders and buyers. `tracking_no`,
    `carrier` and `shop` apply where the data names none. What is more than a day ahead of `now` is left out, and is
    a problem.
    """

    tz: str | None
    tracking_no: str | None
    carrier: str | None
    shop: str | None
    now: datetime | None
    day_first: bool | None
    columns: Path | None
    by_shop: bool


def adapt(format_name: str, paths: Sequence[Path], *, report: Report, **given: Unpack[Given]) -> Iterator[Line]:
    """The events in `paths`, file by file, each file's in the order of their times; counts go into `report`.

    `format_name` may be the path of a TOML file that describes a format. InputError, before anything is read, for an
    unknown format or zone, a missing input, a folder for a file or the reverse, and one tracking number for several
    inputs.
    """
    chosen = format_of(format_name)
    for path in paths:
        if not path.exists():
            raise InputError(f"no such input: {path}")
        if path.is_dir() != chosen.folder:
            raise InputError(f"{path}: {format_name} takes {'a folder' if chosen.folder else 'files, not a folder'}")
    if given.get("tracking_no") is not None and len(paths) > 1:
        raise InputError("one --tracking-no cannot hold for several inputs")
    settings = settings_for(chosen, **given)
    return _lines(chosen, paths, settings, report)


def adapt_body(chosen: Format, body: bytes, settings: Settings, report: Report) -> Iterator[Line]:
    """The same for one body as a platform pushes it, unpacked: no file, no clock. The format is none of folders."""
    return _of_documents(chosen, documents_of(body, "", report), "", settings, report)


def settings_for(chosen: Format, **given: Unpack[Given]) -> Settings:
    """How to read that format with these. InputError for an unknown zone, or a map that cannot be read."""
    tz, now, day_first, columns = given.get("tz"), given.get("now"), given.get("day_first"), given.get("columns")
    try:
        return Settings(
            tz=zone(tz or chosen.tz),
            given_tz=tz is not None,
            tracking_no=(given.get("tracking_no") or "").strip() or None,
            carrier=(given.get("carrier") or "").strip() or None,
            shop=(given.get("shop") or "").strip() or None,
            latest=now + AHEAD if now else None,
            day_first=chosen.day_first if day_first is None else day_first,
            columns=None if columns is None else read_map(columns, columns_of(chosen)),
            by_shop=given.get("by_shop", False),
        )
    except (ValueError, BadMap) as error:
        raise InputError(str(error)) from error


def format_of(name: str) -> Format:
    """The format of that name, or that the TOML file of that path describes. InputError where there is none."""
    try:
        chosen = find(name)
    except BrokenFormat as error:
        raise InputError(str(error)) from error
    if chosen is None:
        others = "any reads data with usual names of fields, and a path that ends in .toml describes a format"
        meant = did_you_mean(name, known())
        raise InputError(f"unknown format {name!r}{meant}: one of {', '.join(known())}; {others}")
    return chosen


def columns_of(chosen: Format) -> Columns:
    """The columns of a format of tables. InputError for any other."""
    if chosen.records is None or chosen.records.rows is None:
        tables = [name for name, one in formats().items() if one.records is not None and one.records.rows is not None]
        raise InputError(f"{chosen.name} has no columns to map; {' and '.join(tables)} have")
    return chosen.records.rows


def draft_map(format_name: str, path: Path, report: Report) -> str:
    """A map of the columns of a table, drafted from their names, as TOML. InputError where there is no table."""
    known_columns = columns_of(format_of(format_name))
    if not path.is_file():
        raise InputError(f"no such file: {path}")
    found = [one for one in documents(path, report) if header_of(one)]
    if not found:
        raise InputError(f"{path}: no table in it")
    return draft(known_columns, found, path.name)


def _lines(chosen: Format, paths: Sequence[Path], settings: Settings, report: Report) -> Iterator[Line]:
    for path in paths:
        if chosen.read is not None:
            yield from chosen.read(path, settings, report)
        else:
            yield from _of_documents(chosen, documents(path, report), str(path), settings, report)


def _of_documents(
    chosen: Format, found: Iterable[Found], file: str, settings: Settings, report: Report
) -> Iterator[Line]:
    if chosen.name == ANY:
        yield from _of_any(chosen, found, file, settings, report)
    elif chosen.records is not None:
        yield from _orders(chosen.name, chosen.records, found, file, settings, report)
    else:
        yield from scans_of(chosen, found, file, settings, report)


def _orders(
    name: str, records: Records, found: Iterable[Found], file: str, settings: Settings, report: Report
) -> Iterator[Line]:
    if records.rows is not None:
        found, settings = orders_in(found, records.rows, file, settings, report)
    yield from orders_of(name, records, found, file, settings, report)


def _of_any(chosen: Format, found: Iterable[Found], file: str, settings: Settings, report: Report) -> Iterator[Line]:
    """Documents of orders by the format that knows them, the rest as scans."""
    tellers = [(one, one.records) for one in formats().values() if one.records is not None]
    of_orders: dict[str, list[Found]] = {}
    rest: list[Found] = []
    # The rows of a table are of one kind: behind its first ones it is known, unless these disagree.
    header: tuple[str, ...] = ()
    name: str | None = None
    alike = 0
    for document in found:
        names = header_of(document)
        if not names or names != header or alike < _SURE:
            other = next((one.name for one, records in tellers if _holds(records, document, chosen)), None)
            alike = alike + 1 if names == header and other == name else 1
            header, name = names, other
        (rest if name is None else of_orders.setdefault(name, [])).append(document)
    for one, records in tellers:
        if one.name in of_orders:
            own = settings if settings.given_tz else replace(settings, tz=zone(one.tz))
            yield from _orders(one.name, records, of_orders[one.name], file, own, report)
    yield from scans_of(chosen, rest, file, settings, report)


def _holds(records: Records, document: Found, scans: Format) -> bool:
    """Whether a document is of these orders; rows with usual names only where they are no scans."""
    if records.rows is None:
        return records.in_document(document)
    return are_usual(records.rows, header_of(document)) and not any(
        isinstance(piece, Row) and piece.time is not None for piece in scans.pieces(document)
    )
