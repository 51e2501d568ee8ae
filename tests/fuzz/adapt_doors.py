"""Carriers' and platforms' own data: bodies in every format, pushes, tables with a map."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

import orjson

from schemas.decode import decode
from schemas.events import record_key
from schemas.times import parse
from streams.adapt import Format, Line, Report, adapt_body, format_of, formats, settings_for
from streams.adapt.orders.columns import BadMap, read_map
from streams.adapt.orders.drafting import draft
from streams.adapt.reading import documents_of
from streams.adapt.run import columns_of
from streams.ingest.answers import Outcome, answer
from streams.ingest.bodies import Refused, unpacked
from streams.ingest.pushes import FAULT, INVALID, PARTLY, UNREADABLE, Unread, read_push
from streams.ingest.senders import sender_of
from tests.fuzz.letters import is_exact
from tests.fuzz.pieces import choice, parts

NOW = parse("2026-11-04T00:00:00Z")
_TABLES = ("orders-csv", "tickets-csv")
#: Bytes of a push, as the ingest takes them.
_MOST = 1 << 20
_TOLD = {
    UNREADABLE: re.compile("nothing of the format in it"),
    PARTLY: re.compile(r"[0-9,]+ pieces could not be read"),
}
_REFUSED = re.compile(r"[0-9,]+ events, the first: ([a-z_]+): (.+)")


@cache
def names() -> list[str]:
    """The formats of files and bodies, in the order by which an input chooses one."""
    return sorted(name for name, one in formats().items() if not one.folder)


def _valid(lines: Iterable[Line]) -> int:
    """Asserts that the lines are valid events under ids of their own; their number."""
    ids: set[str] = set()
    for line in lines:
        event, _ = decode(line.topic, orjson.dumps(line.value))
        assert event.event_id not in ids, "an id twice"
        ids.add(event.event_id)
        line.encode()
    return len(ids)


def _something(found: int, report: Report) -> None:
    assert found or report.readable or report.problems or report.lacking, "nothing came of it, and nothing is told"


def body(data: bytes) -> None:
    """A body in a format: valid events, or problems; nothing is raised."""
    which, content = choice(data, len(names()))
    chosen = format_of(names()[which])
    report = Report()
    found = _valid(adapt_body(chosen, content, settings_for(chosen, shop="s", carrier="ZTO"), report))
    _something(found, report)


def push(data: bytes) -> None:
    """A push, perhaps gzipped: valid events, a letter that quotes nothing, and an answer in JSON."""
    which, content = choice(data, len(names()))
    name = names()[which]
    try:
        content = unpacked(content, _MOST) if content.startswith(b"\x1f\x8b") else content
    except Refused as refused:
        assert refused.outcome in (Outcome.TOO_LARGE, Outcome.BAD_BODY)
        return
    assert len(content) <= _MOST
    chosen, vouched = format_of(name), sender_of(name).content(content)
    settings = settings_for(chosen)
    reading = read_push(chosen, vouched, settings, NOW)
    if reading.unread is not None and reading.unread.code == FAULT:
        # What it was, which a push must not tell.
        list(adapt_body(chosen, vouched, settings, Report()))
        raise AssertionError("a fault in reading a push")
    for event in reading.events:
        again, _ = decode(event.topic, event.value, NOW)
        assert record_key(again).encode() == event.key
    outcome = Outcome.ACCEPTED
    if reading.unread is not None:
        outcome = Outcome.DEAD_LETTER
        assert _is_exact(reading.unread), reading.unread
    assert isinstance(orjson.loads(answer(name, outcome, vouched, NOW).body), dict)


def _is_exact(unread: Unread) -> bool:
    if unread.code == INVALID:
        found = _REFUSED.fullmatch(unread.detail)
        return found is not None and is_exact(found[1], found[2])
    return _TOLD[unread.code].fullmatch(unread.detail) is not None


def table(folder: Path) -> Callable[[bytes], None]:
    """A table with a map of its columns: valid events; else one line that says why the map is none."""
    path = folder / "map.toml"

    def door(data: bytes) -> None:
        which, rest = choice(data, len(_TABLES))
        chosen = format_of(_TABLES[which])
        rows, given = parts(rest, 2)
        options = settings_for(chosen, shop="s", carrier="ZTO")
        if given:
            path.write_bytes(given)
            try:
                columns = read_map(path, columns_of(chosen))
            except BadMap as bad:
                assert str(bad).splitlines() == [str(bad)]
                return
            options = settings_for(chosen, shop="s", carrier="ZTO", columns=path)
            assert options.columns == columns
        report = Report()
        _something(_valid(adapt_body(chosen, rows, options, report)), report)
        _drafted(chosen, rows, path)

    return door


def _drafted(chosen: Format, rows: bytes, path: Path) -> None:
    """Asserts that the draft of a map is TOML, of which a person has to name the columns that are lacking alone."""
    known = columns_of(chosen)
    path.write_text(draft(known, documents_of(rows, "", Report()), "t\n.csv"), encoding="utf-8")
    try:
        read_map(path, known)
    except BadMap as bad:
        assert "is the name of a column" in str(bad), bad
