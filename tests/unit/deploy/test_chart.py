"""`deploy/helm/parcelwatch`: what holds without Helm, and what Helm makes of it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from schemas.topics import INPUTS
from streams.cli.main import command_of
from streams.cli.security import KEY_PASSWORD, SASL_PASSWORD
from streams.console.command import TOKEN
from streams.policy.load import load
from tests.patience import PATIENCE
from tests.unit.deploy import ROOT

SASL_PASSWORD_FILE = "PARCELWATCH_SASL_PASSWORD_FILE"  # noqa: S105 - the name of a variable

CHART = ROOT / "deploy/helm/parcelwatch"
VALUES: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text())
TEMPLATES = {path.name: path.read_text() for path in (CHART / "templates").iterdir()}
DIGEST = "sha256:" + "a" * 64
#: Everything that can be switched on.
FULL: dict[str, Any] = {
    "broker": "kafka://kafka-1:9093,kafka-2:9094",
    "topicPrefix": "v2.",
    "topicNames": {"orders": "shop.orders"},
    "image": {"digest": DIGEST, "pullSecrets": [{"name": "pull"}]},
    "security": {"protocol": "SASL_SSL", "saslMechanism": "SCRAM-SHA-512", "saslUsername": "pw",
                 "existingSecret": "pw-secret", "existingTlsSecret": "pw-tls", "clientCertificate": True},
    "worker": {"replicas": 3, "settings": {"PARCELWATCH_CATCH_UP": True}, "podAnnotations": {"a": "b"},
               "nodeSelector": {"a": "b"}, "tolerations": [{"operator": "Exists"}], "priorityClassName": "high"},
    "persistence": {"enabled": True, "store": "file", "storageClassName": "fast"},
    "console": {"enabled": True, "tokenSecret": "pw-console", "allowedHost": "parcels.example"},
    "ingest": {"enabled": True, "secret": "pw-ingest", "settings": {"PARCELWATCH_MAX_BODY": 65536}},
    "notify": {"enabled": True, "config": "[channels.a]", "secret": "pw-notify", "ports": [8443]},
    "topics": {"orderPartitions": 24, "scanPartitions": 36, "replicationFactor": 3, "allowDifferences": False},
    "serviceAccount": {"annotations": {"role": "x"}},
    "networkPolicy": {"scrapers": [{"podSelector": {}}], "brokerPorts": [9095], "brokers": [{"podSelector": {}}]},
    "metrics": {"monitor": "pod", "rules": True, "dashboards": True, "labels": {"release": "x"}},
    "autoscaling": {"enabled": True, "authentication": "kafka"},
}  # fmt: skip
#: Kinds that are not Kubernetes' own: nothing here knows their schemas.
OTHERS = {"PodMonitor", "ServiceMonitor", "PrometheusRule", "ScaledObject"}


def tool(name: str) -> str:
    """Where a tool is; the test is left out without it."""
    made = ROOT / "target/chart/bin" / name
    found = str(made) if made.exists() else shutil.which(name)
    if found is None:
        pytest.skip(f"no {name}: `make chart-tools` installs it")
    return found


def helm(*arguments: str, values: Any = None) -> subprocess.CompletedProcess[str]:
    # A Helm that was built from its sources takes the cluster for an old one.
    told = json.dumps(values or {})
    return subprocess.run([tool("helm"), *arguments, "--kube-version", "1.31.0", "--values", "-"],
                          check=False, input=told, capture_output=True, text=True, timeout=PATIENCE)  # fmt: skip


@cache
def rendered(full: str) -> str:
    made = helm("template", "rel", str(CHART), values=json.loads(full))
    assert made.returncode == 0, made.stderr
    return made.stdout


def objects(values: Any = None) -> dict[tuple[str, str], dict[str, Any]]:
    found = [each for each in yaml.safe_load_all(rendered(json.dumps(values or {}))) if each]
    named = {
        (each["kind"], each["metadata"]["name"].removeprefix("rel-parcelwatch").strip("-")): each for each in found
    }
    assert len(named) == len(found)
    return named


def test_rules_and_dashboards_are_those_of_deploy() -> None:
    """`make reference` copies them."""

    def contents(folder: Path, pattern: str) -> dict[str, str]:
        return {path.name: path.read_text() for path in folder.glob(pattern)}

    rules = contents(ROOT / "deploy/prometheus", "*-rules.yml")
    dashboards = contents(ROOT / "deploy/grafana/dashboards", "*.json")
    assert rules
    assert dashboards
    assert contents(CHART / "files/prometheus", "*") == rules
    assert contents(CHART / "files/dashboards", "*") == dashboards


def test_every_variable_that_a_template_sets_is_one_of_the_command() -> None:
    known = {SASL_PASSWORD, KEY_PASSWORD, TOKEN}
    for name in ("worker", "topics", "console", "ingest", "notify"):
        known |= {str(each.envvar) for each in command_of(name).params if isinstance(each, click.Option)}
    used = set(re.findall(r"PARCELWATCH_[A-Z_]+", " ".join(TEMPLATES.values())))
    assert used - known == set()
    assert len(used) > 20


def test_every_value_is_described_by_the_schema_and_the_other_way_round() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())

    def same(values: dict[str, Any], described: dict[str, Any], where: str) -> None:
        assert described.get("additionalProperties") is False, where
        assert set(values) == set(described["properties"]) - {"global"}, where
        for name, value in values.items():
            if isinstance(value, dict) and "properties" in described["properties"][name]:
                same(value, described["properties"][name], f"{where}.{name}")

    same(VALUES, schema, "values")


def test_every_value_is_used() -> None:
    text = " ".join(TEMPLATES.values())
    for section, values in VALUES.items():
        for name in values if isinstance(values, dict) and section != "topicNames" else ():
            assert re.search(rf"\.{name}\b", text), f"{section}.{name}"
        assert f".Values.{section}" in text, section


def test_the_policy_of_the_values_is_valid(tmp_path: Path) -> None:
    (tmp_path / "policy.toml").write_text(VALUES["policy"])
    assert load(str(tmp_path / "policy.toml")).name == "cluster"


def test_image_and_port_are_those_of_the_manifest() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    manifest = (ROOT / "deploy/kubernetes/worker.yaml").read_text()
    assert f"image: {VALUES['image']['repository']}:{chart['appVersion']}\n" in manifest
    assert f"containerPort: {VALUES['metrics']['port']}\n" in manifest


def test_helm_finds_nothing_to_complain_of() -> None:
    for values in ({}, FULL):
        told = helm("lint", str(CHART), "--strict", values=values)
        assert told.returncode == 0, told.stdout


@pytest.mark.parametrize("values", [{}, FULL], ids=["default", "everything"])
@pytest.mark.parametrize("version", ["1.25", "1.31", "1.36"])
def test_kubernetes_takes_what_helm_makes(version: str, values: Any, tmp_path: Path) -> None:
    own = [each for (kind, _), each in objects(values).items() if kind not in OTHERS]
    (tmp_path / "objects.yaml").write_text(yaml.safe_dump_all(own))
    told = subprocess.run(
        [tool("kubernetes-validate"), "--strict", "--kubernetes-version", version, str(tmp_path / "objects.yaml")],
        check=False, capture_output=True, text=True, timeout=PATIENCE,
    )  # fmt: skip
    assert told.returncode == 0, told.stdout + told.stderr
    assert (told.stdout + told.stderr).count("passed") == len(own)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"broker": "kafka:9092"}, "/broker"),
        ({"broker": "kafka://me:secret@kafka:9092"}, "/broker"),
        ({"worker": {"replica": 2}}, "replica"),
        ({"metrics": {"monitor": "both"}}, "/metrics/monitor"),
        ({"topics": {"orderPartitions": 0}}, "/topics/orderPartitions"),
        ({"security": {"password": "x"}}, "password"),
        ({"console": {"enabled": True}}, "console.tokenSecret"),
        ({"notify": {"enabled": True}}, "notify.config"),
        ({"ingest": {"enabled": True}}, "ingest.secret"),
    ],
)
def test_a_value_that_cannot_be_is_refused_by_its_name(values: Any, told: str) -> None:
    made = helm("template", "rel", str(CHART), values=values)
    assert made.returncode != 0
    assert told in made.stderr


def pods(values: Any = None) -> dict[str, dict[str, Any]]:
    return {"Notifier" if name == "notify" else kind: each["spec"]["template"]["spec"]
            for (kind, name), each in objects(values).items() if "template" in each.get("spec", {})}  # fmt: skip


@pytest.mark.parametrize("values", [{}, FULL], ids=["default", "everything"])
def test_every_pod_is_bounded_and_without_privileges(values: Any) -> None:
    found = pods(values)
    assert set(found) == {"StatefulSet", "Job"} | ({"Deployment", "Notifier"} if values else set())
    for pod in found.values():
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        (container,) = pod["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
        }  # fmt: skip
        assert "memory" in container["resources"]["limits"]
        volumes = {volume["name"] for volume in pod.get("volumes", [])}
        claims = {"state"} if values and pod is found["StatefulSet"] else set()
        assert {mount["name"] for mount in container.get("volumeMounts", [])} == volumes | claims


@pytest.mark.parametrize("values", [{}, FULL], ids=["default", "everything"])
def test_what_selects_the_workers_selects_no_job(values: Any) -> None:
    found = objects(values)
    worker = found["StatefulSet", "worker"]["spec"]["template"]["metadata"]["labels"]
    job = found["Job", "topics"]["spec"]["template"]["metadata"]["labels"]
    selectors = [found["StatefulSet", "worker"]["spec"]["selector"]["matchLabels"],
                 found["Service", "worker"]["spec"]["selector"],
                 found["PodDisruptionBudget", "worker"]["spec"]["selector"]["matchLabels"]]  # fmt: skip
    if values:
        selectors.append(found["PodMonitor", "worker"]["spec"]["selector"]["matchLabels"])
    for selector in selectors:
        assert selector.items() <= worker.items()
        assert not selector.items() <= job.items()
    network = found["NetworkPolicy", ""]["spec"]["podSelector"]["matchLabels"]
    assert network.items() <= worker.items() & job.items()


@pytest.mark.parametrize("values", [{}, FULL], ids=["default", "everything"])
def test_topics_are_made_first_with_nothing_that_comes_later(values: Any) -> None:
    job = objects(values)["Job", "topics"]
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    text = json.dumps(job["spec"])
    assert "configMap" not in text
    assert "serviceAccountName" not in text


def test_a_topic_that_differs_lets_the_release_go_on_unless_it_must_not() -> None:
    (container,) = pods()["Job"]["containers"]
    for status, ended in ((0, 0), (1, 0), (2, 1)):
        script = container["command"][2].replace("parcelwatch topics", f"(exit {status})")
        assert subprocess.run(["sh", "-c", script], check=False).returncode == ended
    (strict,) = pods(FULL)["Job"]["containers"]
    assert strict["args"] == ["topics"]


def test_secrets_come_from_a_secret_alone_and_the_rest_reaches_both_commands() -> None:
    for pod in pods(FULL).values():
        env = {each["name"]: each for each in pod["containers"][0]["env"]}
        assert "valueFrom" in env["PARCELWATCH_BUYER_KEY"]
        assert SASL_PASSWORD not in env
        file = Path(env[SASL_PASSWORD_FILE]["value"])
        (mount,) = [each for each in pod["containers"][0]["volumeMounts"] if each["mountPath"] == str(file.parent)]
        (volume,) = [each for each in pod["volumes"] if each["name"] == mount["name"]]
        assert volume["secret"]["secretName"] == "pw-secret"
        assert {"key": "sasl-password", "path": file.name} in volume["secret"]["items"]
        assert env["PARCELWATCH_TOPICS"]["value"] == "orders=shop.orders"
        assert env["PARCELWATCH_TOPIC_PREFIX"]["value"] == "v2."
        assert env["PARCELWATCH_SSL_CAFILE"]["value"] == "/etc/parcelwatch-tls/ca.crt"
        assert pod["containers"][0]["image"] == f"parcelwatch@{DIGEST}"


def test_whoever_signs_tokens_needs_no_password() -> None:
    security = {**FULL["security"], "saslMechanism": "OAUTHBEARER", "saslTokenProvider": "msk"}
    for pod in pods({**FULL, "security": security}).values():
        assert SASL_PASSWORD_FILE not in {each["name"] for each in pod["containers"][0]["env"]}
        assert "sasl" not in {each["name"] for each in pod["volumes"]}


@pytest.mark.parametrize("store", ["rocksdict", "file"])
def test_a_worker_with_a_volume_keeps_its_state_in_the_store_of_the_values(store: str) -> None:
    pods = [each["spec"]["template"]["spec"]
            for (kind, name), each in objects({"persistence": {"enabled": True, "store": store}}).items()
            if kind in ("Deployment", "StatefulSet") and name == "worker"]  # fmt: skip
    ((container,),) = [pod["containers"] for pod in pods]
    assert {each["name"]: each.get("value") for each in container["env"]}["PARCELWATCH_STORE"] == store


def test_the_console_is_reached_with_a_token_alone_and_is_none_of_the_workers() -> None:
    found = objects(FULL)
    deployment, service = found["Deployment", "console"], found["Service", "console"]
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert service["spec"]["selector"].items() <= labels.items()
    assert not found["Service", "worker"]["spec"]["selector"].items() <= labels.items()
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    env = {each["name"]: each for each in container["env"]}
    assert env[TOKEN]["valueFrom"]["secretKeyRef"] == {"name": "pw-console", "key": "token"}
    ports = [each["port"] for rule in found["NetworkPolicy", ""]["spec"]["ingress"] for each in rule["ports"]]
    assert container["ports"][0]["containerPort"] in ports
    assert ("Deployment", "console") not in objects()


def test_the_notifier_has_its_file_and_secret_and_is_let_out_to_its_channels() -> None:
    found = objects(FULL)
    assert found["ConfigMap", "notify"]["data"]["notify.toml"] == "[channels.a]"
    deployment = found["Deployment", "notify"]
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert deployment["spec"]["selector"]["matchLabels"].items() <= labels.items()
    assert not found["Service", "worker"]["spec"]["selector"].items() <= labels.items()
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["envFrom"] == [{"secretRef": {"name": "pw-notify"}}]
    ports = [each["port"] for rule in found["NetworkPolicy", ""]["spec"]["egress"] for each in rule["ports"]]
    assert 8443 in ports
    assert ("Deployment", "notify") not in objects()


def test_lag_is_that_of_the_inputs_under_their_names() -> None:
    found = objects(FULL)
    triggers = [each["metadata"] for each in found["ScaledObject", "worker"]["spec"]["triggers"]]
    assert [each["topic"] for each in triggers] == ["shop.orders", "v2.logistics-scans", "v2.chats"]
    assert len(triggers) == len(INPUTS)
    assert "replicas" not in found["StatefulSet", "worker"]["spec"]
    assert objects()["StatefulSet", "worker"]["spec"]["replicas"] == VALUES["worker"]["replicas"]


def test_the_ports_of_the_brokers_are_let_through() -> None:
    _, brokers, _ = objects(FULL)["NetworkPolicy", ""]["spec"]["egress"]
    assert {each["port"] for each in brokers["ports"]} == {9093, 9094, 9095}
    _, brokers = objects()["NetworkPolicy", ""]["spec"]["egress"]
    assert [each["port"] for each in brokers["ports"]] == [9092]


def test_rules_and_dashboards_arrive_as_they_are() -> None:
    found = objects(FULL)
    for path in (ROOT / "deploy/prometheus").glob("*-rules.yml"):
        assert found["PrometheusRule", path.stem]["spec"] == yaml.safe_load(path.read_text())
    for path in (ROOT / "deploy/grafana/dashboards").glob("*.json"):
        name = f"{path.stem.removeprefix('parcelwatch-')}-dashboard"
        assert found["ConfigMap", name]["data"] == {path.name: path.read_text()}
        assert len(path.read_bytes()) < 1 << 20
