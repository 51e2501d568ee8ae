"""`deploy/Containerfile`: what it copies exists, it does not run as root, its health check tells the truth."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import threading
import tomllib
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import yaml

from tests.patience import PATIENCE
from tests.unit.deploy import ROOT

FOLDED = (ROOT / "deploy/Containerfile").read_text().replace("\\\n", " ")
INSTRUCTIONS = [
    (name, rest) for name, _, rest in (line.partition(" ") for line in FOLDED.splitlines()) if name.isupper()
]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def of(name: str) -> list[str]:
    return [rest.strip() for found, rest in INSTRUCTIONS if found == name]


@contextmanager
def answering(status: int) -> Iterator[int]:
    """A server that answers every GET of /livez with the status, at the port yielded."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/livez" else 404)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def test_everything_that_is_installed_from_elsewhere_is_checked_by_its_hash() -> None:
    installs = [part for rest in of("RUN") for part in rest.split("&&") if "pip install" in part or "pip wheel" in part]
    assert len(installs) == 4
    for part in installs:
        assert "--require-hashes" in part or "--no-deps" in part
        assert "pip wheel" not in part or "--no-build-isolation" in part


def test_what_is_copied_exists_and_is_not_kept_from_the_build() -> None:
    ignored = (ROOT / "deploy/Containerfile.dockerignore").read_text().split()
    copied = [source for rest in of("COPY") if not rest.startswith("--") for source in rest.split()[:-1]]
    assert copied
    for source in copied:
        assert (ROOT / source).exists()
        assert f"!{source}" in ignored


def test_it_does_not_run_as_root() -> None:
    assert of("USER")[-1].isdigit()
    assert int(of("USER")[-1]) > 0
    assert f"--uid {of('USER')[-1]} " in of("RUN")[-1]


def test_both_stages_have_a_python_that_the_project_takes() -> None:
    least = re.fullmatch(r">=(3\.\d+)", PROJECT["requires-python"])
    assert least is not None
    assert {image.split(" ")[0] for image in of("FROM")} == {f"python:{least[1]}-slim"}


def test_the_entry_point_is_a_command_of_the_project() -> None:
    (entry,) = of("ENTRYPOINT")
    assert json.loads(entry)[0] in PROJECT["scripts"]


def test_metrics_and_health_can_be_asked_for_from_outside() -> None:
    assert "PARCELWATCH_METRICS_HOST=0.0.0.0" in shlex.split(of("ENV")[-1])


def test_the_port_is_the_one_of_the_compose_file() -> None:
    (port,) = of("EXPOSE")
    assert f"PARCELWATCH_METRICS_PORT={port}" in shlex.split(of("ENV")[-1])
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    assert services["worker-1"]["environment"]["PARCELWATCH_METRICS_PORT"] == port


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False), (404, False)])
def test_the_health_check_follows_the_worker(status: int, healthy: bool) -> None:
    (check,) = of("HEALTHCHECK")
    program, *arguments = json.loads(check.partition("CMD ")[2])
    assert program == "python"
    with answering(status) as port:
        environment = os.environ | {"PARCELWATCH_METRICS_PORT": str(port)}
        done = subprocess.run(
            [sys.executable, *arguments], env=environment, capture_output=True, timeout=PATIENCE, check=False
        )
    assert (done.returncode == 0) is healthy


def test_the_wheel_holds_every_file_of_the_packages(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--wheel-dir", str(tmp_path), str(ROOT)], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("parcelwatch-*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    wanted = {
        str(path.relative_to(ROOT))
        for package in ("streams", "schemas")
        for path in (ROOT / package).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert wanted <= held
