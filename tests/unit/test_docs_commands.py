"""Every command that a document shows is one that there is; what needs no broker is run."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import click
import pytest

from streams.cli.main import COMMANDS, command_of
from tests.documents import NAMES, ROOT, blocks, calls, is_synopsis, matches, shell_lines, steps
from tests.patience import PATIENCE
from tests.unit.adapt.shops import trade

#: Commands that read files, and write files or to standard output.
OFFLINE = {"adapt", "compare", "explain", "policy", "replay", "tune"}
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
QUICK_START = ROOT / "docs/quickstart.md"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Variables by which `parcelwatch` is that of this environment, whatever is installed beside it."""
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    command = bin_ / "parcelwatch"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m streams "$@"\n')
    command.chmod(0o755)
    path = f"{bin_}:{os.environ['PATH']}"
    return {"PATH": path, "PYTHONPATH": str(ROOT), "HOME": str(tmp_path), "LANG": "C.UTF-8"}


def done(script: str, place: Path, environment: dict[str, str]) -> list[str]:
    """What a shell's line prints."""
    ran = subprocess.run(
        ["bash", "-c", script], check=False, cwd=place, env=environment, capture_output=True, timeout=PATIENCE
    )
    assert ran.returncode == 0, f"{script}\n{ran.stderr.decode()}"
    return ran.stdout.decode().splitlines()


@pytest.mark.parametrize("name", [name for name in NAMES if "```console run\n" in (ROOT / name).read_text()])
def test_commands_of_a_document_run_and_print_what_it_says(
    name: str, tmp_path: Path, environment: dict[str, str]
) -> None:
    place = tmp_path / "place"
    place.mkdir()
    for block in blocks(ROOT / name, "console run"):
        for script, said in steps(block):
            printed = done(script, place, environment)
            assert matches(said, printed), "\n".join([script, *printed])


def heredoc(file: str) -> str:
    """What the quick start writes into a file."""
    (content,) = re.findall(
        rf"^\$ cat > {re.escape(file)} <<'END'\n(.*?)^END$", QUICK_START.read_text(), re.MULTILINE | re.DOTALL
    )
    return str(content)


def furnish(place: Path, environment: dict[str, str]) -> None:
    """Files of the names that documents use for a reader's own."""
    for folder in ("parcels", "answers", "trades", "FOLDER"):
        (place / folder).mkdir(parents=True)
    (place / "parcels/1.json").write_text(heredoc("parcels.json"))
    (place / "answers/1.json").write_text(
        '{"trackingNumber": "W1", "waybill": "W1", "history": [{"timestamp": "2026-03-03 10:00:00", '
        '"at": "2026-03-03 10:00:00", "step": "10", "description": "Picked up", "note": "Picked up"}]}'
    )
    (place / "trades/1.json").write_text(json.dumps(trade()))
    (place / "orders.csv").write_text(
        "订单编号,店铺名称,买家会员名,订单创建时间,订单付款时间,商品ID,类目,数量\n"
        "A-1001,tea-house,b-1,2026-03-02 09:00:00,2026-03-02 09:01:30,green-tea,tea,1\n"
    )
    for policy in ("my-policy.toml", "tuned.toml"):
        (place / policy).write_text(heredoc("strict.toml"))
    (acme,) = blocks(ROOT / "docs/adapters.md", "toml")[:1]
    (place / "acme.toml").write_text(acme)
    done("parcelwatch adapt kuaidi100 parcels/*.json > events.jsonl", place, environment)
    shutil.copy(place / "events.jsonl", place / "INPUT")
    (place / "FOLDER/orders.jsonl").write_text(heredoc("shop/orders.jsonl"))


def offline(line: str) -> bool:
    found = list(calls(line)) if not is_synopsis(line) else []
    return bool(found) and all(call[0] in OFFLINE and "--broker" not in call for call in found)


@pytest.mark.parametrize(
    "name", [name for name in NAMES if any(offline(line) and not runs for line, runs in shell_lines(ROOT / name))]
)
def test_what_needs_no_broker_runs_on_files_of_the_names_that_it_says(
    name: str, tmp_path: Path, environment: dict[str, str]
) -> None:
    place = tmp_path / "place"
    furnish(place, environment)
    for line, runs in shell_lines(ROOT / name):
        if offline(line) and not runs:
            done(line, place, environment)


def parse(arguments: list[str]) -> None:
    """Raises `click.UsageError` for an option that the command has not, one without its value, and a wrong choice."""
    name, *rest = arguments
    if name.startswith("-"):
        return
    assert name in COMMANDS, name
    command = command_of(name)
    if isinstance(command, click.Group):
        below, *rest = rest
        command = command.commands[below]
    context = click.Context(command, info_name=command.name)
    values, _, _ = command.make_parser(context).parse_args(rest)
    for parameter in command.params:
        value = values.get(parameter.name or "")
        if isinstance(parameter.type, click.Choice) and isinstance(value, str):
            parameter.type.convert(value, parameter, context)


@pytest.mark.parametrize("name", NAMES)
def test_every_command_that_is_shown_is_one_that_there_is(name: str) -> None:
    for line, _ in shell_lines(ROOT / name):
        if not is_synopsis(line):
            for call in calls(line):
                parse(call)
        program, _, rest = line.partition(" ")
        if program == "make":
            asked = [word for word in rest.partition("#")[0].split() if "=" not in word]
            assert set(asked) <= TARGETS, line
        if program in ("python", "python3") and rest.startswith("-m bench"):
            assert find_spec(rest.split()[1]) is not None, line


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("parcelwatch replay in.jsonl --polcy x > out 2> err", "No such option: --polcy"),
        ("kubectl exec pod-0 -- parcelwatch status --formt json", "No such option: --formt"),
        ("FOO=1 parcelwatch worker --store rocksdb &", "'rocksdb' is not one of"),
        ("cat x | parcelwatch policy show --jsn | head", "No such option: --jsn"),
        ("parcelwatch replay in.jsonl --until", "requires an argument"),
    ],
)
def test_a_wrong_command_would_be_found(line: str, said: str) -> None:
    (call,) = calls(line)
    with pytest.raises(click.UsageError, match=said):
        parse(call)


def test_commands_are_found_in_blocks_and_where_they_are_indented() -> None:
    readme = [line for line, _ in shell_lines(ROOT / "README.md")]
    assert any(line.startswith("parcelwatch adapt kuaidi100") for line in readme)
    operations = [line for line, _ in shell_lines(ROOT / "docs/operations.md")]
    assert "parcelwatch topics --broker kafka://kafka:9092 --dry-run" in operations
    quick_start = dict(shell_lines(QUICK_START))
    assert quick_start["parcelwatch replay events.jsonl --until 2026-03-14T00:00:00+08:00 --out first"]
