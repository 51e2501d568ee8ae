"""A task that is given up leaves nothing behind, with the part in Rust as well."""

from __future__ import annotations

from itertools import islice
from weakref import ref

import parcelwatch_native
import pytest

from bench.scans import Scans
from schemas.events import SCANS
from schemas.times import HOUR
from streams.engine.collector import free_given_up
from streams.engine.partitioner import partition_for
from streams.engine.processor import Horizon, PartitionClock, Record
from streams.policy import load
from streams.stages.dataflow import CLUSTERS, FEEDS, SHIPMENTS
from streams.stages.shipments.task import ShipmentsTask
from streams.stages.task_context import Setting


@pytest.mark.parametrize("native", [parcelwatch_native, None], ids=["natively", "in Python"])
def test_a_task_that_is_given_up_is_freed(native: object) -> None:
    task = ShipmentsTask(Setting(load.default(), 1, 1, partition_for, lambda: 0, native=native), 0)  # type: ignore[arg-type]
    task.restore([])
    records = [Record(at, one.timestamp, one.key, one.value) for at, one in enumerate(islice(Scans(2000), 2000))]
    clock = PartitionClock(HOUR)
    task.events(SCANS, 0, records, clock)
    while task.advance({name: Horizon(clock.greatest - HOUR) for name in (SHIPMENTS, FEEDS, CLUSTERS)}):
        pass
    task.collect()
    book = ref(task._book)
    del task
    free_given_up()
    assert book() is None
