"""A reader that goes away ends a command quietly: `parcelwatch adapt ... | head`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import PATIENCE
from tests.unit.cli import environment

PARCEL = '{"nu":"%d","com":"zhongtong","data":[{"context":"【杭州】已揽收","time":"2026-03-02 10:00:00"}]}\n'


@pytest.fixture
def parcels(tmp_path: Path) -> Path:
    """More than a pipe holds."""
    file = tmp_path / "parcels.jsonl"
    file.write_text("".join(PARCEL % number for number in range(5_000)))
    return file


@pytest.mark.parametrize(
    ("arguments", "statuses"),
    # 1 is what the library of the command line makes of it where the command does not see it first.
    [(("adapt", "kuaidi100", "PARCELS"), (0,)), (("demo", "--for", "20"), (0,))],
    ids=["adapt", "demo"],
)
def test_a_reader_that_goes_away_ends_the_command_without_a_word(
    arguments: tuple[str, ...], statuses: tuple[int, ...], parcels: Path
) -> None:
    command = [str(parcels) if argument == "PARCELS" else argument for argument in arguments]
    with subprocess.Popen(
        [sys.executable, "-m", "streams", *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(PYTHONUNBUFFERED="1"),
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline()
        process.stdout.close()
        said = process.stderr.read()
        status = process.wait(timeout=PATIENCE)
    assert said == b""
    assert status in statuses
