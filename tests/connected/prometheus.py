"""A real Prometheus as a process: it scrapes every second, evaluates rules, and answers queries."""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import yaml
from aiohttp import ClientConnectionError, ClientSession

from tests.connected.marketplace import end, heard, heard_of
from tests.patience import PATIENCE
from tests.ports import free_ports

INSTALLED = all(map(shutil.which, ("prometheus", "prometheus-alertmanager")))
LEFT_OUT = (
    "no prometheus or no prometheus-alertmanager here (of Debian's packages of these names): their tests are left out"
)
#: Seconds between two scrapes.
INTERVAL = 1

Sample = tuple[dict[str, str], float]


class PrometheusError(Exception):
    """Prometheus refuses a query."""


class Prometheus:
    """Asks the server at `port`."""

    def __init__(self, port: int, session: ClientSession) -> None:
        self._url = f"http://127.0.0.1:{port}"
        self._session = session

    async def query(self, expr: str) -> list[Sample]:
        """Labels and value of each series, now. Raises `PrometheusError`."""
        found = await self._ask("query", {"query": expr})
        series = found["result"] if found["resultType"] == "vector" else [{"metric": {}, "value": found["result"]}]
        return [(one["metric"], float(one["value"][1])) for one in series]

    async def course(self, expr: str, seconds: int) -> list[tuple[dict[str, str], list[float]]]:
        """Labels and values of each series, for each second up to now. Raises `PrometheusError`."""
        now = time.time()
        asked = {"query": expr, "start": now - seconds, "end": now, "step": INTERVAL}
        found = await self._ask("query_range", asked)
        return [(one["metric"], [float(value) for _, value in one["values"]]) for one in found["result"]]

    async def until(self, expr: str, holds: Callable[[list[Sample]], bool]) -> list[Sample]:
        """Waits until what the query gives is as it should be."""
        found: list[Sample] = []
        try:
            async with asyncio.timeout(PATIENCE):
                while not holds(found := await self.query(expr)):  # noqa: ASYNC110
                    await asyncio.sleep(0.2)
        except TimeoutError:
            raise AssertionError(f"{expr} is {found} still") from None
        return found

    async def firing(self, name: str, **labels: str) -> list[dict[str, str]]:
        """The annotations of the alerts of that name that fire now, of those with these labels."""
        return [
            one["annotations"]
            for one in (await self._ask("alerts", {}))["alerts"]
            if one["state"] == "firing" and {"alertname": name, **labels}.items() <= one["labels"].items()
        ]

    async def is_ready(self) -> bool:
        try:
            async with self._session.get(f"{self._url}/-/ready") as answer:
                return answer.status == 200
        except ClientConnectionError:
            return False

    async def _ask(self, verb: str, asked: Mapping[str, Any]) -> Any:
        async with self._session.get(f"{self._url}/api/v1/{verb}", params=asked) as answer:
            told = json.loads(await answer.read())
        if told["status"] != "success":
            raise PrometheusError(f"{asked}: {told['error']}")
        return told["data"]


@asynccontextmanager
async def prometheus(
    folder: Path,
    targets: Sequence[int] | Mapping[str, Sequence[int]],
    rules: Sequence[Path] = (),
    scraping: int = INTERVAL,
) -> AsyncIterator[Prometheus]:
    """Scrapes the ports `targets` of this machine, by job if there are several, until the block ends.

    It does so every `scraping` seconds, and keeps its files in `folder`.
    """
    config = {
        "global": {"scrape_interval": f"{scraping}s", "evaluation_interval": f"{INTERVAL}s"},
        "rule_files": [str(path) for path in rules],
        "scrape_configs": [
            {"job_name": job, "static_configs": [{"targets": [f"127.0.0.1:{port}" for port in ports]}]}
            for job, ports in (targets if isinstance(targets, Mapping) else {"parcelwatch": targets}).items()
        ],
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    (port,) = free_ports(1)
    process = await heard(
        "prometheus", f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    )  # fmt: skip
    try:
        async with ClientSession() as session:
            server = Prometheus(port, session)
            async with asyncio.timeout(PATIENCE):
                while not await server.is_ready():
                    assert process.returncode is None, "".join(heard_of(process))
                    await asyncio.sleep(0.1)
            yield server
    finally:
        await end(process)
