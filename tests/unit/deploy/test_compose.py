"""`docker-compose.yml`: valid, and one with Prometheus, the image and the test broker."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from tests.kafka_broker import container, java
from tests.unit.deploy import ROOT

FILE = ROOT / "docker-compose.yml"
COMPOSE: dict[str, Any] = yaml.safe_load(FILE.read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"].startswith("parcelwatch:")}
WORKERS = {name: service for name, service in OURS.items() if service["command"] == ["worker"]}


def schema_errors(path: Any) -> str:
    """What the Compose specification's own schema says against the file; empty where it is valid."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_the_file_is_valid_by_the_compose_specification() -> None:
    assert schema_errors(FILE) == ""


def test_a_misspelt_key_would_be_found(tmp_path: Any) -> None:
    wrong = tmp_path / "docker-compose.yml"
    wrong.write_text(FILE.read_text().replace("depends_on:", "depend_on:"))
    assert "depend_on" in schema_errors(wrong)


def test_there_are_a_broker_topics_two_workers_and_prometheus() -> None:
    assert set(SERVICES) == {"kafka", "topics", "worker-1", "worker-2", "prometheus"}
    assert set(OURS) == {"topics", "worker-1", "worker-2"}
    assert set(WORKERS) == {"worker-1", "worker-2"}


def test_who_waits_for_whom_fits_what_the_other_does() -> None:
    for service in SERVICES.values():
        for other, wait in service.get("depends_on", {}).items():
            one_shot = SERVICES[other].get("restart") == "no"
            wanted = "service_completed_successfully" if one_shot else "service_healthy"
            assert wait["condition"] == wanted, other
            assert one_shot or "healthcheck" in SERVICES[other]
    for worker in WORKERS.values():
        assert set(worker["depends_on"]) == {"kafka", "topics"}


def test_the_broker_that_ours_name_is_the_one_that_kafka_advertises() -> None:
    settings = SERVICES["kafka"]["environment"]
    advertised = dict(entry.split("://") for entry in settings["KAFKA_ADVERTISED_LISTENERS"].split(","))
    for service in OURS.values():
        assert service["environment"]["PARCELWATCH_BROKER"] == f"kafka://{advertised['INSIDE']}"
    _, outside = advertised["OUTSIDE"].split(":")
    assert SERVICES["kafka"]["ports"] == [f"127.0.0.1:{outside}:{outside}"]


def test_workers_are_members_of_one_application_under_names_of_their_own() -> None:
    environments = [worker["environment"] for worker in WORKERS.values()]
    assert len({each["PARCELWATCH_APP_ID"] for each in environments}) == 1
    assert len({each["PARCELWATCH_INSTANCE_ID"] for each in environments}) == len(WORKERS)
    assert SERVICES["topics"]["environment"]["PARCELWATCH_APP_ID"] == environments[0]["PARCELWATCH_APP_ID"]


def test_prometheus_scrapes_each_worker_at_its_port() -> None:
    config = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
    (job,) = config["scrape_configs"]
    targets = {target for each in job["static_configs"] for target in each["targets"]}
    wanted = {f"{name}:{one['environment']['PARCELWATCH_METRICS_PORT']}" for name, one in WORKERS.items()}
    assert targets == wanted


def test_ports_are_open_to_this_machine_alone() -> None:
    for service in SERVICES.values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


def test_mounted_files_and_volumes_exist() -> None:
    for service in SERVICES.values():
        for mount in service.get("volumes", []):
            source = mount.split(":")[0]
            assert (ROOT / source).exists() if source.startswith(".") else source in COMPOSE["volumes"]
    build = COMPOSE["x-parcelwatch"]["build"]
    assert (ROOT / build["context"] / build["dockerfile"]).exists()


def test_our_services_can_write_nothing_and_gain_nothing() -> None:
    for service in OURS.values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]


def test_the_image_bears_the_version_of_the_project() -> None:
    hatch = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]
    version = hatch["version"]["raw-options"]["fallback_version"]
    assert f"ARG VERSION={version}\n" in (ROOT / "deploy/Containerfile").read_text()
    assert {service["image"] for service in OURS.values()} == {f"parcelwatch:{version}"}


def test_kafka_is_the_version_that_the_tests_run_on() -> None:
    assert SERVICES["kafka"]["image"] == container.IMAGE
    maven = {"m": "http://maven.apache.org/POM/4.0.0"}
    artifact, _ = ElementTree.parse(java.POM).findall(".//m:dependency", maven)  # noqa: S314 - our own file
    assert container.IMAGE.split(":")[1] == artifact.findtext("m:version", namespaces=maven)


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_no_image_floats(name: str) -> None:
    _, _, tag = SERVICES[name]["image"].partition(":")
    assert tag not in {"", "latest"}
