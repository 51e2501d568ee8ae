"""Every environment variable that a deployment sets is an option of the command that gets it."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from streams.cli.main import command_of
from streams.ingest.secrets import PREFIX
from tests.unit.deploy import ROOT

SERVICES: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
KUBERNETES = (ROOT / "deploy/kubernetes/worker.yaml").read_text()
IMAGE = (ROOT / "deploy/Containerfile").read_text()


def options(command: str) -> set[str]:
    """The environment variables that the command reads."""
    found: set[str] = set()
    for parameter in command_of(command).params:
        names = parameter.envvar or ()
        found |= {names} if isinstance(names, str) else set(names)
    return found


def named(text: str) -> set[str]:
    return set(re.findall(r"PARCELWATCH_[A-Z_]+", text))


@pytest.mark.parametrize("service", ["topics", "worker-1", "worker-2", "console", "ingest"])
def test_what_the_compose_file_sets_is_read(service: str) -> None:
    command, *_ = SERVICES[service]["command"]
    given = {name for name in SERVICES[service]["environment"] if not name.startswith(PREFIX)}
    assert given <= options(command)


def test_what_the_compose_file_sets_of_the_notifier_is_read_by_it_or_its_file() -> None:
    known = options("notify") | set(re.findall(r"\$\{(\w+)\}", (ROOT / "examples/notify.toml").read_text()))
    assert set(SERVICES["notifier"]["environment"]) <= known


@pytest.mark.parametrize("text", [KUBERNETES, IMAGE], ids=["kubernetes", "image"])
def test_what_the_image_and_the_manifest_set_is_read_by_the_worker(text: str) -> None:
    assert named(text)
    assert named(text) <= options("worker")
