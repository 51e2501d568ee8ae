"""On a broker that makes topics for whoever asks for them, as Kafka does by default, none is made by asking."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.connected.conftest import running
from tests.kafka_broker import Broker, own
from tests.kafka_broker.broker import SETTINGS
from tests.patience import PATIENCE

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def creating_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker of these tests with `auto.create.topics.enable`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(SETTINGS, "auto.create.topics.enable", "true")
        yield from running(own, tmp_path_factory.mktemp("creating"))


@pytest.fixture
async def creating_kafka(creating_broker: Broker) -> AsyncIterator[Broker]:
    """It, without topics."""
    yield creating_broker
    await creating_broker.wipe()


async def parcelwatch(broker: Broker, *arguments: str) -> tuple[int, str]:
    """Status and output of a command on the broker."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "streams", *arguments, "--broker", f"kafka://{broker.bootstrap}",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    async with asyncio.timeout(PATIENCE):
        said, _ = await process.communicate()
    return process.returncode or 0, said.decode()


#: Another client, which allows the broker to make what it asks for: one partition, not compacted.
ASKS = """
import asyncio, sys
from aiokafka import AIOKafkaProducer
async def ask():
    async with AIOKafkaProducer(bootstrap_servers=sys.argv[1]) as producer:
        for topic in sys.argv[2:]:
            await producer.send_and_wait(topic, b"{}")
asyncio.run(ask())
"""


async def make(broker: Broker, *topics: str) -> None:
    """Lets another client ask for topics."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", ASKS, broker.bootstrap, *topics)
    async with asyncio.timeout(PATIENCE):
        assert await process.wait() == 0


async def test_no_command_makes_a_topic_by_asking_for_it(creating_kafka: Broker) -> None:
    for asked in (
        ("worker",),
        ("worker", "--guarantee", "at_least_once"),
        ("explain", "A1"),
        ("forget", "--order", "A1"),
        ("topics", "--dry-run"),
    ):
        status, said = await parcelwatch(creating_kafka, *asked)
        assert await creating_kafka.topics() == set(), (asked, said)
        assert "Traceback" not in said
        if asked[0] in ("worker", "explain"):
            assert (status, "topics" in said) == (2, True), said


async def test_clients_that_are_open_bring_no_deleted_topic_back(creating_kafka: Broker) -> None:
    assert (await parcelwatch(creating_kafka, "topics", "--order-partitions", "2", "--scan-partitions", "2"))[0] == 0
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "streams", "worker", "--broker", f"kafka://{creating_kafka.bootstrap}",
        stderr=asyncio.subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert worker.stderr is not None
    async with asyncio.timeout(PATIENCE):
        while b"event='restored'" not in (line := await worker.stderr.readline()):
            assert line, "it has ended"
    asked_of = {"chats", "alerts.merchant"}
    async with creating_kafka.admin() as admin:
        await creating_kafka.delete_topics(asked_of)
        # The worker asks again and again meanwhile; it may end for what it finds.
        for _ in range(20):
            await asyncio.sleep(0.1)
            assert not {topic["topic"] for topic in await admin.describe_topics()} & asked_of
    if worker.returncode is None:
        worker.terminate()
    await worker.communicate()
    assert not await creating_kafka.topics() & asked_of


async def test_topics_that_were_made_so_are_told_with_what_to_do(creating_kafka: Broker) -> None:
    changelog = "parcelwatch-orders-changelog"
    await make(creating_kafka, "help-rates", changelog, "alerts.merchant")
    status, said = await parcelwatch(creating_kafka, "topics")
    assert status == 1
    assert "disagrees: help-rates has cleanup.policy delete, wanted cleanup.policy compact" in said
    assert f"disagrees: {changelog} has 1 partitions, wanted 12" in said
    assert "--entity-name help-rates --add-config cleanup.policy=compact" in said
    assert f"stop the workers, take {changelog} away with `parcelwatch reset`" in said
