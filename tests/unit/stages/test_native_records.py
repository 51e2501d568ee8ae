"""Records as the Kafka client parses them are taken natively as those of the log in memory are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice
from types import SimpleNamespace
from typing import Any

import parcelwatch_native
import pytest
from aiokafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder, _DefaultRecordBatchPy

from bench.scans import Scans, Sent
from schemas.events import SCANS
from schemas.times import HOUR
from streams.engine.partitioner import partition_for
from streams.engine.processor import PartitionClock, Record
from streams.policy import load
from streams.stages.dataflow import CARRIER_HOURS
from streams.stages.intake import Counts
from streams.stages.shipments.task import ShipmentsTask
from streams.stages.task_context import Setting

COUNT = 6000
Parse = Callable[[Sequence[Sent]], Sequence[Any]]


def batch(sent: Sequence[Sent]) -> bytes:
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 4 << 20)
    for number, one in enumerate(sent):
        builder.append(number, one.timestamp, one.key, one.value, [("h", b"1")] if number % 3 else [])
    return bytes(builder.build())


PARSED: dict[str, Parse] = {
    "of the log in memory": lambda sent: [Record(at, one.timestamp, one.key, one.value) for at, one in enumerate(sent)],
    "compiled": lambda sent: [*DefaultRecordBatch(batch(sent))],
    "in Python": lambda sent: [*_DefaultRecordBatchPy(batch(sent))],
    "without a timestamp": lambda sent: [Record(at, None, one.key, one.value) for at, one in enumerate(sent)],  # type: ignore[arg-type]
}


def taken(records: Sequence[Any], native: Any) -> tuple[Any, Counts]:
    """What a task makes of them."""
    counts = Counts()
    setting = Setting(load.default(), 1, 1, partition_for, lambda: 0, counts, native=native)
    task = ShipmentsTask(setting, 0)
    task.restore([])
    task.events(SCANS, 0, records, PartitionClock(HOUR))
    return task.collect(), counts


@pytest.mark.parametrize("parse", PARSED.values(), ids=PARSED)
def test_most_of_them_are_taken_and_leave_what_python_leaves(parse: Parse) -> None:
    records = parse([*islice(Scans(COUNT), COUNT)])
    effects, counts = taken(records, parcelwatch_native)
    assert COUNT * 0.85 < counts.native < COUNT
    plain, none = taken(records, None)
    assert (effects.changes(), effects.outputs) == (plain.changes(), plain.outputs)
    # Carriers' scans are counted by the hour, and told in the order of their first.
    assert sorted(effects.sends[CARRIER_HOURS][-1]) == sorted(plain.sends[CARRIER_HOURS][-1])
    assert none.native == 0


def test_a_time_that_no_integer_holds_is_handed_back() -> None:
    (sent,) = islice(Scans(COUNT), 1)
    strange = SimpleNamespace(offset=0, timestamp=1 << 80, key=sent.key, value=sent.value, headers=())
    effects, counts = taken([strange], parcelwatch_native)
    assert (effects, counts.native) == (taken([strange], None)[0], 0)
