"""`deploy/kubernetes/worker.yaml`: names, ports, probes and mounts agree."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from streams.policy.load import load
from tests.unit.deploy import ROOT

OBJECTS: dict[tuple[str, str], dict[str, Any]] = {
    (each["kind"], each["metadata"]["name"]): each
    for each in yaml.safe_load_all((ROOT / "deploy/kubernetes/worker.yaml").read_text())
}
WORKER = OBJECTS["StatefulSet", "parcelwatch-worker"]["spec"]
SERVICE = OBJECTS["Service", "parcelwatch-worker"]["spec"]
SETTINGS: dict[str, str] = OBJECTS["ConfigMap", "parcelwatch-settings"]["data"]
(CONTAINER,) = WORKER["template"]["spec"]["containers"]


def templates() -> dict[str, dict[str, Any]]:
    """The pods, by kind of what makes them."""
    return {
        kind: each["spec"]["template"]["spec"]
        for (kind, _), each in OBJECTS.items()
        if "template" in each.get("spec", {})
    }


def test_service_budget_and_set_select_the_pods_that_the_set_makes() -> None:
    labels = WORKER["template"]["metadata"]["labels"]
    budget = OBJECTS["PodDisruptionBudget", "parcelwatch-worker"]["spec"]
    for selector in (
        SERVICE["selector"],
        WORKER["selector"]["matchLabels"],
        budget["selector"]["matchLabels"],
    ):
        assert selector.items() <= labels.items()
        assert not selector.items() <= OBJECTS["Job", "parcelwatch-topics"]["metadata"]["labels"].items()
    assert ("Service", WORKER["serviceName"]) in OBJECTS


def test_a_worker_is_a_static_member_under_the_name_of_its_pod() -> None:
    (variable,) = CONTAINER["env"]
    assert variable["name"] == "PARCELWATCH_INSTANCE_ID"
    assert variable["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.name"


def test_there_are_workers_enough_to_follow_each_others_tasks() -> None:
    assert 0 < int(SETTINGS["PARCELWATCH_STANDBYS"]) < WORKER["replicas"]


def test_the_port_is_the_same_everywhere() -> None:
    (port,) = CONTAINER["ports"]
    (exposed,) = SERVICE["ports"]
    annotations = OBJECTS["Service", "parcelwatch-worker"]["metadata"]["annotations"]
    assert str(port["containerPort"]) == SETTINGS["PARCELWATCH_METRICS_PORT"] == annotations["prometheus.io/port"]
    assert exposed["targetPort"] == port["name"]
    assert exposed["port"] == port["containerPort"]


@pytest.mark.parametrize(
    ("probe", "page"), [("startupProbe", "/readyz"), ("livenessProbe", "/livez"), ("readinessProbe", "/readyz")]
)
def test_what_restarts_asks_whether_it_lives_and_the_others_whether_it_is_ready(probe: str, page: str) -> None:
    assert CONTAINER[probe]["httpGet"] == {"path": page, "port": CONTAINER["ports"][0]["name"]}


def test_every_pod_is_bounded_and_without_privileges() -> None:
    assert set(templates()) == {"StatefulSet", "Job"}
    for pod in templates().values():
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] > 0
        (container,) = pod["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert {"cpu", "memory"} <= set(container["resources"]["requests"])
        assert "memory" in container["resources"]["limits"]


def test_mounts_and_references_lead_to_what_there_is() -> None:
    for pod in templates().values():
        (container,) = pod["containers"]
        volumes = {volume["name"]: volume for volume in pod["volumes"]}
        assert {mount["name"] for mount in container["volumeMounts"]} == set(volumes)
        for source in container["envFrom"]:
            assert ("ConfigMap", source["configMapRef"]["name"]) in OBJECTS
        for volume in volumes.values():
            if "configMap" in volume:
                assert ("ConfigMap", volume["configMap"]["name"]) in OBJECTS


def test_the_policy_is_mounted_where_the_settings_say_and_is_valid(tmp_path: Path) -> None:
    (mount,) = [each for each in CONTAINER["volumeMounts"] if each["name"] == "policy"]
    content = OBJECTS["ConfigMap", "parcelwatch-policy"]["data"]
    where = Path(SETTINGS["PARCELWATCH_POLICY"])
    assert str(where.parent) == mount["mountPath"]
    written = tmp_path / where.name
    written.write_text(content[where.name])
    assert load(str(written)).name == "cluster"


def test_image_user_and_port_are_those_of_the_container_and_the_compose_file() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    containerfile = (ROOT / "deploy/Containerfile").read_text()
    for pod in templates().values():
        assert pod["containers"][0]["image"] == services["worker-1"]["image"]
        assert f"\nUSER {pod['securityContext']['runAsUser']}\n" in containerfile
    assert f"\nEXPOSE {SETTINGS['PARCELWATCH_METRICS_PORT']}\n" in containerfile
    assert CONTAINER["args"] == services["worker-1"]["command"]
