"""Compose's Prometheus and Alertmanager, as processes with the files that it mounts: alerts reach who is on call."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import yaml
from aiohttp import ClientConnectionError, ClientSession

from tests.connected.marketplace import end, heard, heard_of
from tests.patience import PATIENCE
from tests.ports import free_ports

ROOT = Path(__file__).parents[2]
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
BINARIES = {"prometheus": "prometheus", "alertmanager": "prometheus-alertmanager"}


def mounted(service: str, folder: Path, changes: Callable[[str], str]) -> list[str]:
    """The service's command, with what it mounts in `folder`: its files changed, its data empty."""
    command: list[str] = SERVICES[service]["command"]
    for mount in SERVICES[service]["volumes"]:
        source, target = mount.removesuffix(":ro").split(":")
        place = folder / service / target.lstrip("/")
        place.mkdir(parents=True)
        for file in (ROOT / source).iterdir() if source.startswith(".") else ():
            (place / file.name).write_text(changes(file.read_text()))
        command = [re.sub(rf"={target}\b", f"={place}", word) for word in command]
    return command


@asynccontextmanager
async def served(service: str, port: int, command: list[str]) -> AsyncIterator[str]:
    """Runs until the block ends; its address, at which it is ready."""
    process = await heard(BINARIES[service], *command, f"--web.listen-address=127.0.0.1:{port}")
    address = f"http://127.0.0.1:{port}"
    try:
        async with asyncio.timeout(PATIENCE):
            while await asked(f"{address}/-/ready") is None:
                assert process.returncode is None, "".join(heard_of(process))
                await asyncio.sleep(0.1)
        yield address
    finally:
        await end(process)


async def asked(address: str) -> str | None:
    """What is there; None where nothing is yet."""
    try:
        async with ClientSession() as session, session.get(address) as answer:
            return await answer.text() if answer.status == 200 else None
    except ClientConnectionError:
        return None


async def alerts(address: str) -> dict[str, dict[str, Any]]:
    """By name, those that Alertmanager has."""
    told = await asked(f"{address}/api/v2/alerts")
    return {one["labels"]["alertname"]: one for one in json.loads(told or "[]")}


async def test_that_no_worker_runs_reaches_who_is_on_call_and_silences_what_follows_from_it(tmp_path: Path) -> None:
    one, other, nobody = free_ports(3)

    def here(text: str) -> str:
        """The same in little time on this machine, with workers that do not answer."""
        text = re.sub(r"worker-\d:9464", f"127.0.0.1:{nobody}", text).replace("alertmanager:9093", f"127.0.0.1:{other}")
        return re.sub(r"((?:_interval|for): *)\d+[smh]", r"\g<1>1s", text)

    async with (
        served("alertmanager", other, mounted("alertmanager", tmp_path, here)) as manager,
        served("prometheus", one, mounted("prometheus", tmp_path, here)),
    ):
        async with asyncio.timeout(PATIENCE):
            while not reached(found := await alerts(manager)):  # noqa: ASYNC110
                await asyncio.sleep(0.2)
    assert [receiver["name"] for receiver in found["ParcelwatchDown"]["receivers"]] == ["on-call"]


def reached(found: dict[str, dict[str, Any]]) -> bool:
    """Whether the one is told, and the other is silenced by it."""
    states = {name: one["status"]["state"] for name, one in found.items()}
    return states.get("ParcelwatchDown") == "active" and states.get("ParcelwatchWorkerDown") == "suppressed"
