"""A user's mistake ends with status 2 and one line on standard error that says what to change; never a traceback."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from streams.cli.main import main
from tests.unit.cli import run

EVENT = '{"topic":"orders","value":{}}\n'


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some files to be wrong about."""
    monkeypatch.chdir(tmp_path)
    Path("in.jsonl").write_text(EVENT)
    Path("empty").mkdir()
    Path("broken.toml").write_text("name = [")
    Path("broken.yaml").write_text("name: [")
    Path("unknown.toml").write_text('extends = "default"\nname = "x"\n[orders]\nship_by_hour = 3\n')
    Path("negative.toml").write_text('extends = "default"\nname = "x"\n[orders]\nship_by_hours = -3\n')
    Path("circle.toml").write_text('extends = "circle.toml"\n')
    Path("cut.jsonl.gz").write_bytes(b"\x1f\x8b\x08\x00\x00")


MISTAKES: list[tuple[tuple[str, ...], str]] = [
    (("nonsense",), "No such command 'nonsense'"),
    (("replay",), "Missing argument 'INPUT'"),
    (("replay", "nowhere"), "nowhere: no such file or folder"),
    (("replay", "empty"), "holds none of orders.jsonl"),
    (("replay", "cut.jsonl.gz"), "cut.jsonl.gz: cannot be read"),
    (("replay", "in.jsonl", "--nonsense"), "No such option: --nonsense"),
    (("replay", "in.jsonl", "--out", "in.jsonl"), "'in.jsonl' is a file"),
    (("replay", "in.jsonl", "--out", "in.jsonl/below"), "cannot be written"),
    (("replay", "in.jsonl", "--until", "yesterday"), "'--until': not an RFC 3339 time with an offset: yesterday"),
    (("replay", "in.jsonl", "--until", "2026-11-01T00:00:00"), "'--until': not an RFC 3339 time with an offset"),
    (("replay", "in.jsonl", "--now", "2026-13-01T00:00:00Z"), "'--now': no such time"),
    (("replay", "in.jsonl", "--policy", "nowhere"), "neither a profile (default, "),
    (("replay", "in.jsonl", "--policy", "broken.toml"), "policy broken.toml: cannot be read"),
    (("replay", "in.jsonl", "--policy", "broken.yaml"), "policy broken.yaml: cannot be read"),
    (("replay", "in.jsonl", "--policy", "unknown.toml"), "orders.ship_by_hour: there is no such setting"),
    (("replay", "in.jsonl", "--policy", "negative.toml"), "orders.ship_by_hours: expected"),
    (("replay", "in.jsonl", "--policy", "circle.toml"), "not in a circle"),
    (("worker", "--broker", "localhost"), "not of the form kafka://HOST:PORT"),
    (("worker", "--broker", "kafka://localhost:99999"), "not of the form kafka://HOST:PORT"),
    (("worker", "--broker", "kafka://localhost:9092,"), "not of the form kafka://HOST:PORT"),
    (("worker", "--once"), "--once needs --clock TIME"),
    (("worker", "--once", "--clock", "wall"), "--once needs --clock TIME"),
    (("worker", "--clock", "never"), "never: wall, stream or an RFC 3339 time"),
    (("worker", "--app-id", "two words"), "letters, digits, dots, dashes or underscores"),
    (("worker", "--commit-interval", "0"), "'--commit-interval'"),
    (("worker", "--partitioner", "java"), "'java' is not one of 'crc32', 'murmur2'"),
    (("worker", "--metrics-port", "70000"), "'--metrics-port'"),
    (("worker", "--policy", "nowhere"), "policy nowhere"),
    (("topics", "--order-partitions", "0"), "'--order-partitions'"),
    (("topics", "--broker", "http//kafka"), "not of the form kafka://HOST:PORT"),
    (("adapt",), "Missing argument 'FORMAT'"),
    (("adapt", "nonsense", "in.jsonl"), "unknown format 'nonsense': one of olist"),
    (("adapt", "kuaidi100", "nowhere"), "no such input: nowhere"),
    (("adapt", "kuaidi100", "in.jsonl", "--tz", "Mars"), "unknown time zone 'Mars'"),
    (("demo", "--for", "0"), "'--for'"),
    (("demo", "--for", "soon"), "'--for'"),
    (("demo", "--lang", "fr"), "'fr' is not one of 'zh-CN', 'en'"),
    (("demo", "--seed", "-1"), "'--seed'"),
    (("demo", "--policy", "nowhere"), "policy nowhere"),
    (("demo", "extra"), "unexpected extra argument"),
]


@pytest.mark.parametrize(("arguments", "said"), MISTAKES, ids=[" ".join(arguments) for arguments, _ in MISTAKES])
def test_a_mistake_is_one_line_and_status_two(
    arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    assert ended.value.code == 2
    printed = capsys.readouterr()
    assert said in printed.err
    assert printed.err.startswith("parcelwatch: ")
    assert printed.err.count("\n") == 1
    assert printed.out == ""


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port of this machine on which nobody listens, and nobody else will while the test runs."""
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.mark.parametrize("command", ["worker", "topics"])
def test_a_broker_that_does_not_answer_ends_the_command_soon(command: str, closed_port: int) -> None:
    began = time.monotonic()
    done = run(command, "--broker", f"kafka://127.0.0.1:{closed_port}", seconds=45)
    assert time.monotonic() - began < 40
    assert done.returncode == 2
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("parcelwatch: ")
    assert f"127.0.0.1:{closed_port}" in last


def test_a_mistake_in_a_process_of_its_own_is_no_other() -> None:
    done = run("replay", "nowhere")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "parcelwatch: nowhere: no such file or folder\n"


def test_without_a_command_the_status_is_two_and_nothing_is_done() -> None:
    done = run()
    assert done.returncode == 2
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
