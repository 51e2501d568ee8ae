"""Workers that keep a copy of their state on disk, killed again and again, put out what the replay does."""

from __future__ import annotations

from pathlib import Path
from random import Random

from tests.connected.marketplace import compare, running, worker
from tests.connected.mortals import kill_often, pair, written
from tests.kafka_broker import Broker


async def test_kills_leave_no_trace_in_what_is_restored_from_disk(kafka: Broker, tmp_path: Path) -> None:
    events, until, out = await written(kafka, tmp_path)
    local = ("--store", "rocksdict", "--state-dir", str(tmp_path / "state"))
    async with pair(kafka, until, *local) as workers:
        await kill_often(kafka, workers, events, Random(5), kills=8)
    await compare(kafka, out)
    # The end is on disk too: nothing is read of Kafka, and nothing is said again.
    async with running(*worker(kafka, until, *local)) as process:
        _, said = await process.communicate()
    assert process.returncode == 0
    restored = [line for line in said.decode().splitlines() if "event='restored'" in line]
    assert len(restored) == 2 * 3
    assert all("rows=0" in line for line in restored)
    await compare(kafka, out)
