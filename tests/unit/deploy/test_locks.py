"""The lock files hold what `pyproject.toml` asks for, and name no index: whoever installs chooses one."""

from __future__ import annotations

import json
import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.unit.deploy import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
RUNTIME = PROJECT["project"]["dependencies"]
DEVELOPMENT = PROJECT["project"]["optional-dependencies"]["dev"]
BUILD = PROJECT["build-system"]["requires"]


def pinned(name: str) -> dict[str, str]:
    """Versions by canonical name."""
    found = re.findall(r"^([A-Za-z0-9._-]+)==([^ \\]+)", (ROOT / name).read_text(), re.MULTILINE)
    return {canonicalize_name(package): version for package, version in found}


@pytest.mark.parametrize(
    ("lock", "wanted"),
    [
        ("requirements.lock", RUNTIME),
        ("requirements-dev.lock", [*RUNTIME, *DEVELOPMENT, *BUILD]),
        ("requirements-build.lock", BUILD),
    ],
)
def test_a_lock_satisfies_every_requirement(lock: str, wanted: list[str]) -> None:
    versions = pinned(lock)
    for requirement in map(Requirement, wanted):
        assert requirement.specifier.contains(versions[canonicalize_name(requirement.name)]), requirement


def test_development_runs_on_the_versions_of_the_product() -> None:
    assert pinned("requirements.lock").items() <= pinned("requirements-dev.lock").items()


def test_a_build_runs_on_the_versions_that_were_tested() -> None:
    assert pinned("requirements-build.lock").items() <= pinned("requirements-dev.lock").items()


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock", "requirements-build.lock"])
def test_a_lock_has_a_hash_for_every_file_and_names_no_host(lock: str) -> None:
    text = (ROOT / lock).read_text()
    lines = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    assert all(re.match(r"[a-z0-9][A-Za-z0-9._-]*==|    --hash=sha256:[0-9a-f]{64}", line) for line in lines)
    assert "://" not in text


def test_the_lock_of_the_asyncapi_parser_has_a_hash_for_every_package_and_names_no_registry() -> None:
    folder = ROOT / "tests/asyncapi"
    asked = json.loads((folder / "package.json").read_text())["dependencies"]
    packages = json.loads((folder / "package-lock.json").read_text())["packages"]
    assert packages.pop("")["dependencies"] == asked
    for name, version in asked.items():
        assert packages[f"node_modules/{name}"]["version"] == version
    for name, package in packages.items():
        assert package["integrity"].startswith("sha512-"), name
        assert "resolved" not in package, name
