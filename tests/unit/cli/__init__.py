"""The command line as its users meet it: in a process of its own, with what it prints and how it ends."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.patience import PATIENCE

ROOT = Path(__file__).parents[3]


def environment(**more: str) -> dict[str, str]:
    """That of the tests, without what would set options."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("PARCELWATCH_", "COLUMNS"))}
    return {**own, "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8", **more}


def run(
    *arguments: str, where: Path | None = None, seconds: float = PATIENCE, **more: str
) -> subprocess.CompletedProcess[str]:
    """Runs `parcelwatch` to its end, in at most so many seconds."""
    return subprocess.run(
        [sys.executable, "-m", "streams", *arguments],
        check=False,
        cwd=where,
        env=environment(**more),
        capture_output=True,
        text=True,
        timeout=seconds,
    )
