"""How many pushes one process of `parcelwatch ingest` answers, beside a bare server with the same producer.

    python -m bench.ingest [--seconds N] [--scans N] [--rate N]

Both are asked in turn, within the same minutes, for kuaidi100's pushes of one parcel each: as fast as can be by a
number of connections, then at a fixed rate, by the clock. The bare one is an aiohttp handler that writes one record for
each push and reads nothing. Beside them a producer of its own tells how long the broker takes by itself.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from statistics import quantiles
from typing import NamedTuple
from urllib.parse import urlencode

from aiohttp import web
from aiokafka import AIOKafkaProducer

from bench.machine import busy, cpu, described
from streams.engine.log.kafka import KafkaSettings
from streams.engine.partitioner import partition_for
from streams.produce.writer import EventWriter, Outgoing
from tests.kafka_broker import own

SALT = "pinch-of-salt"
TOPICS = {"orders": 1, "chats": 1, "logistics-scans": 12, "ingest.dlq": 1}
#: Connections of the closed loop and of the fixed rate; pushes that are made beforehand.
_CONNECTIONS, _MADE = 64, 4_000


class Told(NamedTuple):
    """Of one measurement: answers a second, CPU of the server by answer (microseconds), latencies (milliseconds)."""

    rate: float
    cpu: float
    p50: float
    p99: float


def push(number: int, scans: int) -> bytes:
    """A whole request."""
    data = [
        {
            "ftime": f"2026-03-04 {hour:02}:10:00", "time": f"2026-03-04 {hour:02}:10:00", "statusCode": "1002",
            "context": "【杭州转运中心】已发出，下一站 【武汉转运中心】", "status": "干线", "areaName": "浙江,杭州市",
        }
        for hour in range(scans)
    ]  # fmt: skip
    parcel = {"nu": f"7830{number:010}", "com": "zhongtong", "state": "0", "data": data}
    param = json.dumps({"status": "polling", "lastResult": parcel}, ensure_ascii=False)
    sign = hashlib.md5((param + SALT).encode()).hexdigest().upper()  # noqa: S324 - the platform's
    body = urlencode({"sign": sign, "param": param}).encode()
    head = f"POST /push/kuaidi100 HTTP/1.1\r\nHost: bench\r\nContent-Length: {len(body)}\r\n"
    return f"{head}Content-Type: application/x-www-form-urlencoded\r\n\r\n".encode() + body


class _Asking(asyncio.Protocol):
    """One connection, kept open; one push at a time."""

    def __init__(self) -> None:
        self._answer: asyncio.Future[bytes] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionError("closed"))

    async def ask(self, request: bytes) -> None:
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        answer = await self._answer
        assert answer.startswith(b"HTTP/1.1 200"), answer[:80]


async def measured(port: int, pid: int, made: Sequence[bytes], seconds: float, rate: float | None) -> Told:
    """Asks for so long; `rate`: pushes a second, by the clock; None: each connection again once it has its answer."""
    loop = asyncio.get_running_loop()
    free: asyncio.Queue[_Asking] = asyncio.Queue()
    for _ in range(_CONNECTIONS if rate is None else _CONNECTIONS * 4):
        free.put_nowait((await loop.create_connection(_Asking, "127.0.0.1", port))[1])
    taken: list[float] = []

    async def one(number: int, due: float) -> None:
        # What has to wait for a connection is late by that, too.
        connection = await free.get()
        await connection.ask(made[number % len(made)])
        taken.append(time.perf_counter() - due)
        free.put_nowait(connection)

    async def again(until: float) -> None:
        number = len(taken)
        while (now := time.perf_counter()) < until:
            await one(number, now)
            number += _CONNECTIONS

    before, began = cpu(pid), time.perf_counter()
    if rate is None:
        await asyncio.gather(*(again(began + seconds) for _ in range(_CONNECTIONS)))
    else:
        asked = []
        for number in range(int(rate * seconds)):
            due = began + number / rate
            if (ahead := due - time.perf_counter()) > 0.001:
                await asyncio.sleep(ahead)
            asked.append(asyncio.create_task(one(number, due)))
        await asyncio.gather(*asked)
    spent, lasted = cpu(pid) - before, time.perf_counter() - began
    cuts = quantiles(taken, n=100)
    return Told(len(taken) / lasted, spent / len(taken) * 1e6, cuts[49] * 1e3, cuts[98] * 1e3)


async def broker_alone(bootstrap: str, seconds: float) -> tuple[float, float]:
    """Milliseconds of one acknowledged record at a time: median and 99th percentile."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True)
    await producer.start()
    taken, until = [], time.perf_counter() + seconds
    while (began := time.perf_counter()) < until:
        await producer.send_and_wait("logistics-scans", b"{}", key=b"bench")
        taken.append(time.perf_counter() - began)
    await producer.stop()
    cuts = quantiles(taken, n=100)
    return cuts[49] * 1e3, cuts[98] * 1e3


