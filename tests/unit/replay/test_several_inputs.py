"""Several inputs are one: merged by the times of their heads, each in its own order."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from streams.cli.main import command_of
from streams.replay.batches import batches
from streams.replay.reading import read


def line(topic: str, type_: str, at: str, **fields: Any) -> str:
    value = {"event_id": f"{type_}-{at}", "type": type_, "occurred_at": f"2026-03-{at}:00Z", **fields}
    return json.dumps({"topic": topic, "value": value}) + "\n"


def scan(at: str, status: str = "in_transit", **fields: Any) -> str:
    return line("logistics-scans", "scan", at, tracking_no="T1", carrier="ZTO", status=status, **fields)


def shipped(at: str) -> str:
    return line("orders", "order.shipped", at, order_id="A", shop_id="s", tracking_no="T1", carrier="ZTO")


def ticket(at: str) -> str:
    return line("chats", "ticket.opened", at, ticket_id="K", shop_id="s", kind="other")


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """An export of orders, a carrier's pushes, in which one comes late, and tickets."""
    contents = {
        "orders.out": [shipped("01T08:00")],
        "scans.out": [scan("01T09:00"), scan("03T09:00"), scan("02T09:00"), scan("02T10:00")],
        "tickets.out": [ticket("01T09:00"), ticket("02T12:00")],
    }
    for name, lines in contents.items():
        (tmp_path / name).write_text("".join(lines))
    return [tmp_path / name for name in contents]


def invoke(command: str, *arguments: object) -> Result:
    return CliRunner().invoke(command_of(command), [str(argument) for argument in arguments])


def heads(sources: list[Path]) -> list[tuple[str, int]]:
    return [(Path(found.file or "").name, found.number) for found in read(sources)]


def test_heads_go_by_time_and_each_file_keeps_its_order(files: list[Path]) -> None:
    assert heads(files) == [
        ("orders.out", 1),
        ("scans.out", 1),
        ("tickets.out", 1),
        ("tickets.out", 2),
        ("scans.out", 2),
        ("scans.out", 3),
        ("scans.out", 4),
    ]


def test_a_tie_goes_by_topic_and_then_in_the_order_given(tmp_path: Path) -> None:
    for name, text in (("a", ticket("01T08:00")), ("b", scan("01T08:00")), ("c", scan("01T08:00"))):
        (tmp_path / name).write_text(text)
    assert heads([tmp_path / name for name in "abc"]) == [("b", 1), ("c", 1), ("a", 1)]
    assert heads([tmp_path / name for name in "cab"]) == [("c", 1), ("b", 1), ("a", 1)]


def test_batches_have_the_lines_in_the_order_in_which_they_are_read(files: list[Path], tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    value = json.loads(shipped("01T08:30"))["value"]
    (folder / "orders.jsonl").write_text(f"{json.dumps(value)}\nx\n\n")
    sources = [*files, folder]
    read_lines = [(found.file, found.number) for found in read(sources) if found.topic]
    events = [(event[5], event[4]) for batch in batches(sources) for event in batch.events]
    dead = [(letter.file, letter.line) for batch in batches(sources) for letter in batch.dead]
    assert dead == [(str(folder / "orders.jsonl"), 2)]
    assert [one for one in read_lines if one not in dead] == events


def test_several_inputs_give_what_one_file_of_them_all_gives(files: list[Path], tmp_path: Path) -> None:
    merged = tmp_path / "merged.out"
    merged.write_bytes(
        b"".join(b'{"topic":"%s","value":%s}\n' % ((one.topic or "").encode(), one.value or b"") for one in read(files))
    )
    for native in ("auto", "off"):
        several = invoke(
            "replay", *files, "--out", tmp_path / "several", "--until", "2026-03-20T00:00:00Z", "--native", native
        )
        single = invoke(
            "replay", merged, "--out", tmp_path / "single", "--until", "2026-03-20T00:00:00Z", "--native", native
        )
        assert several.exit_code == single.exit_code == 0, several.stderr
        for file in (tmp_path / "single").iterdir():
            assert (tmp_path / "several" / file.name).read_bytes() == file.read_bytes(), file.name
    assert "order.shipped 1, scan 4, ticket.opened 2" in several.stdout
    assert (tmp_path / "several" / "alerts.merchant.jsonl").stat().st_size


def test_a_dead_letter_names_its_file_where_there_are_several(files: list[Path], tmp_path: Path) -> None:
    bad = tmp_path / "bad.out"
    bad.write_text(ticket("02T08:00") + "no json\n" + line("orders", "order.paid", "02T09:00", order_id="A"))
    out = tmp_path / "out"
    result = invoke("replay", *files, bad, "--out", out)
    letters = [json.loads(letter) for letter in (out / "dead-letters.jsonl").read_text().splitlines()]
    assert [(letter["file"], letter["topic"], letter["line"], letter["error_code"]) for letter in letters] == [
        (str(bad), None, 2, "not_json"),
        (str(bad), "orders", 3, "missing_field"),
    ]
    assert f"first in {bad}, line 2" in result.stdout
    result = invoke("replay", bad, "--out", out)
    letters = [json.loads(letter) for letter in (out / "dead-letters.jsonl").read_text().splitlines()]
    assert [list(letter) for letter in letters] == [["topic", "line", "error_code", "error_detail"]] * 2
    assert "first in line 2" in result.stdout


def test_dead_letters_in_parquet_have_a_column_of_files_where_there_are_several(
    files: list[Path], tmp_path: Path
) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    bad = tmp_path / "bad.out"
    bad.write_text("no json\n")
    for sources, columns in ((files, False), ([*files, bad], True)):
        result = invoke("replay", *sources, "--out", tmp_path / "out", "--format", "parquet")
        assert result.exit_code == 0, result.stderr
        assert ("file" in parquet.read_table(tmp_path / "out" / "dead-letters.parquet").column_names) is columns


def test_what_most_of_an_input_looks_like_is_told_of_the_one_that_is_wrong(files: list[Path], tmp_path: Path) -> None:
    table = tmp_path / "orders.csv"
    table.write_text("a,b\n" * 20)
    result = invoke("replay", *files, table, "--out", tmp_path / "out")
    assert f"{table} looks like a table with columns" in result.stderr


def test_a_missing_input_among_several_is_one_line(files: list[Path], tmp_path: Path) -> None:
    result = invoke("replay", *files, tmp_path / "none", "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1] == f"Error: {tmp_path / 'none'}: no such file or folder"
    assert not (tmp_path / "out").exists()


def test_explain_and_compare_take_several(files: list[Path], tmp_path: Path) -> None:
    bad = tmp_path / "bad.out"
    bad.write_text(scan("02T08:00", status="lost"))
    told = invoke("explain", "T1", *files, bad, "--until", "2026-03-20T00:00:00Z", "--json")
    assert told.exit_code == 0, told.stderr
    document = json.loads(told.stdout)
    (unreadable,) = document["unreadable"]
    assert (unreadable["file"], unreadable["line"]) == (str(bad), 1)
    (parcel,) = document["stories"]
    assert {Path(event["file"]).name for event in parcel["events"]} == {"orders.out", "scans.out"}
    compared = invoke(
        "compare", *files, "--policy", "default", "--policy", "tmall-2026", "--until", "2026-03-20T00:00:00Z"
    )
    assert compared.exit_code == 0, compared.stderr
    assert "7" in compared.stdout
