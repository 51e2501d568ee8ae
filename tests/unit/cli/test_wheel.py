"""What is installed from the wheel is complete: it works in an empty folder, without the checkout."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from urllib.request import urlopen

import pytest

from streams.cli.main import COMMANDS
from tests.patience import PATIENCE
from tests.unit.cli import ROOT

SCAN = (
    '{"topic":"logistics-scans","value":{"event_id":"1","type":"scan","occurred_at":"2026-03-02T10:00:00Z",'
    '"tracking_no":"P1","carrier":"ZTO","status":"picked_up","region":"浙江"}}\n'
)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of commands of a new environment with the wheel in it; what it depends on is that of the tests."""
    place = tmp_path_factory.mktemp("wheel")
    source = place / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE", "streams", "schemas"):
        (source / name).symlink_to(ROOT / name)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    wheel = [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(place), str(source)]
    subprocess.run(wheel, check=True)
    venv.create(place / "env", with_pip=False, symlinks=True)
    (built,) = place.glob("*.whl")
    library = Path(sysconfig.get_path("purelib", "venv", vars={"base": str(place / "env")}))
    # Beside the wheel, so that its own files are found before those of an editable checkout.
    (library / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    install = [*pip, "--python", str(place / "env/bin/python"), "install", "--no-deps", "--no-index",
               "--ignore-installed", str(built)]  # fmt: skip
    subprocess.run(install, check=True)
    return place / "env/bin"


def run(bin_: Path, where: Path, *arguments: str) -> str:
    plain = {"PATH": f"{bin_}:{os.defpath}", "HOME": str(where), "LANG": "C.UTF-8"}
    done = subprocess.run(
        [str(bin_ / "parcelwatch"), *arguments], check=False, cwd=where, env=plain, capture_output=True, text=True,
        timeout=PATIENCE,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def test_the_code_is_that_of_the_wheel(installed: Path, tmp_path: Path) -> None:
    asked = [str(installed / "python"), "-c", "import streams, schemas; print(streams.__file__, schemas.__file__)"]
    found = subprocess.run(asked, check=True, cwd=tmp_path, env={}, capture_output=True, text=True).stdout
    assert all(path.startswith(str(installed.parent)) for path in found.split())


@pytest.mark.parametrize("policy", ["default", "tmall-2026"])
def test_a_replay_has_its_policies_and_its_messages(policy: str, installed: Path, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text(SCAN)
    run(installed, tmp_path, "replay", "in.jsonl", "--policy", policy, "--until", "2026-03-20T00:00:00Z")
    (line,) = (tmp_path / "parcelwatch-out/alerts.platform.jsonl").read_text().splitlines()
    alert = json.loads(line)
    assert alert["type"] == "parcelwatch.shipment.stalled.v1"
    assert "P1" in alert["data"]["message"]["zh-CN"]


def test_adapting_has_its_tables(installed: Path, tmp_path: Path) -> None:
    row = {"shipment": "P1", "carrier": "DHL", "time": "2026-03-02 10:00:00", "text": "Picked up by courier"}
    (tmp_path / "in.json").write_text(json.dumps([row]))
    done = subprocess.run(
        [str(installed / "parcelwatch"), "adapt", "history", "in.json"], check=True, cwd=tmp_path, env={},
        capture_output=True, text=True,
    )  # fmt: skip
    assert json.loads(done.stdout)["value"]["status"] == "picked_up"


def test_all_extras_go_together(installed: Path) -> None:
    # With what is locked for development, which has them all: nothing would have to be fetched.
    (wheel,) = installed.parents[1].glob("*.whl")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--dry-run", "--no-index"]
    done = subprocess.run([*pip, f"{wheel}[all]"], check=False, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr


def test_every_file_of_the_packages_is_in_the_wheel(installed: Path) -> None:
    library = Path(sysconfig.get_path("purelib", "venv", vars={"base": str(installed.parent)}))
    files = {
        path.relative_to(ROOT).as_posix()
        for package in ("streams", "schemas")
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {name for name in files if name.endswith((".html", ".css", ".js", ".toml", ".json"))}
    assert not {name for name in files if not (library / name).is_file()}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str, installed: Path, tmp_path: Path) -> None:
    assert run(installed, tmp_path, command, "--help").startswith(f"Usage: parcelwatch {command} ")


def test_the_console_of_the_demonstration_has_its_pages_and_assets(installed: Path, tmp_path: Path) -> None:
    plain = {"PATH": f"{installed}:{os.defpath}", "HOME": str(tmp_path), "LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1"}
    command = [str(installed / "parcelwatch"), "demo", "--for", "60", "--console-port", "0", "--lang", "en"]
    with subprocess.Popen(command, cwd=tmp_path, env=plain, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            (address,) = re.findall(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
            page = urlopen(address, timeout=PATIENCE).read().decode()  # noqa: S310 - of our own
            assets = re.findall(r"(?:href|src)=\"(/[^\"]+\.(?:css|js)[^\"]*)\"", page)
            assert {asset.partition("?")[0].rpartition(".")[2] for asset in assets} == {"css", "js"}
            for asset in assets:
                assert urlopen(address + asset, timeout=PATIENCE).status == 200  # noqa: S310
        finally:
            process.terminate()


def test_the_demonstration_runs(installed: Path, tmp_path: Path) -> None:
    shown = run(installed, tmp_path, "demo", "--for", "8", "--lang", "en")
    assert "Shipping late" in shown
    assert "Alerts:" in shown
    assert list(tmp_path.iterdir()) == []
