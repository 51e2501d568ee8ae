"""`deploy/alertmanager`, by Alertmanager's own tool: valid, and each alert goes where it should."""

from __future__ import annotations

import subprocess

import pytest
import yaml

from tests.unit.deploy import ROOT

CONFIG = ROOT / "deploy/alertmanager/alertmanager.yml"
RULES = yaml.safe_load((ROOT / "deploy/prometheus/alert-rules.yml").read_text())
ALERTS = {rule["alert"]: rule for group in RULES["groups"] for rule in group["rules"]}


def amtool(*arguments: str) -> str:
    return subprocess.run(["amtool", *arguments], capture_output=True, text=True, check=True).stdout


def test_amtool_accepts_the_configuration() -> None:
    assert "SUCCESS" in amtool("check-config", str(CONFIG))


@pytest.mark.parametrize("name", sorted(ALERTS))
def test_critical_alerts_go_to_who_is_on_call_and_others_wait_for_the_morning(name: str) -> None:
    severity = ALERTS[name]["labels"]["severity"]
    labels = f"alertname={name}", f"severity={severity}", "job=parcelwatch"
    wanted = {"critical": "on-call", "warning": "office-hours"}[severity]
    assert amtool("config", "routes", "test", f"--config.file={CONFIG}", *labels).strip() == wanted


def test_rules_that_silence_others_name_alerts_that_there_are() -> None:
    named = {
        value.strip('"')
        for rule in yaml.safe_load(CONFIG.read_text())["inhibit_rules"]
        for matcher in (*rule["source_matchers"], *rule["target_matchers"])
        for label, _, value in [matcher.partition("=")]
        if label == "alertname" and not value.startswith("~")
    }
    assert named
    assert named <= ALERTS.keys()
