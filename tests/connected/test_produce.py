"""`parcelwatch produce` on a real Kafka: every event once, under its key and in its partition."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from schemas.times import SECOND, render
from schemas.topics import INPUTS
from streams.cli.options import PARTITIONERS
from tests.connected.marketplace import command, end, generated, is_valid, said
from tests.connected.mortals import until_true
from tests.kafka_broker import Broker

TOPICS = {"orders": 5, "chats": 5, "logistics-scans": 3}


def scan(number: str, at: int) -> str:
    value = {
        "event_id": f"{number}-{at}", "type": "scan", "occurred_at": render(at), "tracking_no": number,
        "carrier": "ZTO", "status": "arrived",
    }  # fmt: skip
    return json.dumps({"topic": "logistics-scans", "value": value}) + "\n"


@pytest.mark.parametrize("partitioner", ["murmur2", "crc32"])
async def test_every_event_is_under_its_key_in_its_partition(kafka: Broker, tmp_path: Path, partitioner: str) -> None:
    await kafka.create_topics(TOPICS)
    produced = [event for event in generated(2) if is_valid(*event)]
    file = tmp_path / "in.jsonl"
    with file.open("wb") as out:
        out.writelines(b'{"topic":"%s","value":%s}\n' % (topic.encode(), value) for topic, _, value in produced)
        out.write(b"no event\n")
    process = await command(
        "produce", str(file), "--broker", f"kafka://{kafka.bootstrap}", "--partitioner", partitioner
    )
    told = await said(process)
    assert process.returncode == 0, told
    for topic in INPUTS:
        records = await kafka.read_committed(topic)
        assert sorted((record.key, record.value) for record in records) == sorted(
            (key, value) for one, key, value in produced if one == topic
        )
        for record in records:
            assert record.partition == PARTITIONERS[partitioner](record.key, TOPICS[topic])
    assert told.startswith(f"left out: {file}: line {len(produced) + 1}: not_json")


async def test_a_paced_run_sends_an_event_when_it_is_due_and_ends_when_it_is_asked_to(
    kafka: Broker, tmp_path: Path
) -> None:
    await kafka.create_topics(TOPICS)
    began = time.time_ns() // 1000 - 10 * 3600 * SECOND
    file = tmp_path / "in.jsonl"
    file.write_text(scan("A", began) + scan("B", began + SECOND) + scan("C", began + 3600 * SECOND))
    process = await command("produce", str(file), "--broker", f"kafka://{kafka.bootstrap}", "--speed", "1")
    try:

        async def two_are_there() -> bool:
            return sum((await kafka.end_offsets("logistics-scans")).values()) == 2

        await until_true(two_are_there)
        process.terminate()
        told = await said(process)
    finally:
        await end(process)
    assert process.returncode == 130, told
    assert "start it again" in told
    assert sorted(record.key for record in await kafka.read_committed("logistics-scans")) == [b"A", b"B"]


async def test_a_topic_that_is_missing_is_told_and_not_made(kafka: Broker, tmp_path: Path) -> None:
    file = tmp_path / "in.jsonl"
    file.write_text(scan("A", 0))
    process = await command("produce", str(file), "--broker", f"kafka://{kafka.bootstrap}")
    told = await said(process)
    assert process.returncode == 2
    assert told.endswith("\nparcelwatch: topic orders does not exist: run `parcelwatch topics` first\n")
    assert not await kafka.topics()
