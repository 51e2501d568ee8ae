"""A format that another package brings: the one in `examples`, installed as its user would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from streams.adapt.formats import registry

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "carrier-format"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which the example is installed, beside what this one has."""
    target = tmp_path_factory.mktemp("site")
    options = ("--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check")
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", *options, "--target", str(target), str(EXAMPLE)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return {**os.environ, "PYTHONPATH": str(target)}


def adapt(environment: dict[str, str], *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "streams", "adapt", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def test_an_installed_format_is_used_by_its_name(installed: dict[str, str]) -> None:
    done = adapt(installed, "acme", EXAMPLE / "parcels.json")
    assert (done.returncode, done.stderr.splitlines()[0]) == (0, "scan 4; 1 shipments")
    values = [json.loads(line)["value"] for line in done.stdout.splitlines()]
    assert [value["status"] for value in values] == ["picked_up", "out_for_delivery", "held", "delivered"]
    assert {(value["carrier"], value["tracking_no"]) for value in values} == {("ACME", "ACME-0001")}
    assert values[1]["occurred_at"] == "2026-03-03T07:40:00+00:00"
    assert values[0]["facility"] == "Athlone"


def test_the_help_names_an_installed_format(installed: dict[str, str]) -> None:
    assert "acme" in adapt(installed, "--help").stdout
    assert "acme" not in registry.known()


@pytest.mark.parametrize(
    ("module", "told"),
    [
        ("raise RuntimeError('not today')", "cannot be loaded: not today"),
        ("FORMAT = 1", "is no Format"),
        ("", "cannot be loaded"),
    ],
)
def test_a_format_that_is_broken_is_one_line_and_status_2(tmp_path: Path, module: str, told: str) -> None:
    (tmp_path / "broken_format.py").write_text(module)
    described = tmp_path / "broken-1.dist-info"
    described.mkdir()
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1\n")
    (described / "entry_points.txt").write_text("[parcelwatch.formats]\nbroken = broken_format:FORMAT\n")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = adapt(environment, "broken", EXAMPLE / "parcels.json")
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert told in done.stderr
    assert adapt(environment, "--help").returncode == 0


def test_a_package_cannot_take_the_name_of_our_own_format(tmp_path: Path) -> None:
    described = tmp_path / "taker-1.dist-info"
    described.mkdir()
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: taker\nVersion: 1\n")
    (described / "entry_points.txt").write_text("[parcelwatch.formats]\ndhl = nothing_there:FORMAT\n")
    path = tmp_path / "dhl.json"
    path.write_text(json.dumps({"shipments": [{"id": "1", "events": [{"timestamp": "2026-03-01T10:00:00"}]}]}))
    assert adapt({**os.environ, "PYTHONPATH": str(tmp_path)}, "dhl", path).returncode == 0
