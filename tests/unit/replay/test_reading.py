"""The input of a replay: one file or a folder, plain or packed, whole or not."""

from __future__ import annotations

import gzip
import json
import re
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest

from schemas.decode import Reason
from schemas.events import CHATS, ORDERS, SCANS
from streams.replay.packed import zstd
from streams.replay.reading import Line, MissingInput, read, size

WITH_CHECKSUM = {zstd.CompressionParameter.checksum_flag: 1}


def tagged(number: int, topic: str = ORDERS) -> bytes:
    return json.dumps({"topic": topic, "value": {"n": number}}).encode()


def value(number: int) -> bytes:
    return json.dumps({"n": number}).encode()


def packed(path: Path, content: bytes) -> Path:
    """Writes a file in the form that its name tells."""
    match path.suffix:
        case ".gz":
            content = gzip.compress(content)
        case ".zst":
            content = zstd.compress(content)
    path.write_bytes(content)
    return path


# -- one file


@pytest.mark.parametrize("name", ["in.jsonl", "in.jsonl.gz", "in.jsonl.zst", "anything"])
def test_one_file_plain_or_packed(tmp_path: Path, name: str) -> None:
    path = packed(tmp_path / name, tagged(1) + b"\n" + tagged(2, CHATS) + b"\n")
    assert list(read(path)) == [Line(1, ORDERS, value(1)), Line(2, CHATS, value(2))]
    assert size(path) == path.stat().st_size


def test_several_frames_of_a_packed_file_are_one_input(tmp_path: Path) -> None:
    for name, pack in (("a.gz", gzip.compress), ("a.zst", zstd.compress)):
        path = tmp_path / name
        path.write_bytes(pack(tagged(1) + b"\n") + pack(tagged(2) + b"\n"))
        assert [line.value for line in read(path)] == [value(1), value(2)]


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n", b"\n\n", b"\n \t \r\n"])
@pytest.mark.parametrize("between", [b"\n", b"\r\n", b"\n\n\n", b"\n  \n\t\r\n"])
def test_blank_lines_are_passed_over_and_counted_in_the_numbers(tmp_path: Path, between: bytes, end: bytes) -> None:
    path = packed(tmp_path / "in", b"\n" + tagged(1) + between + tagged(2) + end)
    assert list(read(path)) == [Line(2, ORDERS, value(1)), Line(2 + between.count(b"\n"), ORDERS, value(2))]


def test_an_empty_file_has_no_lines(tmp_path: Path) -> None:
    for name in ("in.jsonl", "in.jsonl.gz", "in.jsonl.zst"):
        assert list(read(packed(tmp_path / name, b""))) == []


@pytest.mark.parametrize(
    ("line", "topic", "reason"),
    [
        (b"not json", None, Reason.NOT_JSON),
        (tagged(1)[:-1], None, Reason.NOT_JSON),
        (tagged(1) + tagged(2), None, Reason.NOT_JSON),
        (b'{"topic":"orders","value":{"a":"\xff"}}', None, Reason.NOT_JSON),
        (b'{"topic":"orders","value":{},"x":"\xff"}', None, Reason.NOT_JSON),
        (b'{"topic":"orders","value":{"a":1,}}', None, Reason.NOT_JSON),
        (b"[" * 50_000, None, Reason.NOT_JSON),
        (b"[]", None, Reason.NOT_OBJECT),
        (b"5", None, Reason.NOT_OBJECT),
        (b"null", None, Reason.NOT_OBJECT),
        (b"{}", None, Reason.UNKNOWN_TOPIC),
        (b'{"value":{}}', None, Reason.UNKNOWN_TOPIC),
        (b'{"topic":"returns","value":{}}', None, Reason.UNKNOWN_TOPIC),
        (b'{"topic":"Orders","value":{}}', None, Reason.UNKNOWN_TOPIC),
        (b'{"topic":null,"value":{}}', None, Reason.UNKNOWN_TOPIC),
        (b'{"topic":5,"value":{}}', None, Reason.UNKNOWN_TOPIC),
        (b'{"topic":"orders"}', ORDERS, Reason.MISSING_FIELD),
    ],
)
def test_a_line_without_a_value_says_why_and_the_next_one_is_read(
    tmp_path: Path, line: bytes, topic: str | None, reason: Reason
) -> None:
    path = packed(tmp_path / "in", tagged(1) + b"\n" + line + b"\n" + tagged(3) + b"\n")
    first, bad, last = read(path)
    assert (first, last) == (Line(1, ORDERS, value(1)), Line(3, ORDERS, value(3)))
    assert (bad.number, bad.topic, bad.value, bad.reason) == (2, topic, None, reason)
    assert bad.detail


