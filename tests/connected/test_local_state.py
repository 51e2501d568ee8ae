"""Workers that keep a copy of their state on disk, killed again and again, put out what the replay does."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from random import Random

import pytest

from tests.connected.feed import feed
from tests.connected.marketplace import (
    APP,
    THREE,
    compare,
    end,
    generated,
    heard,
    produce,
    running,
    said,
    some_days_after,
    valid,
    worker,
)
from tests.connected.mortals import finish, kill_often, pair
from tests.kafka_broker import Broker
from tests.unit.engine.disk_stores import KINDS


@pytest.mark.parametrize("store", KINDS)
async def test_a_disk_that_is_full_ends_a_worker_with_the_reason(store: str, kafka: Broker, tmp_path: Path) -> None:
    events = valid(generated(days=1))[:200]
    await produce(kafka, events, THREE)
    local = ("--store", store, "--state-dir", str(tmp_path / "state"))
    command = shlex.join([sys.executable, "-m", "streams", *worker(kafka, some_days_after(events), *local)])
    # No file may be larger than some KiB, as on a disk with no more room. Compiled code would be cut there, too, and
    # every later process that reads it would fail.
    process = await heard("sh", "-c", f"ulimit -f 8; exec {command}", PYTHONDONTWRITEBYTECODE="1")
    try:
        told = await said(process)
    finally:
        await end(process)
    assert process.returncode == 2, told
    (line,) = [line for line in told.splitlines() if line.startswith("parcelwatch: ")]
    assert f"the state directory {tmp_path / 'state' / APP}/" in line
    assert "File too large" in line
    assert "Traceback" not in told


@pytest.mark.parametrize("store", KINDS)
async def test_kills_leave_no_trace_in_what_is_restored_from_disk(store: str, kafka: Broker, tmp_path: Path) -> None:
    local = ("--store", store, "--state-dir", str(tmp_path / "state"))
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
