"""What a worker tells over HTTP, and counts while it works."""

from __future__ import annotations

import asyncio
import socket

import aiohttp
import pytest
from aiohttp.test_utils import unused_port

from streams.engine.errors import FatalError
from streams.worker.endpoint import endpoint
from streams.worker.metrics import CATALOGUE, Metrics
from tests.unit.engine.embedding import PATIENCE, embedded
from tests.unit.engine.history import T0, UNTIL
from tests.unit.engine.toy import HOUR, SECOND, pack


async def test_metrics_and_health_are_served() -> None:
    port, ready = unused_port(), False
    metrics = Metrics()
    metrics.read("scans", 7)
    async with endpoint("127.0.0.1", port, metrics, lambda: ready), aiohttp.ClientSession() as client:
        async with client.get(f"http://127.0.0.1:{port}/metrics") as answer:
            assert 'parcelwatch_records_read_total{topic="scans"} 7.0' in await answer.text()
        async with client.get(f"http://127.0.0.1:{port}/healthz") as answer:
            assert (answer.status, await answer.json()) == (503, {"ready": False})
        ready = True
        async with client.get(f"http://127.0.0.1:{port}/healthz") as answer:
            assert (answer.status, await answer.json()) == (200, {"ready": True})


async def test_a_port_that_is_taken_is_said_in_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(FatalError, match=f"cannot listen on 127.0.0.1:{port}"):
            async with endpoint("127.0.0.1", port, Metrics(), lambda: True):
                pass


async def test_a_worker_counts_what_it_reads_is_late_and_is_left_out() -> None:
    worker = embedded({"desk": 1, "road": 1}, once=True)
    for time in (T0 + 2 * HOUR, T0 + HOUR, T0 + HOUR - SECOND, UNTIL + SECOND):
        worker.append("scans", b"p1", pack([time, "scan", "p1"]))
    async with worker, asyncio.timeout(PATIENCE):
        assert await worker.finished() == 0
    value = worker.metrics.registry.get_sample_value
    assert value("parcelwatch_records_read_total", {"topic": "scans"}) == 4
    assert value("parcelwatch_late_total", {"topic": "scans"}) == 1
    assert value("parcelwatch_left_out_total", {"topic": "scans"}) == 1
    commits = value("parcelwatch_commits_total", {"kind": "road"})
    assert commits is not None
    assert commits >= 1


def test_every_metric_of_the_catalogue_says_what_it_means() -> None:
    assert len({entry.name for entry in CATALOGUE}) == len(CATALOGUE)
    assert all(entry.meaning and entry.name.startswith("parcelwatch_") for entry in CATALOGUE)
