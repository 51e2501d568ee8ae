"""`deploy/kubernetes/notify.yaml` and `examples/notify.toml`: their files can be used, and fit those of the workers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from streams.cli.main import command_of
from streams.notify.load import load
from tests.unit.deploy import ROOT

OBJECTS: dict[str, dict[str, Any]] = {
    each["kind"]: each for each in yaml.safe_load_all((ROOT / "deploy/kubernetes/notify.yaml").read_text())
}
WORKERS = {
    (each["kind"], each["metadata"]["name"]): each
    for each in yaml.safe_load_all((ROOT / "deploy/kubernetes/worker.yaml").read_text())
}
POD = OBJECTS["Deployment"]["spec"]["template"]["spec"]
(CONTAINER,) = POD["containers"]
FILES = {
    "kubernetes": OBJECTS["ConfigMap"]["data"]["notify.toml"],
    "example": (ROOT / "examples/notify.toml").read_text(),
}


@pytest.mark.parametrize("name", FILES)
def test_its_file_can_be_used(name: str, tmp_path: Path) -> None:
    path = tmp_path / "notify.toml"
    path.write_text(FILES[name])
    settings = load(path, {"NOTIFY_URL": "https://receiver.example/", "NOTIFY_SECRET": "s"})
    assert {route.audience for route in settings.routes} == {"merchant", "platform"}


def test_it_runs_what_the_workers_run_with_no_more_rights() -> None:
    workers = WORKERS["StatefulSet", "parcelwatch-worker"]["spec"]["template"]["spec"]
    (worker,) = workers["containers"]
    for name in ("image", "securityContext"):
        assert CONTAINER[name] == worker[name]
    for name in ("securityContext", "automountServiceAccountToken"):
        assert POD[name] == workers[name]
    (settings, secret) = CONTAINER["envFrom"]
    assert ("ConfigMap", settings["configMapRef"]["name"]) in WORKERS
    assert secret == {"secretRef": {"name": "parcelwatch-notify"}}


def test_variables_mounts_and_probes_fit() -> None:
    known = {parameter.envvar for parameter in command_of("notify").params}
    ((variable, value),) = [(each["name"], each["value"]) for each in CONTAINER["env"]]
    assert variable in known
    mounts = {each["name"]: each["mountPath"] for each in CONTAINER["volumeMounts"]}
    assert Path(value).parent == Path(mounts["settings"])
    assert mounts.keys() == {each["name"] for each in POD["volumes"]}
    (port,) = CONTAINER["ports"]
    assert f"PARCELWATCH_METRICS_PORT={port['containerPort']}" in (ROOT / "deploy/Containerfile").read_text()
    assert {CONTAINER[probe]["httpGet"]["port"] for probe in ("livenessProbe", "readinessProbe")} == {port["name"]}
