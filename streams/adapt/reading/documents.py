"""The documents of a file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from streams.adapt.lines import Report
from streams.adapt.reading import rows
from streams.adapt.reading.bodies import Body, bodies, opened, value_of
from streams.adapt.reading.files import Unreadable, read_bytes, text_of_bytes
from streams.adapt.reading.search import Found
from streams.adapt.reading.xml import xml_value

_ZIP = b"PK\x03\x04"
_PYTHON = re.compile(r"[{\[]\s*'\w+'\s*:")
_HTML = re.compile(r"\s*<(?:(?i:!doctype html|html)|head|HEAD|body|BODY)\b")
"""A web page; `Body` is what SOAP calls its content."""


def documents(path: Path, report: Report) -> Iterator[Found]:
    """The documents of a file, opened: one as a whole, a body a line, bodies in a log, or the rows of a table.

    What cannot be read is a problem in the report, with where it is. The file's name says nothing.
    """
    try:
        raw = read_bytes(path)
    except OSError as error:
        report.problem(path, "", f"cannot be read: {error.strerror or error}")
    else:
        yield from _told(
            _rows(raw) if raw.startswith(rows.PARQUET) else _documents(raw, str(path), report), path, report
        )


def documents_of(raw: bytes, file: str, report: Report) -> Iterator[Found]:
    """The same of text that somebody sends, unpacked; `file` is what problems in it name.

    Parquet is none: it is packed, and nobody pushes it.
    """
    yield from _told(_documents(raw, file, report), file, report)


def _told(found: Iterator[Found], file: object, report: Report) -> Iterator[Found]:
    """What is found, up to where it cannot be read, which is a problem."""
    try:
        yield from found
    except Unreadable as error:
        report.problem(file, "", str(error))


def _rows(raw: bytes) -> Iterator[Found]:
    for number, row in enumerate(rows.parquet(raw), 1):
        yield Found(f"row {number}", row)


def _documents(raw: bytes, file: str, report: Report) -> Iterator[Found]:
    if raw.startswith(rows.PARQUET):
        raise Unreadable("is Parquet, which is read from files alone")
    if raw.startswith(_ZIP):
        raise Unreadable("is an Excel workbook or an archive: save it as CSV, or unpack it")
    text = text_of_bytes(raw).lstrip("\ufeff")
    if not text.strip():
        raise Unreadable("is empty")
    if _HTML.match(text):
        raise Unreadable("is a web page, no data")
    whole = _whole(text)
    if whole is not None:
        yield whole
        return
    table = rows.table(text)
    if table is not None:
        line = 0
        for line, row in table:
            yield Found(f"line {line}", opened(row))
        if not line:
            raise Unreadable("is a header without rows")
        return
    yield from _from_lines(file, text, report)


def _whole(text: str) -> Found | None:
    try:
        return Found("", opened(xml_value(text.strip())) if text.lstrip().startswith("<") else value_of(text))
    except ValueError:
        return None


def _from_lines(file: str, text: str, report: Report) -> Iterator[Found]:
    faults: list[Body] = []
    good = False
    for body in bodies(text):
        if body.fault:
            faults.append(body)
            if not good:
                continue
        else:
            good = True
        _tell(file, faults, report)
        if not body.fault:
            yield Found(f"line {body.line}", body.value)
    if not good:
        # A broken document over many lines is one problem, not one a line.
        if _PYTHON.search(text):
            raise Unreadable("is a Python dict, no JSON: write it with json.dumps")
        first = next((fault.fault for fault in faults if fault.fault != "no JSON in it"), "no JSON, XML or table in it")
        report.problem(file, "", first)


def _tell(file: str, faults: list[Body], report: Report) -> None:
    for fault in faults:
        report.problem(file, f"line {fault.line}", fault.fault)
    faults.clear()
