"""`.ci/run` and the Makefile: what the one calls the other has."""

from __future__ import annotations

import os
import re
import subprocess

import pytest

from tests.unit.deploy import ROOT

CI = ROOT / ".ci/run"


def test_the_script_is_executable_and_its_syntax_is_right() -> None:
    assert os.access(CI, os.X_OK)
    subprocess.run(["bash", "-n", str(CI)], check=True)
    assert "\nset -euo pipefail\n" in CI.read_text()


def test_it_calls_only_targets_that_exist_and_the_tests_come_last() -> None:
    lines = re.findall(r"^make (.*)$", CI.read_text(), re.MULTILINE)
    called = [word for line in lines for word in line.split() if re.fullmatch(r"[a-z][a-z-]*", word)]
    assert called == ["check", "docs", "simulate", "faults-short", "test"]
    for target in called:
        subprocess.run(["make", "--dry-run", target], cwd=ROOT, check=True, capture_output=True)
    assert CI.read_text().rstrip().endswith(" test")


@pytest.mark.parametrize("name", ["Makefile", ".ci/run", "deploy/Containerfile"])
def test_no_host_is_named_but_this_machine(name: str) -> None:
    assert not re.search(r"://(?!127\.0\.0\.1|localhost)", (ROOT / name).read_text())
