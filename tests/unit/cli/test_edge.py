"""No command ends with a traceback, and nothing that comes from outside steers the terminal."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest

from streams.cli import main as cli
from streams.cli.terminal import printable, printable_json, without_password
from tests.patience import PATIENCE
from tests.unit.cli import environment, run

LONG = "x" * 300
STEERS = "\x1b[2J\x9b2J\u202e\x07"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("in.jsonl").write_text('{"topic":"orders","value":{}}\n')
    Path("timestamp.yaml").write_text("name: !!timestamp foo\n")
    Path("bool.yaml").write_text("name: !!bool foo\n")
    Path("twice.yaml").write_text("extends: default\nname: a\norders:\n  ship_by_hours: 3\n  ship_by_hours: 4\n")
    Path("alias.yaml").write_text("a: &a [1]\nb: [*a, *a]\n")
    Path("endless.yaml").write_text("a: &a [*a]\n")
    Path("deep.yaml").write_text("a: " + "[" * 5_000 + "]" * 5_000)
    Path("deep.toml").write_text("a = " + "[" * 5_000 + "]" * 5_000)
    Path("nul.toml").write_text('extends = "a\\u0000b"\n')
    Path("long.toml").write_text(f'extends = "{LONG}"\n')
    Path("steers.toml").write_text('extends = "\\u001b[2J"\n')
    Path("number.toml").write_text(f"a = {'9' * 5_000}\n")
    Path("latin.toml").write_bytes(b'name = "\xe9"\n')


MISTAKES = [
    *((*command, LONG, *rest) for command, rest in (
        (("replay",), ()), (("replay", "in.jsonl", "--policy"), ()), (("replay", "in.jsonl", "--out"), ()),
        (("adapt", "kuaidi100"), ()), (("explain", "A1"), ()), (("policy", "show"), ()), (("policy", "check"), ()),
        (("policy", "diff", "default"), ()),
        (("compare",), ("--policy", "default", "--policy", "default")),
        (("compare", "in.jsonl", "--policy", "default", "--policy", "tmall-2026", "--json"), ()),
        (("compare", "in.jsonl", "--policy", "default", "--policy", "tmall-2026", "--html"), ()),
    )),
    *(("policy", "check", name) for name in (
        "timestamp.yaml", "bool.yaml", "twice.yaml", "alias.yaml", "endless.yaml", "deep.yaml", "deep.toml", "nul.toml",
        "long.toml", "steers.toml", "number.toml", "latin.toml",
    )),
    ("policy", "show", "nul.toml"),
    ("replay", "in.jsonl", "--policy", "timestamp.yaml"),
    ("replay", "in.jsonl", "--out", "in.jsonl/\x1b[2J"),
    ("replay", STEERS),
    ("replay", "in.jsonl", "--until", STEERS),
    ("adapt", STEERS, "in.jsonl"),
    ("adapt", "kuaidi100", "in.jsonl", "--tz", STEERS),
    ("adapt", "kuaidi100", "in.jsonl", "--tz", "../" * 100 + "etc/passwd"),
    ("explain", STEERS, "in.jsonl"),
    (STEERS,),
    ("worker", "--app-id", STEERS),
    ("worker", "--clock", STEERS),
    ("worker", "--broker", "kafka://host:²"),
    ("demo", "--lang", STEERS),
]  # fmt: skip


@pytest.mark.parametrize("arguments", MISTAKES, ids=lambda arguments: " ".join(map(ascii, arguments))[:60])
def test_a_mistake_is_one_printable_line(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(list(arguments))
    printed = capsys.readouterr()
    assert ended.value.code == 2
    last = printed.err.removesuffix("\n")
    assert last.startswith("parcelwatch: ")
    assert last.isprintable()


def test_yaml_says_which_name_is_given_twice_and_where() -> None:
    done = run("policy", "check", "twice.yaml", where=Path.cwd())
    assert done.stderr == "parcelwatch: policy twice.yaml: cannot be read: line 5: 'ship_by_hours' is given twice\n"


@pytest.mark.parametrize(
    "arguments",
    [(b"replay", b"\xff\xfe"), (b"explain", b"\xff", b"in.jsonl"), (b"forget", b"--order", b"\xff"), (b"\xff",),
     (b"policy", b"show", b"\xff")],
    ids=repr,
)  # fmt: skip
def test_an_argument_that_is_not_utf_8_is_a_mistake_like_others(arguments: tuple[bytes, ...]) -> None:
    done = subprocess.run(
        [sys.executable.encode(), b"-m", b"streams", *arguments],
        check=False, capture_output=True, env=environment(PARCELWATCH_BROKER="kafka://127.0.0.1:9"), timeout=PATIENCE,
    )  # fmt: skip
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr
    assert done.stderr.decode().splitlines()[-1].startswith("parcelwatch: ")


@pytest.mark.parametrize("arguments", [("policy", "show"), ("policy", "show", "--json"), ("--help",)])
def test_output_that_cannot_be_written_is_one_line(arguments: tuple[str, ...]) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "streams", *arguments],
            check=False, stdout=full, stderr=subprocess.PIPE, text=True, env=environment(), timeout=PATIENCE,
        )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == "parcelwatch: the system: No space left on device\n"


def test_what_nobody_has_caught_is_one_line_with_kind_and_place(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @click.command()
    def broken() -> None:
        raise LookupError("what a buyer wrote")

    monkeypatch.setattr(cli, "command_of", lambda _: broken)
    with pytest.raises(SystemExit) as ended:
        cli.main(["replay"])
    assert ended.value.code == 70
    said = capsys.readouterr().err
    assert said.startswith("parcelwatch: a fault in the program: LookupError at streams/cli/main.py:")
    assert said.count("\n") == 1
    assert "buyer" not in said


def test_a_folder_without_rights_is_one_line(tmp_path: Path) -> None:
    shut = tmp_path / "shut"
    shut.mkdir()
    (shut / "orders.jsonl").write_text("{}\n")
    shut.chmod(0o000)
    tmp_path.chmod(0o755)
    script = (
        "import os, sys\n"
        "from streams.cli.main import main, command_of, COMMANDS\n"
        "[command_of(name) for name in COMMANDS]\n"
        "import streams.replay.parquet\n"
        "os.geteuid() or os.setuid(65534)\n"
        "main(sys.argv[1:])\n"
    )
    two = ("--policy", "default", "--policy", "tmall-2026")
    for arguments in (
        ("replay", str(shut)), ("replay", str(shut / "orders.jsonl")), ("replay", "in.jsonl", "--out", str(shut / "o")),
        ("explain", "A", str(shut)), ("adapt", "kuaidi100", str(shut)), ("compare", str(shut), *two),
        ("policy", "check", str(shut / "p.toml")), ("policy", "show", str(shut / "p.toml")),
        ("compare", str(tmp_path / "in.jsonl"), *two, "--json", str(shut / "j")),
    ):  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-c", script, *arguments],
            check=False, capture_output=True, text=True, env=environment(), timeout=PATIENCE, cwd=tmp_path,
        )  # fmt: skip
        assert (done.returncode, "Traceback" in done.stderr) == (2, False), (arguments, done.stderr)
        assert "ermission denied" in done.stderr or "no such" in done.stderr or "neither" in done.stderr


def test_what_steers_a_terminal_is_shown_as_its_escape() -> None:
    assert printable(f"a{STEERS}b\n\udcff\u3000平") == r"a\x1b[2J\x9b2J\u202e\x07b\n\xff" + "\u3000平"
    assert printable_json('{"a":"\x9b\u202e平"}') == r'{"a":"\u009b\u202e平"}'


@pytest.mark.parametrize(
    "said", ["kafka://user:hunter2@host:9092", "a kafka://hunter2@h, kafka://u:hunter2@i", "http://u:hunter2@x/y"]
)
def test_a_password_in_an_address_is_not_repeated(said: str) -> None:
    assert "hunter2" not in without_password(said)


@pytest.mark.parametrize(
    "broker",
    ["kafka://user:hunter2@host:9092", "user:hunter2@host:9092", "kafka://hunter2", "kafka://host:9092/hunter2",
     "kafka://a:1,kafka://u:hunter2@b:2", "kafka://host:9092?password=hunter2"],
)  # fmt: skip
@pytest.mark.parametrize("command", [("worker",), ("topics",), ("explain", "A"), ("forget", "--order", "A")])
def test_a_password_in_the_brokers_address_is_refused_unread(command: tuple[str, ...], broker: str) -> None:
    given = run(*command, "--broker", broker)
    in_environment = run(*command, PARCELWATCH_BROKER=broker)
    for done in (given, in_environment):
        assert done.returncode == 2
        assert "hunter2" not in done.stdout + done.stderr
        assert done.stderr.count("\n") == 1


def test_a_password_in_a_misplaced_address_is_not_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["topics", "kafka://user:hunter2@host:9092"])
    assert "hunter2" not in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"d\r\x94\xe4", b"sep=\na,b,c\n", b"sep=\r\na,b,c\n", b'sep="\na,b,c\n'])
def test_a_table_that_is_none_is_one_line(content: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    Path("table.csv").write_bytes(content)
    with pytest.raises(SystemExit) as ended:
        cli.main(["adapt", "history", "table.csv"])
    assert ended.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("parcelwatch: nothing of the format")
