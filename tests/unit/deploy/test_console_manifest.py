"""`deploy/kubernetes/console.yaml` fits the console, and the manifest of the workers whose settings it takes."""

from __future__ import annotations

from typing import Any

import yaml

from streams.cli.main import command_of
from streams.console.command import TOKEN
from tests.unit.console.served import served
from tests.unit.deploy import ROOT

OBJECTS: dict[str, dict[str, Any]] = {
    each["kind"]: each for each in yaml.safe_load_all((ROOT / "deploy/kubernetes/console.yaml").read_text())
}
WORKERS = {
    (each["kind"], each["metadata"]["name"]): each
    for each in yaml.safe_load_all((ROOT / "deploy/kubernetes/worker.yaml").read_text())
}
POD = OBJECTS["Deployment"]["spec"]["template"]["spec"]
(CONTAINER,) = POD["containers"]
WORKER = WORKERS["StatefulSet", "parcelwatch-worker"]["spec"]["template"]["spec"]


def test_it_runs_what_the_workers_run_with_no_more_rights() -> None:
    (worker,) = WORKER["containers"]
    for name in ("image", "securityContext"):
        assert CONTAINER[name] == worker[name]
    for name in ("securityContext", "automountServiceAccountToken"):
        assert POD[name] == WORKER[name]
    for source in CONTAINER["envFrom"]:
        assert ("ConfigMap", source["configMapRef"]["name"]) in WORKERS


def test_its_variables_are_the_commands() -> None:
    known = {parameter.envvar for parameter in command_of("console").params} | {TOKEN}
    assert {each["name"] for each in CONTAINER["env"]} <= known


def test_service_port_and_pod_fit() -> None:
    service, labels = OBJECTS["Service"]["spec"], OBJECTS["Deployment"]["spec"]["template"]["metadata"]["labels"]
    assert service["selector"].items() <= labels.items()
    (port,), (exposed,) = CONTAINER["ports"], service["ports"]
    assert exposed["targetPort"] == port["name"]
    (listens,) = [each["value"] for each in CONTAINER["env"] if each["name"] == "PARCELWATCH_LISTEN_PORT"]
    assert str(port["containerPort"]) == listens


def test_probes_are_answered_without_the_token() -> None:
    with served(token="x" * 16) as console:
        for probe in ("livenessProbe", "readinessProbe"):
            asked = CONTAINER[probe]["httpGet"]
            headers = {each["name"]: each["value"] for each in asked["httpHeaders"]}
            assert console.get(asked["path"], headers).status == 200
            assert console.get(asked["path"], {"Host": "10.0.0.7:8080"}).status == 421