def test_the_value_is_the_very_bytes_of_the_line_whatever_else_the_line_has(tmp_path: Path) -> None:
    path = packed(tmp_path / "in", b'{"note":[1], "value" : { "b" : 1 , "a":"\\u597d" } ,"topic":"chats"}')
    (line,) = read(path)
    assert line == Line(1, CHATS, b'{ "b" : 1 , "a":"\\u597d" }')


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (rb'{"topic":"chats","topic":"orders","value":{"a":1}}', b'{"a":1}'),
        (rb'{"topic":5,"topic":"orders","value":1,"value": {"a":2} }', b'{"a":2}'),
        (rb'{"topic":"orders","value":{"a":"\ud83d"}}', rb'{"a":"\ud83d"}'),
        (rb'{"topic":"orders","x":"\ud83d","value":null}', b"null"),
        (rb'{"topic":"orders","value":{"a":1e999}}', b'{"a":1e999}'),
        (b'{"topic":"orders","value":' + b"[" * 9_000 + b"]" * 9_000 + b"}", b"[" * 9_000 + b"]" * 9_000),
        (rb'{"topic":"orders","value":[{"value":1},"\ud83d"], "x":{"value":{"topic":3}}}', rb'[{"value":1},"\ud83d"]'),
    ],
)
def test_a_line_is_read_as_most_libraries_read_json(tmp_path: Path, line: bytes, text: bytes) -> None:
    assert list(read(packed(tmp_path / "in", line + b"\n"))) == [Line(1, ORDERS, text)]


# -- a folder


def event(at: str | None, name: str, **more: Any) -> bytes:
    return json.dumps({**({} if at is None else {"occurred_at": at}), "n": name, **more}).encode()


def names(path: Path) -> str:
    """The names of the events, in order."""
    return "".join(json.loads(line.value or b"{}").get("n", "?") for line in read(path))


def folder(tmp_path: Path, **files: list[bytes]) -> Path:
    for topic, lines in files.items():
        (tmp_path / f"{topic.replace('_', '-')}.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))
    return tmp_path


def test_the_heads_of_a_folders_files_are_merged_by_time(tmp_path: Path) -> None:
    path = folder(
        tmp_path,
        orders=[event("2026-01-01T00:00:00Z", "a"), event("2026-01-01T03:00:00Z", "d")],
        logistics_scans=[event("2026-01-01T10:00:00+08:00", "c")],
        chats=[event("2026-01-01T01:00:00Z", "b"), event("2026-01-01T04:00:00Z", "e")],
    )
    assert names(path) == "abcde"


def test_a_tie_goes_to_orders_then_scans_then_chats(tmp_path: Path) -> None:
    at = "2026-01-01T00:00:00Z"
    path = folder(
        tmp_path, chats=[event(at, "e"), event(at, "f")], logistics_scans=[event(at, "c"), event(at, "d")],
        orders=[event(at, "a"), event(at, "b")],
    )  # fmt: skip
    assert names(path) == "abcdef"


def test_a_line_out_of_order_holds_back_what_is_behind_it_in_its_own_file_alone(tmp_path: Path) -> None:
    path = folder(
        tmp_path,
        orders=[event("2026-01-01T05:00:00Z", "d"), event("2026-01-01T00:00:00Z", "e")],
        chats=[
            event("2026-01-01T01:00:00Z", "a"),
            event("2026-01-01T02:00:00Z", "b"),
            event("2026-01-01T04:00:00Z", "c"),
        ],
    )
    assert names(path) == "abcde"


@pytest.mark.parametrize(
    "head",
    [
        event(None, "x"),
        event("yesterday", "x"),
        event("2026-01-01T05:00:00", "x"),
        b'{"occurred_at":5,"n":"x"}',
        b'{"occurred_at":null,"n":"x"}',
    ],
)
def test_a_head_without_a_valid_time_goes_first(tmp_path: Path, head: bytes) -> None:
    path = folder(
        tmp_path,
        orders=[event("2026-01-01T00:00:00Z", "a"), event("2026-01-01T02:00:00Z", "c")],
        chats=[event("2026-01-01T01:00:00Z", "b"), head, event("2026-01-01T03:00:00Z", "d")],
    )
    assert names(path) == "abxcd"


def test_of_two_heads_without_a_time_the_topic_decides(tmp_path: Path) -> None:
    path = folder(tmp_path, chats=[event(None, "b")], orders=[event(None, "a"), event("2026-01-01T00:00:00Z", "c")])
    assert names(path) == "abc"


def test_what_is_no_json_is_a_line_all_the_same(tmp_path: Path) -> None:
    path = folder(tmp_path, orders=[event("2026-01-01T00:00:00Z", "a"), b"{oops", b"\xff", b"[]", b"null"])
    lines = list(read(path))
    assert [line.number for line in lines] == [1, 2, 3, 4, 5]
    assert [line.value for line in lines[1:]] == [b"{oops", b"\xff", b"[]", b"null"]
    assert {line.topic for line in lines} == {ORDERS}


def test_lines_of_a_folder_are_numbered_in_their_own_file_and_stripped(tmp_path: Path) -> None:
    (tmp_path / "orders.jsonl").write_bytes(b"\r\n\n  " + event("2026-01-01T00:00:00Z", "a") + b"  \r\n\n")
    (tmp_path / "chats.jsonl").write_bytes(event("2026-01-02T00:00:00Z", "b"))
    assert [(line.topic, line.number) for line in read(tmp_path)] == [(ORDERS, 3), (CHATS, 1)]
    assert next(line.value for line in read(tmp_path)) == event("2026-01-01T00:00:00Z", "a")


@pytest.mark.parametrize("suffix", ["", ".gz", ".zst"])
@pytest.mark.parametrize("topic", [ORDERS, SCANS, CHATS])
def test_any_file_of_a_folder_may_be_missing_or_packed(tmp_path: Path, topic: str, suffix: str) -> None:
    path = packed(tmp_path / f"{topic}.jsonl{suffix}", event("2026-01-01T00:00:00Z", "a") + b"\n")
    (tmp_path / "README.txt").write_text("not read")
    assert [(line.topic, line.number) for line in read(tmp_path)] == [(topic, 1)]
    assert size(tmp_path) == path.stat().st_size


# -- nothing to read


def test_a_path_that_is_not_there_or_an_empty_folder_is_named_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "nowhere", tmp_path / "empty"):
        with pytest.raises(MissingInput) as caught:
            size(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["in.gz", "in.zst"])
