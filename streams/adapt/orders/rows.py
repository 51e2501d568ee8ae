"""The rows of a table, by a map of columns, into orders: the rows of each together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from streams.adapt.lines import Report, Settings
from streams.adapt.orders.columns import ColumnMap, Columns, lacking, usual
from streams.adapt.orders.entries import said
from streams.adapt.reading import Found
from streams.adapt.reading.paths import field_of
from streams.adapt.times import zone

_SEVERAL = re.compile(r"[,;，；、|\n]+")
_LABEL = re.compile(r"^[^\d:：]{1,8}[:：]\s*")
"""What an export writes before a number: No:7830..."""
_FORMULA = re.compile(r'="(.*)"')
"""How a number is written so that a spreadsheet leaves it alone."""


def orders_in(
    found: Iterable[Found], known: Columns, file: str, settings: Settings, report: Report
) -> tuple[Iterator[Found], Settings]:
    """The orders in the rows of one file, and how to read them: by the user's map, else by the usual names."""
    rows = list(found)
    given = settings.columns
    if given is None:
        given = usual(known, next(filter(None, map(header_of, rows)), ()))
        if given.columns:
            listed = ", ".join(f"{name} = {theirs[0]}" for name, theirs in given.columns.items())
            report.notes.append(f"columns by their usual names: {listed}")
    if given.zone and not settings.given_tz:
        settings = replace(settings, tz=zone(given.zone))
    settings = replace(settings, shop=settings.shop or given.shop)
    return gathered(rows, known, given, file, report), settings


def gathered(found: Iterable[Found], known: Columns, given: ColumnMap, file: str, report: Report) -> Iterator[Found]:
    """An object for each order: what its rows say first under our names, and its `rows`, each with its `parcels`.

    A row without the key, a table without the columns that there have to be, and what holds no rows, are in the report.
    """
    orders: dict[str, dict[str, Any]] = {}
    places: dict[str, str] = {}
    headers: set[tuple[str, ...]] = set()
    words = {"status": known.statuses | given.statuses, "kind": known.kinds | given.kinds,
             "refund_kind": known.kinds | given.kinds}  # fmt: skip
    for document in found:
        rows = list(_rows(document))
        if not rows:
            report.problem(file, document.where, "no rows of a table in it")
        for where, row in rows:
            header = tuple(row)
            if header not in headers:
                headers.add(header)
                if (why := lacking(known, given, header)) is not None:
                    report.problem(file, where, why)
                    report.refusals.append(why)
            ours = _ours(given, row, words)
            key = said(ours.get(known.key))
            if not key:
                report.lacking[f"rows without {known.key}"] += 1
                continue
            places.setdefault(key, where)
            _add(orders.setdefault(key, {"rows": []}), ours)
    for key, order in orders.items():
        yield Found(places[key], order)


def header_of(document: Found) -> tuple[str, ...]:
    """The names in a document's first row; none where it holds no rows of plain cells."""
    row = next((row for _, row in _rows(document)), {})
    return () if any(isinstance(cell, dict | list) for cell in row.values()) else tuple(row)


def _rows(document: Found) -> Iterator[tuple[str, dict[str, Any]]]:
    listed = document.value if isinstance(document.value, list) else [document.value]
    for index, row in enumerate(listed):
        if isinstance(row, dict):
            place = f"[{index}]" if isinstance(document.value, list) else ""
            yield ": ".join(part for part in (document.where, place) if part), row


def _ours(given: ColumnMap, row: Mapping[str, Any], words: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """What a row says, under our names and in our words."""
    ours: dict[str, Any] = {}
    for name, theirs in given.columns.items():
        cells = (_plain(field_of(row, one)) for one in theirs)
        cell = next((cell for cell in cells if cell not in (None, "")), None)
        if cell is not None:
            ours[name] = words[name].get(str(cell).casefold(), cell) if name in words else cell
    numbers = _split(given, row, "tracking_no")
    carriers = _split(given, row, "carrier")
    of_each = carriers if len(carriers) == len(numbers) else carriers[:1] * len(numbers)
    ours["parcels"] = [
        {"tracking_no": _LABEL.sub("", number), "carrier": carrier}
        for number, carrier in zip(numbers, of_each or [""] * len(numbers), strict=True)
    ]
    return ours


def _split(given: ColumnMap, row: Mapping[str, Any], name: str) -> list[str]:
    """All that the columns of `name` say, several in a cell apart."""
    cells = [said(_plain(field_of(row, one))) for one in given.columns.get(name, ())]
    return [part.strip() for cell in cells for part in _SEVERAL.split(cell) if part.strip()]


def _plain(cell: Any) -> Any:
    """A cell without what keeps a spreadsheet from changing it."""
    if not isinstance(cell, str):
        return cell
    text = cell.strip().strip("\ufeff\u200b")
    formula = _FORMULA.fullmatch(text)
    return formula[1].strip() if formula else text.removeprefix("'").strip()


def _add(order: dict[str, Any], row: dict[str, Any]) -> None:
    """Adds a row to its order, which has of each field what a row says first, and an end that its rows agree on."""
    for name, cell in row.items():
        if name != "parcels" and name not in order:
            order[name] = cell
    if row.get("status") != order.get("status"):
        order["status"] = "of several"
    order["rows"].append(row)
