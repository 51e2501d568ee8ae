"""What the documents say is so: links lead somewhere, and files, options and variables exist."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from streams.cli.main import COMMANDS, command_of
from streams.cli.security import KEY_PASSWORD, SASL_PASSWORD
from streams.console.command import TOKEN
from streams.ingest.secrets import PREFIX
from streams.policy import load
from streams.stages.dataflow import dataflow
from tests.documents import NAMES, ROOT, blocks


def holds(whole: Any, part: Any) -> bool:
    """Whether everything in `part` is in `whole`."""
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(name in whole and holds(whole[name], part[name]) for name in part)
    if isinstance(part, list):
        return isinstance(whole, list) and len(whole) == len(part) and all(map(holds, whole, part))
    return bool(whole == part)


def test_the_alert_that_the_readme_shows_is_one_of_the_quick_start(tmp_path: Path) -> None:
    (shown,) = blocks(ROOT / "README.md", "json")
    alert = json.loads(shown)
    # It tells the content of the policy file, which changes with every setting.
    assert re.fullmatch(r"default@[0-9a-f]{12}", alert["data"].pop("policy"))
    files = re.findall(r"^\$ cat > (shop/\S+\.jsonl) <<'END'\n(.*?)^END$", QUICK_START, re.MULTILINE | re.DOTALL)
    (parcels,) = re.findall(r"^\$ cat > parcels\.json <<'END'\n(.*?)^END$", QUICK_START, re.MULTILINE | re.DOTALL)
    shop = tmp_path / "shop"
    shop.mkdir()
    for file, content in files:
        (tmp_path / file).write_text(content)
    (tmp_path / "parcels.json").write_text(parcels)
    command = [sys.executable, "-m", "streams"]
    scans = subprocess.run([*command, "adapt", "kuaidi100", "parcels.json"], cwd=tmp_path, env=PLAIN, check=True,
                           capture_output=True).stdout.splitlines()  # fmt: skip
    bare = [json.dumps(json.loads(line)["value"], ensure_ascii=False) for line in scans]
    (shop / "logistics-scans.jsonl").write_text("\n".join(bare))
    until = "2026-03-14T00:00:00+08:00"
    subprocess.run([*command, "replay", "shop", "--until", until], cwd=tmp_path, env=PLAIN, check=True)
    platform = (tmp_path / "parcelwatch-out/alerts.platform.jsonl").read_text().splitlines()
    assert any(holds(json.loads(line), alert) for line in platform), "\n".join(platform)


QUICK_START = (ROOT / "docs/quickstart.md").read_text()
PLAIN = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8"}


@pytest.mark.parametrize("name", NAMES)
def test_links_within_the_project_lead_somewhere(name: str) -> None:
    document = ROOT / name
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", document.read_text()):
        if "://" not in target:
            assert (document.parent / target).exists(), target


@pytest.mark.parametrize("name", NAMES)
def test_files_that_a_document_names_exist(name: str) -> None:
    text = (ROOT / name).read_text()
    for path in re.findall(r"`((?:streams|schemas|tests|docs|deploy)/[\w./-]+)`", text):
        assert (ROOT / path.rstrip("/")).exists(), path


def every_parameter() -> Iterator[click.Parameter]:
    """Those of all commands, and of the commands below them."""
    for name in COMMANDS:
        command = command_of(name)
        yield from command.params
        for below in command.commands.values() if isinstance(command, click.Group) else ():
            yield from below.params


#: What is no option: of the tests, of a shell, and secrets.
OTHER_VARIABLES = {"PARCELWATCH_TEST_BROKER", "PARCELWATCH_COMPLETE", SASL_PASSWORD, KEY_PASSWORD, TOKEN}


def said_options(text: str) -> set[tuple[str, str]]:
    """(command, option) of every `parcelwatch COMMAND ... --option` in a line of code."""
    found = set()
    for line in re.findall(r"parcelwatch [a-z][^\n`|>]*", text):
        words = line.split()[1:]
        below = isinstance(named(words[:1]), click.Group) and len(words) > 1
        command = " ".join(words[: 1 + below])
        found |= {(command, option) for option in re.findall(r"(?<!\S)--[a-z][a-z-]+", line)}
    return found


def named(words: list[str]) -> click.Command | None:
    """The command of a name, or of that and one below it."""
    command = command_of(words[0]) if words and words[0] in COMMANDS else None
    return command.commands.get(words[1]) if isinstance(command, click.Group) and len(words) > 1 else command


@pytest.mark.parametrize("name", NAMES)
def test_options_and_variables_that_a_document_names_exist(name: str) -> None:
    text = (ROOT / name).read_text()
    for command, option in said_options(text):
        there = named(command.split())
        assert there is not None, command
        known = {opt for parameter in there.params for opt in parameter.opts}
        assert option in known | {"--help"}, f"{command} {option}"
    variables = {
        parameter.envvar for parameter in every_parameter() if isinstance(parameter, click.Option)
    } | OTHER_VARIABLES  # fmt: skip
    for variable in re.findall(r"PARCELWATCH_[A-Z_]+[A-Z]", text):
        # A format's name follows.
        assert variable in variables or f"{variable}_".startswith(PREFIX), variable


def test_the_readme_lists_every_command_there_is() -> None:
    listed = set(re.findall(r"^\| `parcelwatch ([a-z]+)", (ROOT / "README.md").read_text(), re.MULTILINE))
    assert listed == set(COMMANDS)


def test_the_picture_of_the_dataflow_has_every_edge() -> None:
    explained = re.findall(r"^\| `([a-z-]+)` \|", (ROOT / "docs/architecture.md").read_text(), re.MULTILINE)
    assert {edge.name for edge in dataflow(load.default()).edges} <= set(explained)
