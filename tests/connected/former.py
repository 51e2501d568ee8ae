"""Version 0.1.0 as its users have it: the wheel, built from this repository's history where that is there."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
#: Tag v0.1.0.
COMMIT = "2139ee7cc53996cd22a400ba3b3cf95051b6b4ff"


def _is_known() -> bool:
    try:
        found = subprocess.run(["git", "cat-file", "-e", COMMIT], cwd=ROOT, capture_output=True, check=False)
    except OSError:
        return False
    return found.returncode == 0


KNOWN = _is_known()
LEFT_OUT = (
    f"upgrades from 0.1.0 are left out: commit {COMMIT[:7]} is not in this checkout's history (git fetch --unshallow)"
)


def unpacked(folder: Path) -> Path:
    """A folder with the code of the wheel of 0.1.0, for `variables`."""
    archive = subprocess.run(["git", "archive", COMMIT], cwd=ROOT, capture_output=True, check=True).stdout
    source, built, code = folder / "source", folder / "built", folder / "code"
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        files.extractall(source, filter="data")
    build = (sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(built))
    subprocess.run(build, cwd=source, capture_output=True, check=True)
    (wheel,) = built.glob("parcelwatch-0.1.0-*.whl")
    shutil.unpack_archive(wheel, code, "zip")
    return code


def variables(code: Path) -> dict[str, str]:
    """The environment in which `python -m streams` is that version; its dependencies are those of the tests."""
    return {"PYTHONPATH": str(code), "PYTHONSAFEPATH": "1"}
