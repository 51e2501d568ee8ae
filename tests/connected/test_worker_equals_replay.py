"""Two workers of one group on a real Kafka put out what the replay does."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from schemas.decode import Invalid, decode
from schemas.events import record_key
from schemas.times import DAY, parse, render
from streams.demo.market import Plan, market
from tests.kafka_broker import Broker

OUTPUTS = {"alerts.merchant": 2, "alerts.platform": 2, "help-rates": 2, "category-baselines": 2}
DEAD = ("orders.dlq", "logistics-scans.dlq", "chats.dlq")

#: (topic, key, value) in arrival order.
Produced = list[tuple[str, bytes, bytes]]


async def run(*arguments: str) -> None:
    """Runs the command as a user does; it must end with status 0."""
    process = await command(*arguments)
    _, error = await asyncio.wait_for(process.communicate(), 180)
    assert process.returncode == 0, error.decode()[-2000:]


async def command(*arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "streams",
        *arguments,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env={name: value for name, value in os.environ.items() if not name.startswith("PARCELWATCH_")},
    )


def generated(days: int) -> Produced:
    plan = Plan(seed=3, shops=12, orders_per_day=30, days=days)
    return [(one.topic, one.key.encode(), one.encode()) for one in market(plan)]


def from_lines(lines: Iterable[bytes]) -> Produced:
    produced = []
    for line in lines:
        tagged = json.loads(line)
        value = json.dumps(tagged["value"], ensure_ascii=False, separators=(",", ":")).encode()
        event, _ = decode(tagged["topic"], value)
        produced.append((tagged["topic"], record_key(event).encode(), value))
    return produced


def is_valid(topic: str, key: bytes, value: bytes) -> bool:
    try:
        return record_key(decode(topic, value)[0]).encode() == key
    except Invalid:
        return False


async def replay(events: Produced, until: str, folder: Path) -> Path:
    source = folder / "in.jsonl"
    with source.open("wb") as out:
        out.writelines(b'{"topic":"%s","value":%s}\n' % (topic.encode(), value) for topic, _, value in events)
    await run("replay", str(source), "--out", str(folder / "out"), "--until", until)
    return folder / "out"


async def produce(kafka: Broker, events: Produced, partitions: dict[str, int]) -> None:
    await kafka.create_topics({**partitions, **OUTPUTS, **dict.fromkeys(DEAD, 1)})
    for topic in partitions:
        await kafka.produce(topic, [(key, value) for one, key, value in events if one == topic])


async def compare(kafka: Broker, out: Path) -> None:
    for audience in ("merchant", "platform"):
        got = sorted(record.value for record in await kafka.read_committed(f"alerts.{audience}"))
        assert got == sorted((out / f"alerts.{audience}.jsonl").read_bytes().splitlines())
        assert got
    for table in ("help-rates", "category-baselines"):
        rows: dict[bytes, bytes | None] = {}
        for record in await kafka.read_committed(table):
            rows[record.key] = record.value
        left = sorted(value for value in rows.values() if value is not None)
        assert left == sorted((out / f"{table}.jsonl").read_bytes().splitlines())
        assert left


def worker(kafka: Broker, until: str) -> tuple[str, ...]:
    broker = f"kafka://{kafka.bootstrap}"
    return ("worker", "--broker", broker, "--app-id", "pw", "--clock", until, "--once", "--commit-interval", "0.2")


async def test_two_workers_say_what_the_replay_says(kafka: Broker, tmp_path: Path) -> None:
    events = generated(days=40)
    until = render(
        max(parse(json.loads(value)["occurred_at"]) for t, k, value in events if is_valid(t, k, value)) + 9 * DAY
    )
    out = await replay([event for event in events if is_valid(*event)], until, tmp_path)
    await produce(kafka, events, {"orders": 3, "chats": 3, "logistics-scans": 4})
    await asyncio.gather(run(*worker(kafka, until)), run(*worker(kafka, until)))
    await compare(kafka, out)
    dead = [record for topic in DEAD for record in await kafka.read_committed(topic)]
    assert len(dead) == sum(not is_valid(*event) for event in events)
    assert all(record.value is None for record in dead)


async def test_a_worker_killed_and_started_again_goes_on_where_it_was(kafka: Broker, tmp_path: Path) -> None:
    events = [event for event in generated(days=40) if is_valid(*event)]
    until = render(max(parse(json.loads(value)["occurred_at"]) for _, _, value in events) + 9 * DAY)
    out = await replay(events, until, tmp_path)
    await produce(kafka, events, {"orders": 3, "chats": 3, "logistics-scans": 3})
    for _ in range(2):
        process = await command(*worker(kafka, until))
        # In the midst of its work: something is committed, and not yet everything.
        while not any((await kafka.committed("pw")).values()):
            assert process.returncode is None
            await asyncio.sleep(0.05)
        process.kill()
        await process.wait()
    await run(*worker(kafka, until))
    await compare(kafka, out)


SHARED = Path(__file__).parents[3] / "shared" / "data"
CASES = ["olist"] if (SHARED / "olist").is_dir() else []


@pytest.mark.parametrize("case", CASES)
async def test_recorded_data_gives_the_same_in_workers_and_replay(case: str, kafka: Broker, tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "streams", "adapt", case, str(SHARED / case),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    printed, _ = await process.communicate()
    # A part of it, in the order of time, as a platform would produce it.
    events = from_lines(printed.splitlines())
    events.sort(key=lambda event: json.loads(event[2])["occurred_at"])
    events = events[:6000]
    until = render(max(parse(json.loads(value)["occurred_at"]) for _, _, value in events))
    out = await replay(events, until, tmp_path)
    await produce(kafka, events, {"orders": 3, "chats": 3, "logistics-scans": 3})
    await asyncio.gather(run(*worker(kafka, until)), run(*worker(kafka, until)))
    await compare(kafka, out)
