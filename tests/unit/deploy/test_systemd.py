"""`deploy/systemd`: variables exist, times fit the worker's own, and systemd understands the units."""

from __future__ import annotations

import re
import shutil
import subprocess
from configparser import RawConfigParser
from pathlib import Path

import click
import pytest

from streams.cli.main import command_of
from streams.cli.security import SASL_PASSWORD
from streams.worker.health import HUNG
from tests.patience import PATIENCE
from tests.unit.deploy import ROOT

UNITS = ROOT / "deploy/systemd"
WORKER, TOPICS = UNITS / "parcelwatch-worker@.service", UNITS / "parcelwatch-topics.service"


class Unit(RawConfigParser):
    """A unit; of an option that is there several times, the last."""

    def __init__(self, path: Path) -> None:
        super().__init__(strict=False, delimiters=("=",), comment_prefixes=("#",))
        self.read(path)

    def optionxform(self, optionstr: str) -> str:
        return optionstr


def test_every_variable_is_one_of_the_worker() -> None:
    known = {str(each.envvar) for each in command_of("worker").params if isinstance(each, click.Option)}
    for path in (WORKER, UNITS / "worker.env.example"):
        used = set(re.findall(r"PARCELWATCH_[A-Z_]+", path.read_text()))
        assert used <= known | {SASL_PASSWORD}, path
        assert used


def test_a_hung_worker_is_killed_when_it_says_that_it_is_not_alive() -> None:
    service = Unit(WORKER)["Service"]
    assert service["Type"] == "notify"
    assert service["WatchdogSec"] == f"{HUNG / 60:.0f}min"


def test_the_units_drop_what_they_do_not_need() -> None:
    for path in (WORKER, TOPICS):
        service = Unit(path)["Service"]
        assert service["DynamicUser"] == "yes"
        assert service["NoNewPrivileges"] == "yes"
        assert service["ProtectSystem"] == "strict"
        assert service["CapabilityBoundingSet"] == ""
        assert service["EnvironmentFile"] == "/etc/parcelwatch/worker.env"


def test_systemd_understands_them(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze: install systemd")
    for path, name in ((WORKER, "parcelwatch-worker@1.service"), (TOPICS, TOPICS.name)):
        (tmp_path / name).write_text(path.read_text().replace("/opt/parcelwatch/bin/parcelwatch", "/bin/true"))
        told = subprocess.run(["systemd-analyze", "verify", "--man=no", str(tmp_path / name)],
                              check=False, capture_output=True, text=True, timeout=PATIENCE)  # fmt: skip
        assert told.returncode == 0, told.stderr
        assert name not in told.stderr
