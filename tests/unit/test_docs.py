"""What the documents say is so: commands run, links lead somewhere, options and settings exist."""

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
from prometheus_client.registry import Collector

from streams.cli.main import COMMANDS, command_of
from streams.cli.security import KEY_PASSWORD, SASL_PASSWORD
from streams.policy import load
from streams.stages.dataflow import dataflow
from streams.stages.intake import Counts
from streams.worker.metrics import CATALOGUE
from streams.worker.rule_metrics import RuleMetrics

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")] + sorted(
    ROOT.glob("docs/**/*.md")
)
NAMES = [str(path.relative_to(ROOT)) for path in DOCUMENTS]


def blocks(document: Path, language: str) -> list[str]:
    """The fenced blocks whose info string is `language`."""
    return re.findall(rf"^```{re.escape(language)}\n(.*?)^```$", document.read_text(), re.MULTILINE | re.DOTALL)


def steps(block: str) -> Iterator[tuple[str, list[str]]]:
    """Commands (`$ ` begins one, `<<'END'` continues it up to END) and the lines that they are said to print."""
    lines = iter(block.splitlines())
    command, printed = "", list[str]()
    for line in lines:
        if not line.startswith("$ "):
            printed.append(line)
            continue
        if command:
            yield command, printed
        command, printed = line[2:], []
        if "<<'END'" in line:
            for more in lines:
                command += "\n" + more
                if more == "END":
                    break
    yield command, printed


def matches(said: list[str], printed: list[str]) -> bool:
    """Whether the lines are those; `...` within one stands for anything."""
    patterns = [".*".join(map(re.escape, line.split("..."))) for line in said]
    return len(said) == len(printed) and all(map(re.fullmatch, patterns, printed))


@pytest.mark.parametrize("name", [name for name in NAMES if "```console run\n" in (ROOT / name).read_text()])
def test_commands_of_a_document_run_and_print_what_it_says(name: str, tmp_path: Path) -> None:
    # The command of this environment, whatever is installed beside it.
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    command = bin_ / "parcelwatch"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m streams "$@"\n')
    command.chmod(0o755)
    place = tmp_path / "place"
    place.mkdir()
    environment = {
        "PATH": f"{bin_}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "HOME": str(tmp_path),
        "LANG": "C.UTF-8",
    }
    for block in blocks(ROOT / name, "console run"):
        for script, said in steps(block):
            done = subprocess.run(
                ["bash", "-c", script], check=False, cwd=place, env=environment, capture_output=True, timeout=60
            )
            assert done.returncode == 0, f"{script}\n{done.stderr.decode()}"
            printed = done.stdout.decode().splitlines()
            assert matches(said, printed), "\n".join([script, *printed])


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


def said_options(text: str) -> set[tuple[str, str]]:
    """(command, option) of every `parcelwatch COMMAND ... --option` in a line of code."""
    found = set()
    for line in re.findall(r"parcelwatch [a-z][^\n`|>]*", text):
        command = line.split()[1]
        found |= {(command, option) for option in re.findall(r"(?<!\S)--[a-z][a-z-]+", line)}
    return found


@pytest.mark.parametrize("name", NAMES)
def test_options_and_variables_that_a_document_names_exist(name: str) -> None:
    text = (ROOT / name).read_text()
    for command, option in said_options(text):
        assert command in COMMANDS, command
        known = {opt for parameter in command_of(command).params for opt in parameter.opts}
        assert option in known | {"--help"}, f"{command} {option}"
    variables = {
        parameter.envvar
        for command in COMMANDS
        for parameter in command_of(command).params
        if isinstance(parameter, click.Option)
    }
    for variable in re.findall(r"PARCELWATCH_[A-Z_]+[A-Z]", text):
        assert variable in variables | {"PARCELWATCH_TEST_BROKER", SASL_PASSWORD, KEY_PASSWORD}, variable


def test_the_readme_lists_every_command_there_is() -> None:
    listed = set(re.findall(r"^\| `parcelwatch ([a-z]+)", (ROOT / "README.md").read_text(), re.MULTILINE))
    assert listed == set(COMMANDS)


def test_the_handbook_explains_every_metric_and_no_other() -> None:
    said: Collector = RuleMetrics(Counts())
    known = {entry.name for entry in CATALOGUE}
    for family in said.collect():
        known.add(family.name + ("_total" if family.type == "counter" else ""))
    rows = re.findall(r"^\| (`parcelwatch_.*?) \|", (ROOT / "docs/operations.md").read_text(), re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", " ".join(rows))) == known


def test_the_picture_of_the_dataflow_has_every_edge() -> None:
    explained = re.findall(r"^\| `([a-z-]+)` \|", (ROOT / "docs/architecture.md").read_text(), re.MULTILINE)
    assert {edge.name for edge in dataflow(load.default()).edges} <= set(explained)
