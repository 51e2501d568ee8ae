"""Nothing that bears the mark leaves a worker on a real Kafka: topics, files on disk, logs, metrics."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path

import aiohttp
from rocksdict import Options, Rdict

from schemas.times import render
from tests.connected.marketplace import APP, DEAD, OUTPUTS
from tests.kafka_broker import Broker
from tests.patience import PATIENCE
from tests.ports import free_port
from tests.unit.cli import environment
from tests.unit.privacy.secrets import END, INPUTS, Written, ahead, finds_mark, invalid, valid

#: The command with everything logged that there is, by the libraries too.
TALKATIVE = (
    "import logging, sys; logging.basicConfig(level=logging.DEBUG); "
    "from streams.cli.main import main; main(sys.argv[1:])"
)


async def worker(kafka: Broker, state: Path, *options: str) -> asyncio.subprocess.Process:
    """Starts a worker that logs everything, and keeps a copy of its state on disk."""
    fixed = (
        "--broker",
        f"kafka://{kafka.bootstrap}",
        "--app-id",
        APP,
        "--store",
        "rocksdict",
        "--state-dir",
        str(state),
    )
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", TALKATIVE, "worker", *fixed, "--commit-interval", "0.2", *options,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env=environment(PARCELWATCH_BUYER_KEY="a key of the operator's"),
    )  # fmt: skip


async def produce(kafka: Broker, records: Sequence[Written]) -> None:
    await kafka.create_topics({**INPUTS, **OUTPUTS})
    for (topic, partition), group in groupby(records, key=lambda one: (one.topic, one.partition)):
        await kafka.produce(topic, [(one.key, one.value) for one in group], partition=partition)


async def leaking(kafka: Broker, topics: Iterable[str]) -> set[str]:
    """Topics with the mark in a record: key, value or headers."""
    found = set()
    for topic in topics:
        for record in await kafka.read_committed(topic):
            if finds_mark(record.key, record.value, *(value for _, value in record.headers)):
                found.add(topic)
    return found


async def all_read(kafka: Broker) -> bool:
    """Whether every record of the inputs has been read in committed transactions."""
    committed = await kafka.committed(APP)
    ends = {(topic, partition): end for topic in INPUTS for partition, end in (await kafka.end_offsets(topic)).items()}
    return all(committed.get(source, 0) >= end for source, end in ends.items())


async def metrics(port: int) -> bytes:
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/metrics") as answer:
        return await answer.read()


async def test_nothing_of_a_worker_on_kafka_bears_the_mark(kafka: Broker, tmp_path: Path) -> None:
    await produce(kafka, sorted([*invalid(), *ahead(), *valid()], key=lambda one: (one.topic, one.partition or 0)))
    port = free_port()
    process = await worker(kafka, tmp_path, "--clock", "stream", "--metrics-port", str(port))
    said = asyncio.create_task(process.communicate())
    async with asyncio.timeout(PATIENCE):
        while not said.done() and not await all_read(kafka):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    shown = await metrics(port)
    process.send_signal(signal.SIGTERM)
    first, _ = await asyncio.wait_for(said, PATIENCE)
    assert process.returncode == 0
    process = await worker(kafka, tmp_path, "--clock", render(END), "--once")
    second, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
    assert process.returncode == 0

    topics = await kafka.topics()
    assert {f"{APP}-orders-changelog", f"{APP}-shipments-changelog", f"{APP}-links", *OUTPUTS} <= topics
    # What was written is found where it was written to, so it would be where it must not be.
    assert await leaking(kafka, topics) == set(INPUTS)
    for topic in (*DEAD, "alerts.merchant", "alerts.platform", f"{APP}-shipments-changelog"):
        assert await kafka.read_committed(topic), topic

    databases = [path for path in (tmp_path / APP).iterdir() if path.is_dir()]
    assert len(databases) == sum(INPUTS[topic] for topic in ("orders", "logistics-scans"))
    for path in databases:
        assert not any(finds_mark(file.read_bytes()) for file in path.rglob("*") if file.is_file())
        database = Rdict(str(path), Options(raw_mode=True))
        rows = [bytes(key) + bytes(value) for key, value in database.items()]
        database.close()
        assert rows
        assert not any(map(finds_mark, rows))

    assert not finds_mark(shown)
    assert b"parcelwatch_dead_letters" in shown
    for logged in (first, second):
        assert b"DEBUG:aiokafka" in logged
        assert b"faust" in logged
        assert not finds_mark(logged)
