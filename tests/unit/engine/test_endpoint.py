"""What a worker tells over HTTP, and counts while it works."""

from __future__ import annotations

import asyncio
import re
import socket
import urllib.error
import urllib.request

import aiohttp
import pytest
from aiohttp.test_utils import unused_port

from streams.engine.errors import FatalError
from streams.worker.endpoint import endpoint
from streams.worker.health import Health
from streams.worker.metrics import Metrics
from tests.patience import PATIENCE
from tests.unit.engine.embedding import embedded
from tests.unit.engine.history import T0, UNTIL
from tests.unit.engine.toy import HOUR, SECOND, pack


async def test_metrics_and_health_are_served() -> None:
    port, health = unused_port(), Health()
    metrics = Metrics()
    metrics.read("scans", 7)
    async with endpoint("127.0.0.1", port, metrics, health), aiohttp.ClientSession() as client:
        async with client.get(f"http://127.0.0.1:{port}/metrics") as answer:
            assert 'parcelwatch_records_read_total{topic="scans"} 7.0' in await answer.text()
        for page in ("readyz", "healthz"):
            async with client.get(f"http://127.0.0.1:{port}/{page}") as answer:
                assert answer.status == 503
                assert await answer.json() == {
                    "ready": False,
                    "reasons": {"starting": "it has not joined the group yet"},
                }
        health.well("starting")
        for page in ("readyz", "healthz"):
            async with client.get(f"http://127.0.0.1:{port}/{page}") as answer:
                assert (answer.status, await answer.json()) == (200, {"ready": True, "reasons": {}})
        async with client.get(f"http://127.0.0.1:{port}/livez") as answer:
            assert (answer.status, await answer.json()) == (200, {"alive": True, "reasons": {}})
        health.wrong("standstill", "a task gets nowhere")
        health.give_up()
        async with client.get(f"http://127.0.0.1:{port}/livez") as answer:
            told = {"alive": False, "reasons": {"standstill": "a task gets nowhere"}}
            assert (answer.status, await answer.json()) == (503, told)


async def test_health_answers_while_the_event_loop_of_the_worker_does_not_come_round() -> None:
    port, health = unused_port(), Health()
    health.well("starting")
    health._beaten -= 6
    async with endpoint("127.0.0.1", port, Metrics(), health):
        # Nothing else runs here meanwhile: whoever asks keeps the event loop.
        assert asked(port, "livez")[0] == 200
        status, told = asked(port, "readyz")
        assert status == 503
        assert re.search("one step of a task has taken [0-9]+ s so far", told)
        assert "parcelwatch_ready" in asked(port, "metrics")[1]
    health._beaten -= 400
    assert not health.alive


async def test_of_connections_that_never_ask_the_oldest_end_where_there_are_too_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("streams.worker.endpoint._CONNECTIONS", 5)
    monkeypatch.setattr("streams.worker.endpoint._LASTING", 2 * PATIENCE)
    port = unused_port()
    async with endpoint("127.0.0.1", port, Metrics(), Health()), asyncio.timeout(PATIENCE):
        silent = []
        for _ in range(20):
            silent.append(await asyncio.open_connection("127.0.0.1", port))
            # Whoever is answered comes behind: the one before has been taken.
            assert (await asyncio.to_thread(asked, port, "livez"))[0] == 200
        for reader, _ in silent[:15]:
            assert await ended(reader)
        for _, writer in silent:
            writer.close()


async def test_a_connection_that_never_ends_its_question_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.worker.endpoint._LASTING", 0.5)
    port = unused_port()
    async with endpoint("127.0.0.1", port, Metrics(), Health()), asyncio.timeout(PATIENCE):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /livez HTTP/1.1\r\n")
        assert await ended(reader)
        writer.close()


def asked(port: int, page: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{page}", timeout=PATIENCE) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


async def ended(reader: asyncio.StreamReader) -> bool:
    """Waits until the other end has ended the connection, without a word."""
    try:
        return await reader.read() == b""
    except ConnectionResetError:
        return True


async def test_a_port_that_is_taken_is_said_in_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(FatalError, match=f"cannot listen on 127.0.0.1:{port}"):
            async with endpoint("127.0.0.1", port, Metrics(), Health()):
                pass


async def test_a_worker_counts_what_it_reads_is_late_and_is_left_out() -> None:
    worker = embedded({"desk": 1, "road": 1}, once=True)
    for time in (T0 + 2 * HOUR, T0 + HOUR, T0 + HOUR - SECOND, UNTIL + SECOND):
        worker.append("scans", b"p1", pack([time, "scan", "p1"]))
    async with worker, asyncio.timeout(PATIENCE):
        assert await worker.finished() == 0
    value = worker.metrics.registry.get_sample_value
    assert value("parcelwatch_records_read_total", {"topic": "scans"}) == 4
    assert value("parcelwatch_late_events_total", {"topic": "scans"}) == 1
    assert value("parcelwatch_left_out_events_total", {"topic": "scans"}) == 1
    commits = value("parcelwatch_commits_total", {"kind": "road"})
    assert commits is not None
    assert commits >= 1
