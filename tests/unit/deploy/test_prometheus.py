"""`deploy/prometheus`, by Prometheus' own tool."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.unit.deploy import ROOT

FOLDER = ROOT / "deploy/prometheus"


def checked(config: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["promtool", "check", "config", str(config)], capture_output=True, text=True, check=False)


def test_promtool_accepts_the_configuration_and_the_rules_that_it_names() -> None:
    done = checked(FOLDER / "prometheus.yml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_mistake_would_be_found(tmp_path: Path) -> None:
    wrong = tmp_path / "prometheus.yml"
    wrong.write_text((FOLDER / "prometheus.yml").read_text().replace("scrape_interval", "scrape_intreval"))
    assert checked(wrong).returncode != 0
