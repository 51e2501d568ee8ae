"""`parcelwatch generate` as files and lines: the same twice, and what a replay can read."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.unit.cli import run

SMALL = ("--days", "12", "--orders-per-day", "20", "--shops", "6")
START = ("--start", "2026-09-01T00:00:00+08:00")
FILES = ["chats.jsonl", "logistics-scans.jsonl", "orders.jsonl"]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_same_options_give_the_same_files_and_nothing_else(tmp_path: Path) -> None:
    for name in ("one", "two"):
        done = run("generate", *SMALL, *START, "--out", str(tmp_path / name))
        assert done.returncode == 0, done.stderr
        assert done.stdout == ""
    assert sorted(contents(tmp_path / "one")) == FILES
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    other = run("generate", *SMALL, *START, "--seed", "2", "--out", str(tmp_path / "other"))
    assert other.returncode == 0
    assert contents(tmp_path / "other") != contents(tmp_path / "one")


def test_a_replay_reads_the_folder_and_the_lines_alike(tmp_path: Path) -> None:
    assert run("generate", *SMALL, *START, "--out", str(tmp_path / "market")).returncode == 0
    lines = run("generate", *SMALL, *START)
    assert lines.returncode == 0
    (tmp_path / "events.jsonl").write_text(lines.stdout)
    summaries = []
    for source in ("market", "events.jsonl"):
        out = tmp_path / f"out-{source}"
        replayed = run("replay", str(tmp_path / source), "--out", str(out))
        assert replayed.returncode == 0, replayed.stderr
        summaries.append(json.loads((out / "summary.json").read_text()))
    folder, single = summaries
    assert folder["alerts"] == single["alerts"]
    assert sum(folder["records"].values()) == len(lines.stdout.splitlines())
    assert folder["late"] == single["late"] == 0


def test_a_folder_that_cannot_be_written_is_one_line_with_status_two(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    done = run("generate", *SMALL, "--out", str(tmp_path / "taken" / "below"))
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--live",), "--live needs --broker"),
        (("--speed", "60"), "--speed needs --broker"),
        (("--out", "x", "--broker", "kafka://localhost:9092"), "--out and --broker"),
        (("--days", "0"), "--days"),
    ],
)
def test_options_that_cannot_be_are_told(arguments: tuple[str, ...], said: str, tmp_path: Path) -> None:
    done = run("generate", *arguments, where=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_a_broker_of_the_environment_gives_way_to_a_folder(tmp_path: Path) -> None:
    done = run("generate", *SMALL, "--out", str(tmp_path / "x"), PARCELWATCH_BROKER="kafka://localhost:9")
    assert done.returncode == 0, done.stderr
    assert sorted(os.listdir(tmp_path / "x")) == FILES