def test_a_packed_file_that_is_none_is_named_in_one_line(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"this is not packed")
    with pytest.raises(MissingInput) as caught:
        list(read(path))
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["in.gz", "in.zst"])
@pytest.mark.parametrize("keep", [0.001, 0.5, 0.999])
def test_a_packed_file_that_is_cut_off_is_not_taken_for_the_whole(tmp_path: Path, name: str, keep: float) -> None:
    path = packed(tmp_path / name, b"".join(tagged(number) + b"\n" for number in range(5000)))
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep)])
    with pytest.raises(MissingInput, match=re.escape(name)):
        list(read(path))


@pytest.mark.parametrize("spoilt", [b"\xff" * 64, bytes(64)], ids=["ones", "zeros"])
@pytest.mark.parametrize("name", ["in.gz", "in.zst"])
def test_a_packed_file_that_is_spoilt_in_its_midst_is_named_in_one_line(
    tmp_path: Path, name: str, spoilt: bytes
) -> None:
    random, path = Random(1), tmp_path / name
    pack = gzip.compress if name == "in.gz" else partial(zstd.compress, options=WITH_CHECKSUM)
    content = pack(b"".join(tagged(random.getrandbits(60)) + b"\n" for _ in range(5000)))
    half = len(content) // 2
    path.write_bytes(content[:half] + spoilt + content[half + 64 :])
    with pytest.raises(MissingInput) as caught:
        list(read(path))
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_frames_that_hold_nothing_are_passed_over(tmp_path: Path) -> None:
    frame = zstd.compress
    nothing = b"\x50\x2a\x4d\x18\x04\x00\x00\x00none"
    path = tmp_path / "in.zst"
    path.write_bytes(nothing + frame(tagged(1) + b"\n") + nothing + frame(b"") + frame(tagged(2) + b"\n") + nothing)
    assert [line.value for line in read(path)] == [value(1), value(2)]


@pytest.mark.parametrize("name", ["in.gz", "in.zst"])
def test_what_unpacks_to_much_more_than_is_read_at_once(tmp_path: Path, name: str) -> None:
    lines = [tagged(number % 3) for number in range(30_000)]
    path = packed(tmp_path / name, b"\n".join(lines))
    assert [line.value for line in read(path)] == [value(number % 3) for number in range(30_000)]


def test_progress_tells_no_more_than_there_is(tmp_path: Path) -> None:
    path = packed(tmp_path / "in", b"".join(tagged(number) + b"\n" for number in range(20_000)))
    told: list[int] = []
    assert sum(1 for _ in read(path, told.append)) == 20_000
    assert told
    assert all(step >= 0 for step in told)
    assert sum(told) <= size(path)
