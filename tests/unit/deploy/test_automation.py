"""Workflows and hooks call what a developer calls, and nothing else."""

from __future__ import annotations

import re
import subprocess
from typing import Any

import pytest
import yaml

from tests.unit.deploy import ROOT


def steps(workflow: str) -> list[str]:
    read: dict[str, Any] = yaml.safe_load((ROOT / f".github/workflows/{workflow}.yml").read_text())
    return [step["run"] for job in read["jobs"].values() for step in job["steps"] if "run" in step]


def test_both_workflows_run_what_a_change_has_to_pass() -> None:
    assert ".ci/run" in steps("ci")
    assert steps("release")[0] == ".ci/run"


def test_hooks_are_the_checks_of_the_makefile() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    (check,) = re.findall(r"^check: ([a-z ]+) ##", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert [hook["entry"].split()[-1] for hook in hooks] == check.split()


@pytest.mark.parametrize("target", ["dist", "release-notes"])
def test_targets_of_a_release_exist(target: str) -> None:
    subprocess.run(["make", "--dry-run", target], cwd=ROOT, check=True, capture_output=True)


def test_the_changelog_says_what_a_version_brought_and_when() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()
    released = re.findall(r"^## \[(\d+\.\d+\.\d+)\](.*)$", text, re.MULTILINE)
    assert released
    for version, rest in released:
        assert re.fullmatch(r" - \d{4}-\d{2}-\d{2}", rest), version
        notes = ["make", "--silent", "release-notes", f"VERSION={version}"]
        done = subprocess.run(notes, cwd=ROOT, check=True, capture_output=True, text=True)
        assert done.stdout.strip()
