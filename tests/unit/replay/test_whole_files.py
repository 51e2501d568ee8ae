"""What a killed or failed command leaves never looks complete: files are whole, and the summary comes last."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from streams.cli.files import whole_file
from tests.patience import PATIENCE
from tests.unit.cli import environment
from tests.unit.rules.timeline import Timeline, days

FILES = ("alerts.merchant", "alerts.platform", "help-rates", "category-baselines", "conversation-topics",
         "refund-reasons", "dead-letters")  # fmt: skip

#: Runs the command line, and kills itself at the Nth of these calls.
KILLED = """
import os, signal, sys
from pathlib import Path
left = int(sys.argv[1])
def at(real):
    def called(*arguments, **more):
        global left
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments, **more)
    return called
os.fsync = at(os.fsync)
Path.replace = at(Path.replace)
Path.unlink = at(Path.unlink)
from streams.cli.main import main
main(sys.argv[2:])
"""
#: Runs it with files of at most so many bytes.
FULL = """
import resource, sys
import streams.replay.command, streams.compare.command, streams.compare.report, streams.replay.parquet
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
from streams.cli.main import main
main(sys.argv[2:])
"""


def python(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-B", "-c", script, *arguments],
        check=False, capture_output=True, text=True, env=environment(), timeout=PATIENCE,
    )  # fmt: skip


@pytest.fixture
def source(tmp_path: Path) -> Path:
    events = [event for number in range(40) for event in
              Timeline().paid(0, f"A{number}").shipped(0, f"A{number}", number=f"X{number}").events]  # fmt: skip
    file = tmp_path / "in.jsonl"
    file.write_text("".join(f'{{"topic":"{topic}","value":{value.decode()}}}\n' for topic, value in events))
    return file


def until(count: int) -> str:
    return f"2027-01-{count:02}T00:00:00Z"


def complete(out: Path) -> dict[str, bytes]:
    """The files of a folder that looks complete; empty where it does not."""
    if not (out / "summary.json").exists():
        return {}
    return {file.name: file.read_bytes() for file in out.iterdir() if not file.name.startswith(".")}


def test_a_kill_at_any_moment_leaves_the_whole_or_no_summary(source: Path, tmp_path: Path) -> None:
    def replay(out: Path, end: str, kill: int) -> int:
        return python(KILLED, str(kill), "replay", str(source), "--out", str(out), "--until", end).returncode

    assert replay(tmp_path / "first", until(1), -1) == 0
    assert replay(tmp_path / "second", until(9), -1) == 0
    first, second = complete(tmp_path / "first"), complete(tmp_path / "second")
    assert first != second
    out = tmp_path / "out"
    ends = []
    for kill in (1, 2, 3, 5, 8, 12, 17, 25, 29, 30, 31, 32, 33, 34, 40):
        assert replay(out, until(1), -1) == 0
        ends.append(replay(out, until(9), kill))
        assert complete(out) in (first, second, {})
        for file in out.glob("[a-z]*"):
            assert file.read_bytes() in (first[file.name], second[file.name])
    assert set(ends) == {-signal.SIGKILL, 0}
    assert replay(out, until(9), -1) == 0
    assert complete(out) == second
    assert [file.name for file in out.glob(".*")] == []


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_a_full_disk_is_status_two_and_leaves_no_summary(source: Path, tmp_path: Path, form: str) -> None:
    out = tmp_path / "out"
    asked = ("replay", str(source), "--out", str(out), "--format", form, "--until", until(1))
    assert python(FULL, "1000000000", *asked).returncode == 0
    whole = complete(out)
    done = python(FULL, "2000", *asked)
    assert (done.returncode, done.stderr) == (2, f"parcelwatch: {out}: cannot be written: File too large\n")
    assert complete(out) == {}
    assert [file.name for file in out.glob(".*")] == []
    assert all(file.read_bytes() == whole[file.name] for file in out.iterdir())


@pytest.mark.parametrize("option", ["--json", "--html"])
def test_a_full_disk_leaves_the_old_report_of_a_comparison(source: Path, tmp_path: Path, option: str) -> None:
    report = tmp_path / "report"
    report.write_text("old")
    two = ("--policy", "default", "--policy", "tmall-2026")
    done = python(FULL, "300", "compare", str(source), *two, option, str(report))
    assert (done.returncode, done.stderr) == (2, f"parcelwatch: {report}: cannot be written: File too large\n")
    assert report.read_text() == "old"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["in.jsonl", "report"]


def test_a_report_may_go_to_a_device_a_pipe_and_through_a_link(tmp_path: Path) -> None:
    with whole_file(Path("/dev/null")) as file:
        file.write_bytes(b"x")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    (tmp_path / "link").symlink_to("real")
    with whole_file(tmp_path / "link") as file:
        file.write_bytes(b"x")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"x"
    name = "x" * 255
    with whole_file(tmp_path / name) as file:
        file.write_bytes(json.dumps(days(1)).encode())
    assert (tmp_path / name).exists()
