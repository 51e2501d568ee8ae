"""The commands of `docker-compose.yml`, run as they stand there, without containers, against a real broker."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from tests.kafka_broker import Broker
from tests.patience import PATIENCE
from tests.ports import free_ports

ROOT = Path(__file__).parents[2]
COMMAND = Path(sys.executable).with_name("parcelwatch")
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]


@asynccontextmanager
async def running(
    service: str, kafka: Broker, folder: Path, changes: Mapping[str, str] | None = None
) -> AsyncIterator[Process]:
    """The service's command with its own environment, but on the tests' broker; ended at the end.

    `folder` takes the files that compose puts into the container.
    """
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PARCELWATCH_")}
    asked = {name: _resolved(value) for name, value in SERVICES[service]["environment"].items()}
    asked["PARCELWATCH_BROKER"] = f"kafka://{kafka.bootstrap}"
    for placed in SERVICES[service]["configs"]:
        file = folder / Path(placed["target"]).name
        file.write_text(COMPOSE["configs"][placed["source"]]["content"])
        asked = {name: str(file) if value == placed["target"] else value for name, value in asked.items()}
    process = await asyncio.create_subprocess_exec(
        COMMAND, *SERVICES[service]["command"], env=clean | asked | dict(changes or {}), stdout=PIPE, stderr=STDOUT
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _resolved(value: str) -> str:
    """The value as compose takes it where nothing is set: `${NAME:-default}`."""
    return re.sub(r"\$\{[A-Z_]+:-([^}]*)\}", r"\1", value)


async def ended(process: Process) -> tuple[int, str]:
    """The exit status and all output of a process that ends by itself."""
    output, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
    assert process.returncode is not None
    return process.returncode, output.decode()


async def healthy(port: int, process: Process) -> None:
    """Waits until the worker says that it is well; fails where it ends before."""
    async with asyncio.timeout(PATIENCE), aiohttp.ClientSession() as session:
        while True:
            assert process.returncode is None, (await ended(process))[1]
            try:
                async with session.get(f"http://127.0.0.1:{port}/healthz") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientConnectionError:
                pass
            await asyncio.sleep(0.1)


async def test_the_topics_service_makes_what_the_workers_need_and_they_start_and_stop(
    kafka: Broker, tmp_path: Path
) -> None:
    async with running("topics", kafka, tmp_path) as topics:
        status, output = await ended(topics)
    assert status == 0, output
    assert {"orders", "chats", "logistics-scans", "alerts.merchant"} <= await kafka.topics()

    one, other = free_ports(2)
    async with (
        running("worker-1", kafka, tmp_path, {"PARCELWATCH_METRICS_PORT": str(one)}) as first,
        running("worker-2", kafka, tmp_path, {"PARCELWATCH_METRICS_PORT": str(other)}) as second,
    ):
        await asyncio.gather(healthy(one, first), healthy(other, second))
        for worker in (first, second):
            worker.send_signal(signal.SIGTERM)
            status, output = await ended(worker)
            assert status == 0, output


async def test_the_feed_gives_the_workers_a_past_that_raises_alerts_and_then_goes_on(
    kafka: Broker, tmp_path: Path
) -> None:
    async with running("topics", kafka, tmp_path) as topics:
        status, output = await ended(topics)
    assert status == 0, output
    (port,) = free_ports(1)
    little = {"PARCELWATCH_ORDERS_PER_DAY": "20", "PARCELWATCH_DAYS": "20"}
    async with (
        running("worker-1", kafka, tmp_path, {"PARCELWATCH_METRICS_PORT": str(port)}) as worker,
        running("feed", kafka, tmp_path, little) as feed,
    ):
        await healthy(port, worker)
        async with asyncio.timeout(PATIENCE):
            while not await kafka.read_committed("alerts.merchant"):
                assert feed.returncode is None, (await ended(feed))[1]
                await asyncio.sleep(0.5)
        feed.send_signal(signal.SIGTERM)
        status, output = await ended(feed)
    assert status == 0, output
    assert "records sent" in output


async def test_the_topics_service_runs_again_without_harm(kafka: Broker, tmp_path: Path) -> None:
    for _ in range(2):
        async with running("topics", kafka, tmp_path) as topics:
            status, output = await ended(topics)
        assert status == 0, output
    assert "disagrees" not in output


async def test_the_console_service_answers_at_its_published_port(kafka: Broker, tmp_path: Path) -> None:
    async with running("topics", kafka, tmp_path) as topics:
        status, output = await ended(topics)
    assert status == 0, output
    published = SERVICES["console"]["ports"][0].split(":")
    assert published[1] == published[2] == SERVICES["console"]["environment"]["PARCELWATCH_LISTEN_PORT"]
    (port,) = free_ports(1)
    async with running("console", kafka, tmp_path, {"PARCELWATCH_LISTEN_PORT": str(port)}) as console:
        async with asyncio.timeout(PATIENCE), aiohttp.ClientSession() as session:
            while True:
                assert console.returncode is None, (await ended(console))[1]
                try:
                    async with session.get(f"http://127.0.0.1:{port}/", headers={"Host": "localhost:8080"}) as answer:
                        if answer.status == 200 and "not complete" not in await answer.text():
                            break
                except aiohttp.ClientConnectionError:
                    pass
                await asyncio.sleep(0.1)
        console.send_signal(signal.SIGTERM)
        status, output = await ended(console)
        assert status == 0, output
