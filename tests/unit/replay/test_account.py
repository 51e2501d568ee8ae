"""A replay says at its end what it found, and what an input is instead that holds hardly an event."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from schemas.decode import MAX_BYTES
from streams.replay.packed import zstd
from streams.replay.reading import LONGEST, MissingInput, read
from tests.unit.cli import environment, run
from tests.unit.rules.timeline import Timeline, days
from tests.unit.schemas.values import fields

PAID = fields("orders", "order.paid")
TAGGED = {"topic": "orders", "value": PAID}


def line(value: object) -> str:
    return json.dumps(value, separators=(",", ":")) + "\n"


def said(source: Path) -> str:
    done = run("replay", str(source), "--out", str(source.parent / "out"))
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_counts_alerts_and_the_three_most_frequent_reasons_are_told(tmp_path: Path) -> None:
    events = Timeline().paid(0).shipped(0).scan("departed", days(30)).events
    source = tmp_path / "in.jsonl"
    bad = ["not json\n"] * 2 + ["[]\n"] + [line({"topic": "orders", "value": {}})] * 3 + [line({"topic": "x"})]
    source.write_text(
        "".join(line({"topic": topic, "value": json.loads(value)}) for topic, value in events * 3) + "".join(bad)
    )
    told = said(source).splitlines()
    assert told[0].startswith("events: 9 (")
    assert told[1].startswith("alerts: ")
    assert told[2:] == [
        "dead letters: 7",
        "  missing_field 3, first in line 13: type: missing",
        "  not_json 2, first in line 10: not one JSON value in UTF-8",
        "  not_object 1, first in line 12: a JSON value, but not an object",
        "  and 1 for other reasons",
        f"written to {tmp_path / 'out'}",
    ]


INSTEAD: list[tuple[str, bytes, str]] = [
    ("in.jsonl", line(PAID).encode() * 3, "name the file orders.jsonl"),
    ("in.jsonl", json.dumps([TAGGED, TAGGED]).encode(), "one JSON array"),
    ("in.jsonl", json.dumps(TAGGED, indent=1).encode(), "JSON over several lines"),
    ("in.jsonl", line({**TAGGED, "value": json.dumps(PAID)}).encode(), "lines whose values are text"),
    ("in.jsonl", line({**TAGGED, "topic": "order"}).encode(), "lines of other topics"),
    ("in.jsonl", line({"specversion": "1.0", "type": "parcelwatch.shipment.stalled.v1"}).encode(), "alerts"),
    ("in.jsonl", line({"topic": None, "line": 1, "error_code": "not_json"}).encode(), "dead letters"),
    ("in.jsonl", line({"nu": "1", "com": "sf", "data": []}).encode(), "parcelwatch adapt"),
    ("in.jsonl", b"a,b\n1,2\n", "a table with columns"),
    ("in.jsonl", b"hello\n", "text that is no JSON"),
    ("in.jsonl", b"5\n", "JSON, but no objects"),
    ("in.jsonl", gzip.compress(line(TAGGED).encode()), "a gzip file"),
    ("in.jsonl", zstd.compress(line(TAGGED).encode()), "a Zstandard file"),
    ("in.jsonl", b"PAR1" + bytes(50), "a Parquet file"),
    ("in.jsonl", b"\0\1\2\n", "a binary file"),
    ("in.jsonl", line(TAGGED).encode("utf-16"), "UTF-16"),
    ("in.jsonl", b"", "the input holds no lines"),
    ("in.jsonl", b"\n\n", "the input holds no lines"),
]


@pytest.mark.parametrize(("name", "content", "instead"), INSTEAD, ids=[instead for _, _, instead in INSTEAD])
def test_an_input_that_is_something_else_is_told(tmp_path: Path, name: str, content: bytes, instead: str) -> None:
    (tmp_path / name).write_bytes(content)
    assert instead in said(tmp_path / name)


def test_so_is_a_folder_whose_files_hold_something_else(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "orders.jsonl").write_text(line(TAGGED))
    assert "give the file itself, not its folder (orders.jsonl)" in said(folder)
    (folder / "orders.jsonl").write_text(line(fields("chats", "ticket.opened")))
    assert "events of chats, whose file has another name (orders.jsonl)" in said(folder)


def test_nothing_is_guessed_where_most_lines_are_events(tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text(line(TAGGED) * 2 + "no\n" * 2)
    assert "looks like" not in said(source)


# -- odd inputs


@pytest.mark.parametrize("name", ["orders.jsonl", "chats.jsonl.gz"])
@pytest.mark.parametrize(
    ("kind", "what"), [("pipe", "no regular file"), ("folder", "a folder"), ("link", "a link to nothing")]
)
def test_what_bears_a_files_name_and_is_none_is_an_error(tmp_path: Path, name: str, kind: str, what: str) -> None:
    (tmp_path / "logistics-scans.jsonl").write_text("")
    odd = tmp_path / name
    if kind == "pipe":
        os.mkfifo(odd)
    elif kind == "folder":
        odd.mkdir()
    else:
        odd.symlink_to("nowhere")
    for command in (("replay",), ("explain", "A"), ("compare", "--policy", "default", "--policy", "tmall-2026")):
        done = run(*command, str(tmp_path), "--out", str(tmp_path / "out")) if command == ("replay",) else run(
            *command, str(tmp_path))  # fmt: skip
        assert (done.returncode, done.stderr) == (2, f"parcelwatch: {odd}: {what}\n")


def test_two_files_of_one_topic_are_an_error(tmp_path: Path) -> None:
    for name in ("orders.jsonl", "orders.jsonl.gz"):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(MissingInput, match=r"orders\.jsonl and .*orders\.jsonl\.gz: only one of them"):
        list(read(tmp_path))


def test_a_link_to_a_file_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text(line(PAID))
    (tmp_path / "orders.jsonl").symlink_to("elsewhere")
    assert len(list(read(tmp_path))) == 1


# -- lines without end


def test_lines_are_cut_at_the_same_length_wherever_a_chunk_ends(tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    for before in (0, 1, 60_000, 65_535, 65_536, 70_000):
        for length in (LONGEST - 1, LONGEST, LONGEST + 1, 2 * LONGEST, 5 * LONGEST):
            start = '{"topic":"orders","x":"' + "x" * (before - 50) + '"}\n' if before else ""
            middle = '{"topic":"orders","value":{"a":"' + "y" * (length - 36) + '"}}\n'
            source.write_text(start + middle + line(TAGGED))
            assert len(middle) == length
            *_, long, last = read(source)
            assert last.topic == "orders"
            assert len(long.value or b"") > MAX_BYTES
            assert long.number == last.number - 1


BOMB = """
import gzip, resource, sys
from pathlib import Path
from streams.replay.reading import read
import streams.replay.run, streams.explain.subject
used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
found = [(line.number, line.topic, line.reason) for line in read(Path(sys.argv[1]))]
print(found, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - used)
"""


@pytest.mark.parametrize("suffix", [".gz", ".zst", ""])
def test_a_line_of_600_mb_is_one_dead_letter_and_is_never_held(tmp_path: Path, suffix: str) -> None:
    source = tmp_path / f"in.jsonl{suffix}"
    opened = {"": open, ".gz": gzip.open, ".zst": zstd.open}[suffix]
    with opened(source, "wb") as out:
        out.write(line(TAGGED).encode() + b'{"note":"')
        for _ in range(600 if suffix else 60):
            out.write(bytes(1 << 20))
        out.write(b"\n" + line(TAGGED).encode())
    done = subprocess.run(
        [sys.executable, "-c", BOMB, str(source)], check=True, capture_output=True, text=True, env=environment()
    )
    found, grown = done.stdout.rsplit(" ", 1)
    assert found == "[(1, 'orders', None), (2, None, <Reason.TOO_LARGE: 'too_large'>), (3, 'orders', None)]"
    assert int(grown) < 64 << 10
