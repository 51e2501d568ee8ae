"""`parcelwatch ingest` on a real Kafka, as the process that a user starts: what it answers for is in the topics."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import os
import random
import shutil
import signal
from pathlib import Path

import aiohttp
import pytest

from streams.engine.partitioner import partition_for
from tests.connected.documented_rights import documented
from tests.connected.ingesting import SECRET, Ingest, ingesting
from tests.connected.marketplace import end, run, said
from tests.connected.mortals import until_true
from tests.connected.pushes import SALT
from tests.kafka_broker import Broker
from tests.kafka_broker.acls import grant, revoke
from tests.kafka_broker.broker import BOUND, PASSWORD
from tests.ports import free_port

DOCS = Path(__file__).parents[2] / "docs/ingest.md"
TOPICS = {"orders": 5, "chats": 5, "logistics-scans": 3, "ingest.dlq": 1}


async def numbers(kafka: Broker) -> dict[str, int]:
    """How many records there are of each tracking number."""
    found: dict[str, int] = {}
    for record in await kafka.read_committed("logistics-scans"):
        found[record.key.decode()] = found.get(record.key.decode(), 0) + 1
    return found


async def test_pushes_are_in_their_topics_under_their_keys_and_in_their_partitions(kafka: Broker) -> None:
    await run("topics", "--broker", f"kafka://{kafka.bootstrap}", "--order-partitions", "5", "--scan-partitions", "3")
    async with ingesting(kafka) as (ingest, session):
        for number in range(8):
            answer = await ingest.push(session, f"P{number}")
            assert answer == (200, {"result": True, "returnCode": "200", "message": "成功"})
        body = json.dumps(
            {
                "id": 820982911946154508, "created_at": "2026-03-04T10:00:00Z", "processed_at": "2026-03-04T10:00:00Z",
                "financial_status": "paid", "line_items": [{"id": 1, "product_id": 7, "quantity": 1, "price": "9.00"}],
            }
        ).encode()  # fmt: skip
        sign = base64.b64encode(hmac.digest(SECRET.encode(), body, "sha256")).decode()
        headers = {"X-Shopify-Hmac-Sha256": sign, "X-Shopify-Shop-Domain": "tea-house.myshopify.com"}
        async with session.post(f"{ingest.url}/push/shopify", data=body, headers=headers) as told:
            assert told.status == 200
        async with session.post(f"{ingest.url}/push/shopify", data=b"no order", headers=headers) as told:
            assert told.status == 401
        no_order = base64.b64encode(hmac.digest(SECRET.encode(), b"no order", "sha256")).decode()
        headers = {"X-Shopify-Hmac-Sha256": no_order}
        async with session.post(f"{ingest.url}/push/shopify", data=b"no order", headers=headers) as told:
            assert told.status == 200
        ingest.running.send_signal(signal.SIGTERM)
        told_by = await said(ingest.running)
    assert ingest.running.returncode == 0, told_by
    records = await kafka.read_committed("logistics-scans")
    assert {record.key.decode() for record in records} == {f"P{number}" for number in range(8)}
    assert len(records) == 16
    for record in records:
        assert json.loads(record.value)["tracking_no"] == record.key.decode()
        assert record.partition == partition_for(record.key, 3)
    orders = await kafka.read_committed("orders")
    assert {json.loads(record.value)["type"] for record in orders} >= {"order.placed", "order.paid"}
    for record in orders:
        assert json.loads(record.value)["shop_id"] == "tea-house.myshopify.com"
        assert record.key == json.loads(record.value)["order_id"].encode()
        assert record.partition == partition_for(record.key, 5)
    (letter,) = await kafka.read_committed("ingest.dlq")
    assert (dict(letter.headers)["source-topic"], letter.value) == (b"push/shopify", None)


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl here: the push of the docs is left out")
async def test_the_push_of_the_docs_is_taken_as_curl_sends_it(kafka: Broker) -> None:
    await kafka.create_topics(TOPICS)
    lines = [line[4:] for line in DOCS.read_text().splitlines() if line.startswith("    ")]
    begin = next(number for number, line in enumerate(lines) if line.startswith("param="))
    script = "\n".join(lines[begin : begin + 3])
    async with ingesting(kafka) as (ingest, _):
        process = await asyncio.create_subprocess_exec(
            "bash", "-eu", "-c", script.replace("http://127.0.0.1:8081", ingest.url),
            env=os.environ | {"PARCELWATCH_INGEST_SECRET_KUAIDI100": SALT}, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        told, _ = await process.communicate()
    assert told.decode() == '{"result":true,"returnCode":"200","message":"成功"}'
    assert await numbers(kafka) == {"78300011112222": 1}


async def test_nothing_that_was_answered_is_lost_by_kills(kafka: Broker) -> None:
    await kafka.create_topics(TOPICS)
    answered: set[str] = set()
    count = 0
    async with ingesting(kafka) as (ingest, session):

        async def pushing() -> None:
            nonlocal count
            while not done.is_set():
                number = f"N{count}"
                count += 1
                status, _ = await ingest.push(session, number, 3)
                if status == 200:
                    answered.add(number)
                elif status == 0:
                    # It is being started again.
                    await asyncio.sleep(0.01)

        done = asyncio.Event()
        pushers = [asyncio.create_task(pushing()) for _ in range(16)]
        try:
            for _ in range(3):
                before = len(answered)

                async def more(before: int = before) -> bool:
                    return len(answered) >= before + random.randrange(30, 200)

                await until_true(more)
                await end(ingest.running)
                await ingest.start()
        finally:
            done.set()
            await asyncio.gather(*pushers)
    there = await numbers(kafka)
    assert len(answered) > 80
    assert not {number for number in answered if there.get(number, 0) < 3}


async def test_while_the_broker_is_frozen_platforms_are_told_to_come_back(mortal_kafka: Broker) -> None:
    await mortal_kafka.create_topics(TOPICS)
    async with ingesting(mortal_kafka, "--delivery-timeout", "8") as (ingest, session):
        assert (await ingest.push(session, "BEFORE"))[0] == 200
        mortal_kafka.pause()
        status, told = await ingest.push(session, "FROZEN")
        assert (status, told) == (503, {"result": False, "returnCode": "500", "message": "失败"})
        await ingest.ready(session, 503)
        mortal_kafka.resume()
        await ingest.ready(session)
        assert (await ingest.push(session, "AFTER"))[0] == 200
    there = await numbers(mortal_kafka)
    assert there["BEFORE"] == there["AFTER"] == 2


async def test_at_its_end_pushes_under_way_are_answered(mortal_kafka: Broker) -> None:
    await mortal_kafka.create_topics(TOPICS)
    port = free_port()
    options = ("--delivery-timeout", "120", "--metrics-port", str(port))
    async with ingesting(mortal_kafka, *options) as (ingest, session):

        async def is_worked_on() -> bool:
            async with session.get(f"http://127.0.0.1:{port}/metrics") as answer:
                return "\nparcelwatch_ingest_in_flight 1.0\n" in await answer.text()

        mortal_kafka.pause()
        pushing = asyncio.create_task(ingest.push(session, "LAST"))

        async def has_come() -> bool:
            return pushing.done() or await _refuses(ingest)

        await until_true(is_worked_on)
        ingest.running.send_signal(signal.SIGTERM)
        await until_true(has_come)
        assert not pushing.done()
        mortal_kafka.resume()
        assert (await pushing)[0] == 200
        told = await said(ingest.running)
        assert ingest.running.returncode == 0, told
    assert (await numbers(mortal_kafka))["LAST"] == 2


async def _refuses(ingest: Ingest) -> bool:
    host, port = ingest.url.removeprefix("http://").split(":")
    try:
        _, writer = await asyncio.open_connection(host, int(port))
    except OSError:
        return True
    writer.close()
    return False


async def test_the_documented_rights_are_enough(mortal_kafka: Broker) -> None:
    await mortal_kafka.create_topics(TOPICS)
    rights = [right for right, _ in documented("produce", "ingest", app="parcelwatch")]
    await grant(mortal_kafka.bootstrap, BOUND, rights)
    ingest = Ingest(
        mortal_kafka.secured, "--security-protocol", "SASL_PLAINTEXT", "--sasl-username", BOUND,
        PARCELWATCH_SASL_PASSWORD=PASSWORD,
    )  # fmt: skip
    try:
        await ingest.start()
        async with aiohttp.ClientSession() as session:
            await ingest.ready(session)
            assert (await ingest.push(session, "P"))[0] == 200
            assert (await ingest.push(session, "Q" * 200))[0] == 200
    finally:
        await end(ingest.running)
        await revoke(mortal_kafka.bootstrap, BOUND, rights)
    assert len(await mortal_kafka.read_committed("ingest.dlq")) == 1
