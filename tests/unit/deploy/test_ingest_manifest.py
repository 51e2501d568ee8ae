"""`deploy/kubernetes/ingest.yaml` fits the command, and the manifest of the workers whose settings it takes."""

from __future__ import annotations

from typing import Any

import yaml

from streams.cli.main import command_of
from streams.ingest.server import ENDING
from tests.unit.deploy import ROOT

OBJECTS: dict[str, dict[str, Any]] = {
    each["kind"]: each for each in yaml.safe_load_all((ROOT / "deploy/kubernetes/ingest.yaml").read_text())
}
WORKERS = {
    (each["kind"], each["metadata"]["name"]): each
    for each in yaml.safe_load_all((ROOT / "deploy/kubernetes/worker.yaml").read_text())
}
POD = OBJECTS["Deployment"]["spec"]["template"]["spec"]
(CONTAINER,) = POD["containers"]
ENV = {each["name"]: each["value"] for each in CONTAINER["env"]}
WORKER = WORKERS["StatefulSet", "parcelwatch-worker"]["spec"]["template"]["spec"]


def test_it_runs_what_the_workers_run_with_no_more_rights() -> None:
    (worker,) = WORKER["containers"]
    for name in ("image", "securityContext"):
        assert CONTAINER[name] == worker[name]
    assert POD["automountServiceAccountToken"] is WORKER["automountServiceAccountToken"] is False
    for source in CONTAINER["envFrom"]:
        assert ("ConfigMap", source["configMapRef"]["name"]) in WORKERS


def test_its_variables_are_the_commands() -> None:
    assert ENV.keys() <= {parameter.envvar for parameter in command_of("ingest").params}


def test_ports_mounts_and_selectors_fit() -> None:
    service, labels = OBJECTS["Service"]["spec"], OBJECTS["Deployment"]["spec"]["template"]["metadata"]["labels"]
    for selector in (service["selector"], OBJECTS["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"]):
        assert selector.items() <= labels.items()
    ports = {each["name"]: str(each["containerPort"]) for each in CONTAINER["ports"]}
    assert ENV["PARCELWATCH_LISTEN"].rpartition(":")[2] == ports["http"]
    assert ENV["PARCELWATCH_METRICS_PORT"] == ports["metrics"]
    assert {service["ports"][0]["targetPort"]} | {
        CONTAINER[probe]["httpGet"]["port"] for probe in ("livenessProbe", "readinessProbe")
    } == {"http"}
    (mount,), (volume,) = CONTAINER["volumeMounts"], POD["volumes"]
    assert (mount["name"], mount["mountPath"]) == (volume["name"], ENV["PARCELWATCH_SECRETS"])


def test_it_has_the_time_to_answer_what_is_under_way() -> None:
    _, sleeps = CONTAINER["lifecycle"]["preStop"]["exec"]["command"]
    assert POD["terminationGracePeriodSeconds"] > int(sleeps) + ENDING
