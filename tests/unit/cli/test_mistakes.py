"""A user's mistake ends with status 2 and one line on standard error that says what to change; never a traceback."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from streams.cli.main import main
from tests.patience import PATIENCE
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
    Path("parent.toml").write_text('extends = "tmal-2026"\n')
    Path("value.toml").write_text('extends = "default"\n[help_rate]\nover = "paied"\n')
    Path("sources.toml").write_text('extends = "default"\n[sources]\n"orders.ship_by_hour" = "x"\n')
    Path("period.toml").write_text(
        'extends = "default"\n[[shipments.thresholds]]\nperiod = "duoble-11"\nslow = { hours = 1 }\n'
        "stalled = { hours = 2 }\n[[shipments.thresholds]]\nslow = { hours = 1 }\nstalled = { hours = 2 }\n"
    )
    Path("cut.jsonl.gz").write_bytes(b"\x1f\x8b\x08\x00\x00")


MISTAKES: list[tuple[tuple[str, ...], str]] = [
    (("nonsense",), "No such command 'nonsense'"),
    (("replay",), "Missing argument 'INPUT...'"),
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


#: What is nearly right: each says what was meant.
MISTYPED: list[tuple[tuple[str, ...], str]] = [
    (("repaly",), "No such command 'repaly' (did you mean replay?)"),
    (("Replay", "in.jsonl"), "No such command 'Replay' (did you mean replay?)"),
    (("policy", "shwo"), "No such command 'shwo' (did you mean show?)"),
    (("replay", "in.jsonl", "--polcy", "default"), "No such option: --polcy (did you mean --policy?)"),
    (("worker", "--brokers=x"), "No such option: --brokers (did you mean --broker?)"),
    (("policy", "show", "--jsn"), "No such option: --jsn (did you mean --json?)"),
    (("--versoin",), "No such option: --versoin (did you mean --version?)"),
    (("replay", "in.jsonl", "--policy", "tmal-2026"), "(did you mean tmall-2026?)"),
    (("policy", "show", "defualt"), "(did you mean default?)"),
    (("compare", "in.jsonl", "--policy", "default", "--policy", "distinct-order"), "(did you mean distinct-orders?)"),
    (("policy", "check", "parent.toml"), "extends: 'tmal-2026': neither"),
    (("policy", "check", "parent.toml"), "(did you mean tmall-2026?)"),
    (("policy", "check", "unknown.toml"), "there is no such setting (did you mean ship_by_hours?)"),
    (("policy", "check", "value.toml"), "expected one of paid, placed, got 'paied' (did you mean paid?)"),
    (("policy", "check", "sources.toml"), "'orders.ship_by_hour' is no setting (did you mean ship_by_hours?)"),
    (("policy", "check", "period.toml"), "'duoble-11' is none of the periods"),
    (("policy", "check", "period.toml"), "(did you mean double-11?)"),
    (("adapt", "kuadi100", "in.jsonl"), "unknown format 'kuadi100' (did you mean kuaidi100?)"),
    (("adapt", "history", "in.jsonl", "--tz", "Asia/Shangai"), "'Asia/Shangai' (did you mean Asia/Shanghai?)"),
    (("adapt", "history", "in.jsonl", "--dates", "dayfirst"), "(did you mean day-first?)"),
    (
        ("worker", "--store", "rocksdb"),
        "'rocksdb' is not one of 'memory', 'rocksdict', 'file' (did you mean rocksdict?)",
    ),
    (("worker", "--topics", "order=mine"), "order: no input or output (did you mean orders?)"),
    (("redrive", "--topic", "orderss"), "(did you mean orders?)"),
    (("ingest", "--push", "kuadi100"), "unknown format 'kuadi100' (did you mean kuaidi100?)"),
    (("grow", "hand_over", "--to-app-id", "x"), "(did you mean hand-over?)"),
]


@pytest.mark.parametrize(("arguments", "said"), MISTYPED, ids=[" ".join(arguments) for arguments, _ in MISTYPED])
def test_a_mistyped_name_is_told_what_was_meant(
    arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    test_a_mistake_is_one_line_and_status_two(arguments, said, capsys)


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
    # Within a minute or so, of which it waits for a quarter.
    done = run(command, "--broker", f"kafka://127.0.0.1:{closed_port}", seconds=PATIENCE / 4)
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
