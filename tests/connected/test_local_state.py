"""Workers that keep a copy of their state on disk, killed again and again, put out what the replay does."""

from __future__ import annotations

from pathlib import Path
from random import Random

from tests.connected.feed import feed
from tests.connected.marketplace import compare, running, said, worker
from tests.connected.mortals import finish, kill_often, pair
from tests.kafka_broker import Broker


async def test_kills_leave_no_trace_in_what_is_restored_from_disk(kafka: Broker, tmp_path: Path) -> None:
    local = ("--store", "rocksdict", "--state-dir", str(tmp_path / "state"))
    async with feed(kafka, tmp_path) as stream, pair(kafka, *local) as workers:
        await kill_often(kafka, workers, stream, Random(5), kills=8)
        await finish(kafka, workers, stream, *local)
        await compare(kafka, stream.out)
        # The end is on disk too: nothing is read of Kafka, and nothing is said again.
        async with running(*worker(kafka, stream.until, *local)) as process:
            told = await said(process)
        assert process.returncode == 0
        restored = [line for line in told.splitlines() if "event='restored'" in line]
        assert len(restored) == 2 * 3
        assert all("rows=0" in line for line in restored)
        await compare(kafka, stream.out)
