"""Without transactions, workers that are killed again and again put out what the replay does, some of it twice."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

from tests.connected.feed import feed
from tests.connected.marketplace import ALERTS, alerts, compare_tables, running, said, worker
from tests.connected.mortals import finish, kill_often, pair
from tests.kafka_broker import Broker


async def test_killed_workers_lose_no_alert_and_repeat_some_under_the_same_id(kafka: Broker, tmp_path: Path) -> None:
    plain = ("--guarantee", "at_least_once")
    # Without transactions nobody fences a worker that stands still for longer than its session, and goes on: not here.
    session = ("--session-timeout", "10")
    async with feed(kafka, tmp_path) as stream, pair(kafka, *plain, *session) as workers:
        await kill_often(kafka, workers, stream, Random(8), kills=10)
        await finish(kafka, workers, stream, *plain)
    until, out = stream.until, stream.out
    repeats = 0
    for topic in ALERTS:
        got = await alerts(kafka, topic)
        by_id = {json.loads(value)["id"]: value for value in got}
        assert sorted(by_id.values()) == sorted((out / f"{topic}.jsonl").read_bytes().splitlines())
        repeats += len(got) - len(by_id)
    # With none, nothing would have been shown.
    assert repeats
    await compare_tables(kafka, out)

    # What was written without transactions may end in the midst of a commit, and is not for a worker with them.
    async with running(*worker(kafka, until)) as process:
        told = await said(process)
    assert process.returncode == 2
    assert "was written with the guarantee at_least_once" in told