async def bare(bootstrap: str, port: int) -> None:
    """The server to compare with."""
    writer = EventWriter(KafkaSettings(bootstrap=bootstrap), partition_for)
    await writer.open(["logistics-scans"])
    number = 0

    async def take(request: web.Request) -> web.Response:
        nonlocal number
        body = await request.read()
        number += 1
        record = Outgoing("logistics-scans", f"7830{number:010}".encode(), body[:300])
        await writer.arrived([await writer.append(record)])
        return web.json_response({"result": True})

    app = web.Application()
    app.router.add_post("/push/kuaidi100", take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


@asynccontextmanager
async def served(port: int, *command: str) -> AsyncIterator[int]:
    """The process of a server that listens."""
    environment = os.environ | {"PARCELWATCH_INGEST_SECRET_KUAIDI100": SALT}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *command, env=environment, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        while True:
            with suppress(OSError):
                (await asyncio.open_connection("127.0.0.1", port))[1].close()
                break
            assert process.returncode is None
            await asyncio.sleep(0.1)
        yield process.pid
    finally:
        process.send_signal(signal.SIGKILL)
        await process.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listens:
        return int(listens.getsockname()[1])


async def main(asked: argparse.Namespace) -> None:
    print(f"{described()}; others keep {busy():.1f} cores busy", flush=True)
    made = [push(number, asked.scans) for number in range(_MADE)]
    with tempfile.TemporaryDirectory() as folder:
        broker = own(Path(folder))
        await broker.start()
        try:
            await broker.create_topics(TOPICS)
            median, worst = await broker_alone(broker.bootstrap, asked.seconds / 2)
            print(f"broker alone: {median:.1f} ms, p99 {worst:.1f} ms", flush=True)
            for name in ("bare", "ingest", "bare", "ingest"):
                port = _free_port()
                command = ("bench.ingest", "--bare", broker.bootstrap, str(port)) if name == "bare" else (
                    "streams", "ingest", "--broker", f"kafka://{broker.bootstrap}", "--listen", f"127.0.0.1:{port}",
                )  # fmt: skip
                async with served(port, *command) as pid:
                    await measured(port, pid, made, 2.0, None)
                    for rate in (None, asked.rate):
                        told = await measured(port, pid, made, asked.seconds, rate)
                        how = "as fast as can be" if rate is None else f"at {rate:.0f}/s"
                        print(
                            f"{name:7}{how:18}{told.rate:7.0f} pushes/s, {told.cpu:6.0f} µs of CPU each "
                            f"({1e6 / told.cpu:,.0f}/s on a core), {told.p50:7.1f} ms, p99 {told.p99:7.1f} ms",
                            flush=True,
                        )
        finally:
            broker.remove()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--bare"]:
        asyncio.run(bare(sys.argv[2], int(sys.argv[3])))
    else:
        parser = argparse.ArgumentParser(prog="python -m bench.ingest", description=(__doc__ or "").split("\n")[0])
        parser.add_argument("--seconds", type=float, default=10.0, help="of each measurement")
        parser.add_argument("--scans", type=int, default=3, help="scans of a push")
        parser.add_argument("--rate", type=float, default=500.0, help="pushes a second of the fixed rate")
        asyncio.run(main(parser.parse_args()))
