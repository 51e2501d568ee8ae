"""`docker-compose.yml`: valid, and one with what it mounts, the image and the test broker."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path
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


def test_there_are_a_broker_topics_a_feed_two_workers_a_console_a_notifier_and_those_who_watch_them() -> None:
    assert set(SERVICES) == {
        "kafka", "topics", "feed", "worker-1", "worker-2", "console", "ingest", "notifier", "prometheus",
        "alertmanager", "grafana",
    }  # fmt: skip
    assert set(OURS) == {"topics", "feed", "worker-1", "worker-2", "console", "ingest", "notifier"}
    assert set(WORKERS) == {"worker-1", "worker-2"}


def test_who_waits_for_whom_fits_what_the_other_does() -> None:
    for service in SERVICES.values():
        for other, wait in service.get("depends_on", {}).items():
            one_shot = SERVICES[other].get("restart") == "no"
            wanted = "service_completed_successfully" if one_shot else "service_healthy"
            assert wait["condition"] == wanted, other
            assert one_shot or "healthcheck" in SERVICES[other]
    for one in (*WORKERS.values(), *(SERVICES[name] for name in ("feed", "console", "ingest", "notifier"))):
        assert set(one["depends_on"]) == {"kafka", "topics"}


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
    jobs = {
        job["job_name"]: {target for each in job.get("static_configs", ()) for target in each["targets"]}
        | {f"{name}:{each['port']}" for each in job.get("dns_sd_configs", ()) for name in each["names"]}
        for job in config["scrape_configs"]
    }
    scraped = {name: one for name, one in OURS.items() if "PARCELWATCH_METRICS_PORT" in one["environment"]}
    wanted = {name: f"{name}:{one['environment']['PARCELWATCH_METRICS_PORT']}" for name, one in scraped.items()}
    workers = {wanted[name] for name in WORKERS}
    assert jobs == {
        "parcelwatch": workers, "ingest": {wanted["ingest"]}, "parcelwatch-notifier": {wanted["notifier"]},
    }  # fmt: skip


def test_what_is_named_by_its_address_listens_there() -> None:
    """Services name each other in files of their own: each such address is a service of this file."""
    prometheus = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
    sources = yaml.safe_load((ROOT / "deploy/grafana/provisioning/datasources/prometheus.yml").read_text())
    (managers,) = prometheus["alerting"]["alertmanagers"]
    named = [target for each in managers["static_configs"] for target in each["targets"]]
    named += [one["url"].removeprefix("http://") for one in sources["datasources"]]
    for address in named:
        name, port = address.split(":")
        assert f"127.0.0.1:{port}:{port}" in SERVICES[name]["ports"]


def test_grafana_asks_prometheus_no_finer_than_it_scrapes() -> None:
    prometheus = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
    sources = yaml.safe_load((ROOT / "deploy/grafana/provisioning/datasources/prometheus.yml").read_text())
    (source,) = [one for one in sources["datasources"] if one["type"] == "prometheus"]
    assert source["jsonData"]["timeInterval"] == prometheus["global"]["scrape_interval"]


def test_grafana_reads_the_dashboards_where_they_are_mounted() -> None:
    mounted = dict(reversed(mount.removesuffix(":ro").split(":")) for mount in SERVICES["grafana"]["volumes"])
    (provider,) = yaml.safe_load((ROOT / "deploy/grafana/provisioning/dashboards/parcelwatch.yml").read_text())[
        "providers"
    ]
    folder = ROOT / mounted[provider["options"]["path"]]
    assert (folder / "parcelwatch-overview.json").exists()
    home = Path(SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert (ROOT / mounted[str(home.parent)] / home.name).exists()
    assert ROOT / mounted["/etc/grafana/provisioning"] == ROOT / "deploy/grafana/provisioning"


def test_nothing_reaches_anybody_outside() -> None:
    """The example's receivers have no integration, and Grafana asks nothing of its makers."""
    routing = yaml.safe_load((ROOT / "deploy/alertmanager/alertmanager.yml").read_text())
    assert all(set(receiver) == {"name"} for receiver in routing["receivers"])
    settings = SERVICES["grafana"]["environment"]
    assert {settings[name] for name in settings if "CHECK_FOR" in name or "REPORTING" in name} == {"false"}


def test_ports_are_open_to_this_machine_alone() -> None:
    for service in SERVICES.values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


def test_mounted_files_and_volumes_exist() -> None:
    for service in SERVICES.values():
        for mount in service.get("volumes", []):
            source = mount.split(":")[0]
            assert (ROOT / source).exists() if source.startswith(".") else source in COMPOSE["volumes"]
    for placed in COMPOSE["configs"].values():
        assert "content" in placed or (ROOT / placed["file"]).exists()
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
