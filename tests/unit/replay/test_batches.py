"""The quick way through the input says of every line what the slow one says."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.decode import Reason
from schemas.events import CHATS, ORDERS, SCANS
from schemas.times import HOUR, parse
from streams.replay import batches as quick
from streams.replay.batches import Batch, batches, batches_of
from streams.replay.reading import TOPICS, read
from tests.unit.schemas.invalid import INVALID
from tests.unit.schemas.values import AT, VALUES, value

TIGHT, WIDE = (",", ":"), (", ", ": ")


def line(topic: str, raw: bytes, *, wide: bool = False) -> bytes:
    """A line as a program writes it, without its end."""
    comma, colon = WIDE if wide else TIGHT
    return f'{{"topic"{colon}"{topic}"{comma}"value"{colon}'.encode() + raw + b"}"


def whole(parts: Iterable[Batch]) -> Batch:
    """All batches in one; their borders are of no account."""
    one = Batch()
    for part in parts:
        one.events += part.events
        one.dead += part.dead
        one.passed_over.update(part.passed_over)
        one.tombstones += part.tombstones
    return one


def agree(path: Path, now: int | None = None) -> Batch:
    """What both ways say of the input."""
    told = whole(batches(path, now))
    assert told == whole(batches_of(read(path), now))
    return told


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize(("topic", "type_"), list(VALUES))
def test_a_usual_line_is_cut_and_not_parsed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, topic: str, type_: str, wide: bool
) -> None:
    path = tmp_path / "in"
    raw = value(topic, type_, platform="淘宝", unknown={"a": [{}]})
    path.write_bytes((line(topic, raw, wide=wide) + b"\n") * 3)
    slow = whole(batches_of(read(path)))
    monkeypatch.delattr(quick, "tagged")
    assert whole(batches(path)) == slow
    assert [(told, time, kept) for told, _, time, kept, *_ in slow.events] == [(topic, parse(AT), raw)] * 3


@pytest.mark.parametrize(
    "end", [b"\n", b"\r\n", b" \n", b"\t\r\n", b"\x0b\n", b"\r\r\n", b"\x00\n", b"}\n", b",\n", b"1\n"]
)
@pytest.mark.parametrize("beginning", [b"", b" ", b"\r", b"\xef\xbb\xbf", b"\x0b", b"{", b'"'])
def test_what_stands_around_the_object_of_a_line(tmp_path: Path, beginning: bytes, end: bytes) -> None:
    path = tmp_path / "in"
    path.write_bytes(b"".join(beginning + line(topic, value(topic, type_)) + end for topic, type_ in VALUES))
    agree(path)


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize(
    "rest",
    [
        b',"topic":"chats"}', b',"value":{}}', b',"value":null}', b',"x":{}}', b',"x":{"a":1}}', b",}", b"}}", b" }",
        b"\t}", b"", b'}{"a":{}}', b'} {"topic":"orders","value":{}}', b',"x":"\xff"}', b',"topic":5}', b"]}", b"\x00}",
    ],
)  # fmt: skip
def test_what_follows_the_value_in_its_line(tmp_path: Path, rest: bytes, wide: bool) -> None:
    path = tmp_path / "in"
    lines = [line(topic, value(topic, type_), wide=wide)[:-1] + rest for topic, type_ in VALUES]
    path.write_bytes(b"\n".join(lines) + b"\n")
    agree(path)


@pytest.mark.parametrize(
    "raw", [b"", b"null", b" null", b"{}", b"[]", b"5", b'""', b"{", b"}", b"{}}", b"{}{}", b"{ }"]
)
@pytest.mark.parametrize("topic", [*TOPICS, "returns", "", "Orders", "order", "orders "])
def test_a_value_of_another_kind_or_of_no_topic(tmp_path: Path, topic: str, raw: bytes) -> None:
    path = tmp_path / "in"
    path.write_bytes(b"".join(line(topic, raw, wide=wide) + b"\n" for wide in (False, True)))
    agree(path)


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize(("topic", "raw", "reason"), INVALID)
def test_an_invalid_value_is_the_same_dead_letter(
    tmp_path: Path, topic: str, raw: bytes, reason: Reason, wide: bool
) -> None:
    path = tmp_path / "in"
    path.write_bytes(line(topic, raw, wide=wide) + b"\n")
    (dead,) = agree(path).dead
    assert (dead.topic, dead.error_code) == (None if reason is Reason.NOT_JSON else topic, reason)


def test_text_that_is_not_utf_8_is_found_in_the_fields_that_nobody_reads(tmp_path: Path) -> None:
    path = tmp_path / "in"
    raw = value(ORDERS, "order.paid", unknown="U").replace(b"U", b"\xff")
    path.write_bytes(line(ORDERS, raw) + b"\n")
    assert [tuple(dead)[:4] for dead in agree(path).dead] == [(None, 1, "not_json", "not one JSON value in UTF-8")]


@pytest.mark.parametrize(("beside", "reasons"), [(-1, []), (0, []), (1, [Reason.FROM_THE_FUTURE])])
def test_an_event_more_than_24_hours_ahead_of_now_is_told_in_a_file_and_in_a_folder(
    tmp_path: Path, beside: int, reasons: list[str]
) -> None:
    now = parse(AT) - 24 * HOUR - beside
    (tmp_path / "in").write_bytes(line(SCANS, value(SCANS, "scan")) + b"\n")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / f"{SCANS}.jsonl").write_bytes(value(SCANS, "scan") + b"\n")
    for path in (tmp_path / "in", tmp_path / "folder"):
        told = agree(path, now)
        assert [dead.error_code for dead in told.dead] == reasons
        assert len(told.events) == 1 - len(reasons)
        assert told.passed_over == Counter({SCANS: 1} if reasons else {})


def test_lines_are_numbered_over_the_borders_of_what_is_read_at_once(tmp_path: Path) -> None:
    path = tmp_path / "in"
    good = line(SCANS, value(SCANS, "scan", note="n" * 900)) + b"\n"
    path.write_bytes((good * 99 + b"bad\n") * 5)
    told = agree(path)
    assert [dead.line for dead in told.dead] == [100, 200, 300, 400, 500]
    assert len(told.events) == 495


#: Bytes that mean something in a line.
_BYTES = st.sampled_from([*b'{}[]",:\\ \t\r\nntxZ0.5\x00\x0b\x7f', 0x80, 0xC0, 0xE5, 0xFF])
_VALUES = [
    (topic, value(topic, type_, **extra)) for topic, type_ in VALUES for extra in ({}, {"unknown": "好", "n": [1]})
]
_USUAL = [line(topic, raw, wide=wide) for topic, raw in _VALUES for wide in (False, True)]
_BARE = {topic: [raw for own, raw in _VALUES if own == topic] for topic in TOPICS}


@st.composite
def _spoilt(draw: st.DrawFn, usual: list[bytes]) -> bytes:
    """A usual line with some bytes changed, put in or taken out; or a part of it twice."""
    one = bytearray(draw(st.sampled_from(usual)) + draw(st.sampled_from([b"\n", b"\n", b"\r\n", b"", b" \n"])))
    for _ in range(draw(st.integers(0, 3))):
        # Both ends of a line are where the cut is made.
        place = draw(st.one_of(st.integers(0, len(one)), st.integers(0, 40), st.integers(-6, -1)))
        match draw(st.sampled_from(["put", "change", "cut", "twice"])):
            case "put":
                one[place:place] = bytes([draw(_BYTES)])
            case "change":
                one[place : place + 1 or None] = bytes([draw(_BYTES)])
            case "cut":
                del one[place : place + draw(st.integers(1, 30))]
            case _:
                one[place:place] = one[place : place + draw(st.integers(1, 60))]
    return bytes(one)


@settings(deadline=None, derandomize=True, max_examples=150)
@given(st.lists(_spoilt(_USUAL), min_size=1, max_size=12), st.sampled_from([None, parse(AT) - 25 * HOUR, parse(AT)]))
def test_of_spoilt_lines_both_ways_say_the_same(lines: list[bytes], now: int | None) -> None:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "in"
        path.write_bytes(b"".join(lines))
        agree(path, now)


@settings(deadline=None, derandomize=True, max_examples=100)
@given(st.tuples(*(st.lists(_spoilt(_BARE[topic]), max_size=6) for topic in TOPICS)))
def test_of_a_folder_of_spoilt_lines_both_ways_say_the_same(files: tuple[list[bytes], ...]) -> None:
    with tempfile.TemporaryDirectory() as name:
        for topic, lines in zip(TOPICS, files, strict=True):
            (Path(name) / f"{topic}.jsonl").write_bytes(b"".join(lines))
        agree(Path(name))


def test_the_usual_lines_of_other_programs_are_those_that_are_cut() -> None:
    for topic in (ORDERS, SCANS, CHATS):
        for separators in (TIGHT, WIDE):
            told = json.dumps({"topic": topic, "value": {"a": 1}}, separators=separators).encode()
            begins = quick._FORMS[told[: quick._TELLING]]
            assert told.startswith(begins[1])
            assert begins == (topic, begins[1], len(begins[1]))
