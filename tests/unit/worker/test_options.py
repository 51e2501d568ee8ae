"""Options of the worker that do not go together."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.patience import PATIENCE


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--store", "rocksdict"], "--store rocksdict needs --state-dir"),
        (["--store", "file"], "--store file needs --state-dir"),
        (["--standbys", "1", "--guarantee", "at_least_once"], "--standbys needs --guarantee exactly_once"),
        (
            ["--store", "rocksdict", "--state-dir", "state", "--guarantee", "at_least_once"],
            "--store rocksdict needs --guarantee exactly_once",
        ),
    ],
)
def test_options_that_do_not_go_together_are_said_in_one_line(options: list[str], said: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "streams", "worker", *options],
        check=False,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 2
    assert done.stderr == f"parcelwatch: {said}\n"
