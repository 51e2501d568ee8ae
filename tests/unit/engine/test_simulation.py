"""Whole workers in virtual time: some seeds, each of them always the same. `make simulate` runs a thousand."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import PATIENCE

ROOT = Path(__file__).parents[3]


def simulated(*args: str, status: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "tests.simulation", *args],
        cwd=ROOT, env=os.environ, capture_output=True, text=True, timeout=10 * PATIENCE, check=False,
    )  # fmt: skip
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout


def test_a_seed_runs_the_same_way_each_time() -> None:
    alone = [simulated("--seed", "2003", "--quiet") for _ in range(2)]
    told = [re.sub(r"[0-9.]+ CPU-seconds", "", each) for each in alone]
    assert told[0] == told[1]
    assert "trace" in told[0]


@pytest.mark.parametrize("mistake", ["unknown"])
def test_a_mistake_in_the_engine_is_found(mistake: str) -> None:
    told = simulated("--seeds", "40", "--mistake", mistake, "--until-wrong", status=1)
    assert "alone: python -m tests.simulation --seed" in told
