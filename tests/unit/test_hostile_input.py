"""Every kind of hostile input at every door: an exact dead letter, or one clear line, within bounded memory."""

from __future__ import annotations

import gzip
import io
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas.decode import MAX_BYTES
from schemas.events import ORDERS, SCANS
from schemas.times import parse
from streams.adapt import Report, adapt, adapt_body, format_of, settings_for
from streams.adapt.reading import bodies, files, rows
from streams.engine.partitioner import partition_for
from streams.engine.processor import PartitionClock, Record
from streams.ingest.pushes import read_push
from streams.replay.batches import batches
from streams.stages.intake import Counts, Intake
from tests.fuzz.event_doors import native
from tests.unit.schemas.values import fields, value

NOW = parse("2026-11-04T00:00:00Z")
#: Stands for what a case puts in its place.
HERE = "\u2603"
DEEP = b"[" * 30_000 + b"]" * 30_000
LONG = b'"%b"' % (b"x" * 65_000)
DIGITS = b"9" * 60_000
BEYOND = "a number beyond a double's range"


def order(field: str, raw: bytes) -> bytes:
    """An order with the bytes of one field's value."""
    return value(ORDERS, "order.placed", **{field: HERE}).replace(json.dumps(HERE, ensure_ascii=False).encode(), raw)


def item(raw: bytes) -> bytes:
    return value(ORDERS, "order.placed", items=[{"item_id": "i", "category_id": "c", "quantity": 0}]).replace(
        b": 0}", b": " + raw + b"}"
    )


def scan(field: str, raw: bytes) -> bytes:
    return value(SCANS, "scan", **{field: HERE}).replace(json.dumps(HERE, ensure_ascii=False).encode(), raw)


TWICE = b'{"type": "scan", "status": "delivered", "carrier": "X", ' + value(SCANS, "scan")[1:]
FULL = scan("more", b'"%b"' % (b"x" * (MAX_BYTES - len(scan("more", b'""')))))
EVENT = None
NOT_JSON = ("not_json", "not one JSON value in UTF-8")
TOO_LARGE = ("too_large", "more than the 65536 bytes that are allowed")
ILL_TYPED = "ill_typed_field"
#: By what it is: the topic, the value, and the reason and detail of its dead letter; EVENT: it is one.
VALUES: dict[str, tuple[str, bytes, tuple[str, str] | None]] = {
    "nesting": (ORDERS, DEEP, ("not_object", "a JSON value, but not an object")),
    "nesting that ends nowhere": (ORDERS, DEEP[:30_000], NOT_JSON),
    "nesting in a field": (
        SCANS,
        scan("facility", DEEP),
        (ILL_TYPED, "facility: Expected `str | null`, got `array`"),
    ),
    "nesting in an unknown field": (SCANS, scan("more", DEEP), EVENT),
    "1e400": (ORDERS, order("commitment_days", b"1e400"), (ILL_TYPED, f"commitment_days: {BEYOND}")),
    "60,000 digits": (ORDERS, order("commitment_days", DIGITS), (ILL_TYPED, f"commitment_days: {BEYOND}")),
    "60,000 digits in a list": (ORDERS, item(DIGITS), (ILL_TYPED, f"items[0].quantity: {BEYOND}")),
    "60,000 digits in an unknown field": (SCANS, scan("more", DIGITS), EVENT),
    "a number for a text": (SCANS, scan("tracking_no", DIGITS), (ILL_TYPED, f"tracking_no: {BEYOND}")),
    "100,000 digits": (
        SCANS,
        scan("more", b"9" * 100_000),
        TOO_LARGE,
    ),
    "NaN": (ORDERS, order("commitment_days", b"NaN"), NOT_JSON),
    "Infinity": (SCANS, scan("more", b"-Infinity"), NOT_JSON),
    "names twice": (SCANS, TWICE, EVENT),
    "invalid UTF-8": (SCANS, scan("more", b'"\xc3\x28"'), NOT_JSON),
    "half a surrogate pair in UTF-8": (
        SCANS,
        scan("note", b'"\xed\xa0\x80"'),
        NOT_JSON,
    ),
    "half a surrogate pair, escaped": (SCANS, scan("note", b'"\\ud83d"'), EVENT),
    "64 KiB": (SCANS, FULL, EVENT),
    "64 KiB and a byte": (
        SCANS,
        FULL.replace(b"xx", b"xxx", 1),
        TOO_LARGE,
    ),
    "64 KiB in an id": (
        SCANS,
        scan("carrier", b'"%b"' % (b"x" * 65_000)),
        (ILL_TYPED, "carrier: Expected `str` of length <= 128"),
    ),
    "control characters in an id": (SCANS, scan("event_id", b'"\\u0000\\u001b[2J\\u202e\\r\\n"'), EVENT),
    "a raw control character": (SCANS, scan("event_id", b'"\x1b"'), NOT_JSON),
}


