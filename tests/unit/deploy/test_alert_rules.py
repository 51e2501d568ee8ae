"""The rules for Prometheus, by its own unit tests: each fires on its fault, and none on a stream that is well."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from streams.ingest.catalogue import CATALOGUE as INGEST
from streams.notify.catalogue import NOTIFIER
from streams.worker.catalogue import CATALOGUE
from tests.unit.deploy import ROOT
from tests.unit.deploy.alert_scenarios import (
    BEGINS,
    ENDS,
    FAULTS,
    LASTS,
    WELL,
    Fault,
    Series,
    always,
    healthy,
    of,
    scenario,
)

FILES = [ROOT / "deploy/prometheus/recording-rules.yml", ROOT / "deploy/prometheus/alert-rules.yml"]
RECORDING, ALERTS = (
    [rule for group in yaml.safe_load(file.read_text())["groups"] for rule in group["rules"]] for file in FILES
)
RULES: dict[str, dict[str, Any]] = {rule["alert"]: rule for rule in ALERTS}
RUNBOOK = ROOT / "docs/runbook"


def of_fault(name: str, fault: Fault) -> dict[str, Any]:
    labels = "".join(f',{key}="{value}"' for key, value in fault.labels.items())
    fires = f'group(ALERTS{{alertname="{name}",alertstate="firing"{labels}}})'
    there: list[dict[str, Any]] = [{"labels": "{}", "value": 1}]
    all_of_them = [{"labels": f'{{alertname="{one}"}}', "value": 1} for one in sorted({name} | fault.with_it)]
    return scenario(
        name,
        healthy() | fault.differs,
        [
            (fires, BEGINS + fault.quiet, []),
            (fires, BEGINS + fault.fires, there),
            (fires, ENDS - 1, there),
            ('group by (alertname) (ALERTS{alertstate="firing"})', ENDS - 1, all_of_them),
            (fires, ENDS + fault.clears, []),
        ],
    )


def promtool(*arguments: str) -> str:
    """What promtool says against the files; empty where it agrees."""
    if shutil.which("promtool") is None:
        pytest.skip("no promtool: install Prometheus (Debian: apt install prometheus)")
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def verdict(folder: Path, *scenarios: dict[str, Any]) -> str:
    """What promtool says of these scenarios."""
    path = folder / "scenarios.yml"
    path.write_text(
        yaml.safe_dump({"rule_files": [str(file) for file in FILES], "evaluation_interval": "1m", "tests": scenarios})
    )
    return promtool("test", "rules", str(path))


def test_prometheus_accepts_the_rules() -> None:
    assert promtool("check", "rules", *map(str, FILES)) == ""


@pytest.mark.parametrize("name", RULES)
def test_a_rule_fires_on_its_fault_and_clears_after_it(name: str, tmp_path: Path) -> None:
    assert verdict(tmp_path, of_fault(name, FAULTS[name])) == ""


@pytest.mark.parametrize("name", WELL)
def test_no_rule_fires_on_a_stream_that_is_well(name: str, tmp_path: Path) -> None:
    ever = f'group by (alertname) (count_over_time(ALERTS{{alertstate="firing"}}[{LASTS}m]))'
    assert verdict(tmp_path, scenario(name, WELL[name], [(ever, LASTS - 1, [])])) == ""


def test_an_application_that_was_never_scraped_is_down(tmp_path: Path) -> None:
    nothing: Series = {'up{job="something else",instance="a"}': always(1)}
    fires = 'group by (alertname) (ALERTS{alertstate="firing"})'
    told = [{"labels": '{alertname="ParcelwatchDown"}', "value": 1}]
    assert verdict(tmp_path, scenario("nothing", nothing, [(fires, 1, []), (fires, 3, told)])) == ""


def test_records_that_were_lost_before_the_first_scrape_are_told(tmp_path: Path) -> None:
    name = of("parcelwatch_records_lost_total", "a", topic="orders")
    lost: Series = healthy() | {name: [None] * BEGINS + [40.0] * (LASTS - BEGINS)}
    fires = 'group(ALERTS{alertname="ParcelwatchRecordsLost",alertstate="firing"})'
    there = [{"labels": "{}", "value": 1}]
    checks = [(fires, BEGINS, there), (fires, BEGINS + 14, there), (fires, BEGINS + 16, [])]
    assert verdict(tmp_path, scenario("lost", lost, checks)) == ""


def test_every_rule_says_what_is_wrong_and_where_to_read_on() -> None:
    assert RULES.keys() == FAULTS.keys()
    for name, rule in RULES.items():
        assert rule["labels"]["severity"] in {"critical", "warning"}, name
        assert rule["annotations"].keys() == {"summary", "description", "runbook_url"}, name
        assert rule["annotations"]["runbook_url"] == f"docs/runbook/{name}.md"


def test_the_runbook_has_a_page_for_every_rule_and_no_other() -> None:
    pages = {path.stem for path in RUNBOOK.glob("*.md")} - {"README"}
    assert pages == RULES.keys()
    listed = re.findall(r"^\| \[(\w+)\]\((\w+)\.md\) \| (\w+) \|", (RUNBOOK / "README.md").read_text(), re.MULTILINE)
    assert listed == [(name, name, rule["labels"]["severity"]) for name, rule in RULES.items()]


@pytest.mark.parametrize("name", RULES)
def test_a_page_says_what_it_means_what_to_look_at_and_what_to_do(name: str) -> None:
    page = (RUNBOOK / f"{name}.md").read_text()
    assert re.findall(r"^#+ (.*)$", page, re.MULTILINE) == [name, "Meaning", "Look at", "Do"]


def test_rules_and_pages_know_no_other_metrics_than_the_catalogue() -> None:
    texts = [str(rule["expr"]) for rule in RECORDING + ALERTS] + [path.read_text() for path in RUNBOOK.glob("*.md")]
    recorded = {rule["record"] for rule in RECORDING}
    known = CATALOGUE.keys() | INGEST.keys() | {entry.name for entry in NOTIFIER.entries}
    for text in texts:
        for name in re.findall(r"(?<![\w:])(?:parcelwatch|process)_\w+(?!\w)(?!:)", text):
            assert re.sub(r"_(bucket|sum|count)$", "", name) in known, name
        assert set(re.findall(r"\b\w+:\w+:\w+", text)) <= recorded
