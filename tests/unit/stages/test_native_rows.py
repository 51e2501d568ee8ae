"""The table in Rust holds what a table in Python holds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

import parcelwatch_native
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.scans import Scans
from schemas.events import SCANS
from schemas.times import HOUR
from streams.engine.partitioner import partition_for
from streams.engine.processor import PartitionClock, Record
from streams.engine.store.file import FileStore
from streams.engine.store.interface import Origin
from streams.engine.table import MemoryTable, Table
from streams.engine.topology import TaskId
from streams.policy import load
from streams.stages.shipments.task import ShipmentsTask
from streams.stages.task_context import Setting
from tests.unit.stages.one_reader import SOME

KEYS = st.one_of(st.binary(max_size=3), st.integers(0, 300).map(lambda number: b"k%d" % number))
#: Around the sizes of places, and beyond the largest.
ROWS = st.integers(0, 5000).flatmap(lambda size: st.binary(min_size=size, max_size=size)) | st.binary(max_size=300)
STEPS = st.lists(st.tuples(st.sampled_from(["set", "get", "pop"]), KEYS, ROWS), max_size=200)


def play(table: Table, what: str, key: bytes, row: bytes) -> bytes | None:
    if what == "set":
        table[key] = row
        return None
    return table.get(key) if what == "get" else table.pop(key, None)


@SOME
@given(steps=STEPS)
def test_any_steps_give_what_a_dictionary_gives(steps: list[tuple[str, bytes, bytes]]) -> None:
    tables: list[Table] = [parcelwatch_native.Rows(), MemoryTable()]
    for step in steps:
        one, other = (play(table, *step) for table in tables)
        assert one == other
    assert sorted(tables[0].items()) == sorted(tables[1].items())
    assert tables[0].size() == tables[1].size()


def test_many_rows_that_grow_and_go() -> None:
    random, native, plain = Random(1), parcelwatch_native.Rows(), MemoryTable()
    for _ in range(60_000):
        key = b"PW%d" % random.randrange(9000)
        row = plain.get(key)
        if row is not None and (len(row) > 200 or random.random() < 0.02):
            assert native.pop(key, None) == plain.pop(key, None) == row
        else:
            native[key] = plain[key] = (row or b"") + random.randbytes(12)
    assert dict(native.items()) == plain
    assert native.get(b"nobody") is native.pop(b"nobody", None) is None


def wrong(table: Table) -> list[Callable[[], object]]:
    return [lambda: table.get("text"), lambda: table.__setitem__(b"a", None), lambda: table.pop(1, None)]  # type: ignore[arg-type]


@pytest.mark.parametrize("number", range(3))
def test_what_is_no_bytes_is_refused(number: int) -> None:
    with pytest.raises(TypeError):
        wrong(parcelwatch_native.Rows())[number]()


def test_a_task_restores_from_what_it_has_told_either_way() -> None:
    records = [Record(at, one.timestamp, one.key, one.value) for at, one in enumerate(Scans(4000))]
    kept = {}
    for native in (parcelwatch_native, None):
        setting = Setting(load.default(), 1, 1, partition_for, lambda: 0, native=native)
        task = ShipmentsTask(setting, 0)
        task.restore([])
        task.events(SCANS, 0, records[:2000], PartitionClock(HOUR))
        rows = {key[1:]: row for key, row in task.collect().changes().items() if row is not None}
        # By the other one's table.
        other = Setting(load.default(), 1, 1, partition_for, lambda: 0, native=None if native else parcelwatch_native)
        again = ShipmentsTask(other, 0)
        again.restore(rows.items())
        clock = PartitionClock(HOUR)
        clock.greatest = max(one.timestamp for one in records[:2000]) * 1000
        again.events(SCANS, 0, records[2000:], clock)
        kept[native] = (rows, again.collect().changes(), again.sizes)
    assert kept[None] == kept[parcelwatch_native]


def test_scans_are_taken_into_rows_on_disk_either_way(tmp_path: Path) -> None:
    records = [Record(at, one.timestamp, one.key, one.value) for at, one in enumerate(Scans(4000))]
    told = []
    for native in (parcelwatch_native, None):
        copy = FileStore(tmp_path / str(native is None), parcelwatch_native, sizes=(4096, 4096)).open(TaskId("s", 0))
        copy.hold(Origin("cluster", "changelog", 0, b"birth"), 0)
        setting = Setting(load.default(), 1, 1, partition_for, lambda: 0, native=native)
        task = ShipmentsTask(setting, 0)
        table = copy.table(b"p" + task.letter)
        assert table is not None
        task.attach(table)
        task.restore([])
        clock, collected = PartitionClock(HOUR), []
        flying: dict[bytes, bytes | None] = {}
        for start in range(0, 4000, 500):
            # A batch is read while the one before it is written.
            task.events(SCANS, 0, records[start : start + 500], clock)
            copy.write(flying, start)
            table.committed()
            flying = task.collect().changes()
            collected.append(dict(flying))
            table.collected()
        told.append((collected, dict(table.items()), task.sizes))
        copy.close()
    assert told[0] == told[1]