def buried(topic: str, raw: bytes) -> tuple[str, str] | None:
    """The reason and the detail of the dead letter that a worker's intake makes of a record; None: it is an event."""
    key = {ORDERS: b"A", SCANS: b"X1"}[topic]
    intake = Intake(partition_for, 1, lambda: NOW, Counts())
    found = list(intake.events(topic, 0, [Record(0, NOW // 1000, key, raw)], PartitionClock(0), lambda *_: False))
    told = [dict(letter.headers) for letter in intake.letters()]
    assert len(found) + len(told) == 1
    return (told[0]["error-code"].decode(), told[0]["error-detail"].decode()) if told else None


@pytest.mark.parametrize("kind", VALUES)
def test_a_value_is_an_event_or_the_same_dead_letter_at_each_door(kind: str, tmp_path: Path) -> None:
    topic, raw, letter = VALUES[kind]
    assert buried(topic, raw) == letter
    if topic == SCANS and letter is not EVENT and native is not None:
        assert native.scan_of(raw) is None
    file = tmp_path / "in.jsonl"
    file.write_bytes(b'{"topic":"%s","value":%s}\n' % (topic.encode(), raw))
    (batch,) = batches(file, NOW)
    told = [(dead.error_code, dead.error_detail) for dead in batch.dead]
    # In a line around it, what is no JSON makes the line none, too.
    assert told == ([] if letter is EVENT else [letter])
    assert len(batch.events) == (letter is EVENT)


# -- pushes and files of carriers


def push(field: str, raw: bytes) -> bytes:
    """A push of kuaidi100 with the bytes of one field's value."""
    inner = {"ftime": "2026-03-04 18:10:00", "context": "到达", "statusCode": "1002"}
    body: dict[str, Any] = {"lastResult": {"nu": "783", "com": "zhongtong", "more": 0, "data": [inner]}}
    (inner if field in inner else body["lastResult"])[field] = HERE
    return json.dumps(body).encode().replace(json.dumps(HERE).encode(), raw)


def bomb(levels: int) -> bytes:
    """A billion laughs: each entity is ten of the one before it."""
    named = "".join(f'<!ENTITY a{level} "{f"&a{level - 1};" * 10}">' for level in range(1, levels))
    return f'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a0 "ha">{named}]><r>&a{levels - 1};</r>'.encode()


def parquet_of(count: int) -> bytes:
    """One word, very often: a few bytes."""
    out = io.BytesIO()
    pq.write_table(pa.table({"nu": pa.array(["x" * 1_000]).dictionary_encode().take(pa.array([0] * count))}), out)
    return out.getvalue()


BLOW_UP = b'<!DOCTYPE r [<!ENTITY a "%b">]><r>%b</r>' % (b"x" * 50_000, b"&a;" * 50_000)
PARAMETER = b'<!DOCTYPE r [<!ENTITY % a SYSTEM "http://127.0.0.1:1/"> %a;]><r/>'
NO_TIME = "lastResult.data[0]: no time: no number within a calendar"
ENTITIES = "XML with entities or external references, which are not read"
TOO_LONG = "lastResult: tracking number of more than 128 characters (1 scans)"
TOO_DEEP = "not JSON: nested too deeply"
EVENTS, UNREADABLE = "", "unreadable"
#: By what it is: the body, the code of its dead letter as a push, and what `adapt` says of it as a file.
BODIES: dict[str, tuple[bytes, str, str]] = {
    "nesting": (b"[" * 500_000, UNREADABLE, TOO_DEEP),
    "nesting in a field": (push("more", DEEP), UNREADABLE, TOO_DEEP),
    "1e400": (push("ftime", b"1e400"), UNREADABLE, NO_TIME),
    "400 digits": (push("ftime", b"9" * 400), UNREADABLE, NO_TIME),
    "100,000 digits": (push("ftime", b"9" * 100_000), UNREADABLE, "not JSON: a number of more than 4,300 digits"),
    "NaN": (push("ftime", b"NaN"), UNREADABLE, NO_TIME),
    "Infinity": (push("ftime", b"-Infinity"), UNREADABLE, NO_TIME),
    "names twice": (push("more", b'1, "nu": "784"'), EVENTS, ""),
    "invalid UTF-8": (push("context", b'"\xc3\x28"'), EVENTS, ""),
    "half a surrogate pair": (push("nu", b'"7\\ud83d"'), EVENTS, ""),
    "64 KiB": (push("context", b'"%b"' % (b"x" * 65_536)), EVENTS, ""),
    "64 KiB in a number": (
        push("nu", b'"%b"' % (b"7" * 65_536)),
        UNREADABLE,
        "lastResult: tracking number of more than 128 characters (1 scans)",
    ),
    "control characters in a number": (push("nu", b'"7\\u0000\\u001b[2J8"'), EVENTS, ""),
    "a billion laughs": (bomb(10), UNREADABLE, ENTITIES),
    "a quadratic blow-up": (
        b'<!DOCTYPE r [<!ENTITY a "%b">]><r>%b</r>' % (b"x" * 50_000, b"&a;" * 50_000),
        UNREADABLE,
        ENTITIES,
    ),
    "an external entity": (b'<!DOCTYPE r [<!ENTITY a SYSTEM "file:///etc/hostname">]><r>&a;</r>', UNREADABLE, ENTITIES),
    "an entity that is a parameter": (
        b'<!DOCTYPE r [<!ENTITY % a SYSTEM "http://127.0.0.1:1/"> %a;]><r/>',
        UNREADABLE,
        ENTITIES,
    ),
    "nesting of XML": (b"<a>" * 20_000 + b"</a>" * 20_000, UNREADABLE, "nested too deeply"),
}


@pytest.mark.parametrize("kind", BODIES)
def test_a_body_gives_events_or_is_told_in_one_line(kind: str, tmp_path: Path) -> None:
    body, code, told = BODIES[kind]
    chosen = format_of("kuaidi100")
    tracemalloc.start()
    reading = read_push(chosen, body, settings_for(chosen), NOW)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert ("" if reading.unread is None else reading.unread.code) == code
    assert len(reading.events) == (code == EVENTS)
    assert peak < 100 * len(body) + (8 << 20)
    file = tmp_path / "in"
    file.write_bytes(body)
    report = Report()
    assert len(list(adapt("kuaidi100", [file], report=report))) == (code == EVENTS)
    assert [str(problem).removeprefix(f"{file}: ") for problem in report.problems] == ([told] if told else [])


def test_what_is_no_text_cannot_be_pushed() -> None:
    report = Report()
    chosen = format_of("any")
    assert not list(adapt_body(chosen, parquet_of(5), settings_for(chosen), report))
    assert [str(problem) for problem in report.problems] == ["is Parquet, which is read from files alone"]


def test_of_a_packed_file_no_more_is_unpacked_than_the_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LARGEST", 1 << 20)
    file = tmp_path / "in.json.gz"
    too_much = "cannot be read: holds more than 1 MiB: unpack it yourself, if that is meant"
    for content, told in (
        (bytes(64 << 20), too_much),
        (push("more", b"1").ljust(1 << 20), ""),
        (
            push("more", b"1").ljust((1 << 20) + 1),
            too_much,
        ),
    ):
        file.write_bytes(gzip.compress(content))
        report = Report()
        tracemalloc.start()
        assert len(list(adapt("kuaidi100", [file], report=report))) == (not told)
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
        tracemalloc.stop()
        assert [problem.what for problem in report.problems] == ([told] if told else [])


def test_of_a_parquet_file_no_more_rows_are_read_than_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "LARGEST", 4 << 20)
    packed = parquet_of(100_000)
    assert len(packed) < 100_000
    before = pa.total_allocated_bytes()
    found = rows.parquet(packed)
    read = [pa.total_allocated_bytes() - before for _, _ in zip(range(4_000), found, strict=False)]
    assert max(read) < 64 << 20
    with pytest.raises(files.Unreadable, match="holds more than 4 MiB: split it, if that is meant"):
        read.extend(0 for _ in found)
    assert len(read) < 5_000


# -- bodies that cost more than they are long


class Counting:
    """A decoder of JSON that counts the characters that it is given."""

    def __init__(self, real: json.JSONDecoder) -> None:
        self._real = real
        self.given = 0

    def raw_decode(self, text: str, at: int = 0) -> tuple[Any, int]:
        self.given += len(text) - at
        return self._real.raw_decode(text, at)


@pytest.mark.parametrize("line", ['{"a', '{"a":1,', '[["a"],', '"{\\"', '{"a":[', 'x {\\"a'])
def test_broken_lines_cost_what_they_are_long(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    counting = Counting(bodies._DECODER)
    monkeypatch.setattr(bodies, "_DECODER", counting)
    text = f"{line}\n" * 4_000
    assert not [body for body in bodies.bodies(text) if not body.fault]
    assert counting.given < 5_000 * 4_000


def test_a_text_is_decoded_no_more_often_than_anybody_encodes(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    real = bodies.unquote_to_bytes
    monkeypatch.setattr(bodies, "unquote_to_bytes", lambda text: calls.append(text) or real(text))
    report, chosen = Report(), format_of("any")
    assert not list(adapt_body(chosen, b"%" + b"25" * 100_000 + b"7b%22a%22:1}", settings_for(chosen), report))
    assert len(calls) < 30


def test_a_body_behind_broken_ones_is_read() -> None:
    good = push("more", b"1").decode()
    text = '[["a"],\n' * 3_000 + "}\n" + good + "\n"
    assert [body.value for body in bodies.bodies(text) if not body.fault][-1] == json.loads(good)


def test_every_field_is_where_the_cases_put_it() -> None:
    assert fields(SCANS, "scan")["status"] == "arrived"
    assert json.loads(push("nu", b'"1"'))["lastResult"]["nu"] == "1"
