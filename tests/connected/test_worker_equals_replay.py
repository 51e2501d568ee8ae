"""Two workers of one group on a real Kafka put out what the replay does."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest

from schemas.times import parse, render
from streams.engine.runtime import Cadence
from tests.connected.marketplace import (
    ALERTS,
    DEAD,
    THREE,
    compare,
    from_lines,
    generated,
    last_time,
    produce,
    progress,
    replay,
    run,
    running,
    said,
    some_days_after,
    valid,
    worker,
)
from tests.kafka_broker import Broker

#: So many tasks that watermarks are told for several at once.
MANY = dict.fromkeys(THREE, Cadence().direct + 3)


@pytest.mark.parametrize("partitions", [{"orders": 3, "chats": 3, "logistics-scans": 4}, MANY], ids=["few", "many"])
async def test_two_workers_say_what_the_replay_says(partitions: dict[str, int], kafka: Broker, tmp_path: Path) -> None:
    events = generated(days=40)
    good = valid(events)
    until = some_days_after(good)
    out = await replay(good, until, tmp_path)
    await produce(kafka, events, partitions)
    await asyncio.gather(run(*worker(kafka, until)), run(*worker(kafka, until)))
    await compare(kafka, out)
    dead = [record for topic in DEAD for record in await kafka.read_committed(topic)]
    assert len(dead) == len(events) - len(good)
    assert all(record.value is None for record in dead)


@pytest.mark.parametrize("partitions", [THREE, MANY], ids=["few", "many"])
async def test_a_worker_killed_and_started_again_goes_on_where_it_was(
    partitions: dict[str, int], kafka: Broker, tmp_path: Path
) -> None:
    events = valid(generated(days=40))
    until = some_days_after(events)
    out = await replay(events, until, tmp_path)
    await produce(kafka, events, partitions)
    for _ in range(2):
        async with running(*worker(kafka, until)) as process:
            # In the midst of its work: something is committed, and not yet everything.
            while not await progress(kafka):
                assert process.returncode is None
                await asyncio.sleep(0.05)
    await run(*worker(kafka, until))
    await compare(kafka, out)


async def test_a_worker_whose_output_topic_is_missing_says_so_in_one_line(kafka: Broker) -> None:
    await kafka.create_topics({**THREE, **dict.fromkeys(ALERTS, 1)})
    async with running(*worker(kafka, "2026-09-01T00:00:00Z")) as process:
        told = await said(process)
    assert process.returncode == 2
    (line,) = [line for line in told.splitlines() if line.startswith("parcelwatch: ")]
    assert line.startswith("parcelwatch: topics do not exist: help-rates, ")


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
    events.sort(key=lambda event: parse(json.loads(event[2])["occurred_at"]))
    events = events[:6000]
    until = render(last_time(events))
    out = await replay(events, until, tmp_path)
    await produce(kafka, events, THREE)
    await asyncio.gather(run(*worker(kafka, until)), run(*worker(kafka, until)))
    await compare(kafka, out)
