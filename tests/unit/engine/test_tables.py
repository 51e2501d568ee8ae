"""A table says what was set, wherever its rows lie, and after a crash what was committed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.engine.store.interface import CommittedTable, Copy, Origin
from streams.engine.store.memory import NoCopy
from streams.engine.store.rocks_table import RocksTable
from streams.engine.table import MemoryTable
from streams.engine.topology import TaskId
from tests.unit.engine.disk_stores import KINDS, made

TASK = TaskId("road", 0)
ORIGIN = Origin("cluster", "changelog", 0, b"birth")
PREFIX = b"pk"
#: Rows beside the table's, on either side of them.
OTHERS = {b"a": b"1", b"p": b"2", b"pj9": b"3", b"pl": b"4", b"z": b"5"}
SOME = settings(max_examples=60, deadline=None, derandomize="CI" in os.environ)

KEYS = st.sampled_from([b"k1", b"k2", b"k3", b"k\xff", b"k"])
STEPS = st.one_of(
    st.tuples(st.just("set"), KEYS, st.binary(max_size=3)),
    st.tuples(st.just("pop"), KEYS, st.just(b"")),
    st.tuples(st.sampled_from(["collect", "commit", "crash", "turn"]), st.just(b""), st.just(b"")),
)


@contextmanager
def opened(kind: str, folder: Path) -> Iterator[tuple[Copy, CommittedTable]]:
    """A copy that holds `OTHERS`, and the table over it."""
    copy = made(kind, folder).open(TASK)
    copy.add([*OTHERS.items()])
    copy.hold(ORIGIN, 1)
    table = copy.table(PREFIX)
    assert table is not None
    try:
        yield copy, table
    finally:
        copy.close()


def turned(table: CommittedTable) -> None:
    """As if it had held more rows than it keeps: what is in memory grows old."""
    if isinstance(table, RocksTable):
        table._old, table._young = table._young, {}


@SOME
@given(steps=st.lists(STEPS, max_size=40))
@pytest.mark.parametrize("kind", KINDS)
def test_a_table_on_disk_says_what_one_in_memory_does(kind: str, steps: list[tuple[str, bytes, bytes]]) -> None:
    memory = MemoryTable()
    flying: dict[bytes, bytes] | None = None
    committed: dict[bytes, bytes] = {}
    end = 1
    with TemporaryDirectory() as name, opened(kind, Path(name)) as (copy, table):
        for what, key, row in steps:
            match what:
                case "set":
                    memory[key] = table[key] = row
                case "pop":
                    assert table.pop(key, None) == memory.pop(key, None)
                case "collect" if flying is None:
                    table.collected()
                    flying = dict(memory)
                case "commit" if flying is not None:
                    end += 1
                    changes: dict[bytes, bytes | None] = dict.fromkeys(b"p" + key for key in committed)
                    copy.write(changes | {b"p" + key: row for key, row in flying.items()}, end)
                    table.committed()
                    committed, flying = flying, None
                case "crash":
                    memory, flying = MemoryTable(committed), None
                    anew = copy.table(PREFIX)
                    assert anew is not None
                    table = anew
                case "turn":
                    turned(table)
            for each in (b"k1", b"k2", b"k3", b"k\xff", b"k"):
                assert table.get(each) == memory.get(each)
            assert dict(table.items()) == memory
        assert copy.load(ORIGIN, 0, end, PREFIX) == (end, OTHERS)
        found = copy.load(ORIGIN, 0, end, None)[1]
        assert found == OTHERS | {b"p" + key: row for key, row in committed.items()}


@pytest.mark.parametrize("kind", KINDS)
def test_a_table_goes_on_above_the_same_copy_opened_again(kind: str, tmp_path: Path) -> None:
    with opened(kind, tmp_path) as (_, table):
        table[b"k1"] = b"set"
    with opened(kind, tmp_path) as (copy, _):
        assert table.move(copy)
        assert table.get(b"k2") is None
        assert table.get(b"k1") == b"set"
        assert not table.move(NoCopy())


@pytest.mark.parametrize("store", [NoCopy()])
def test_what_keeps_nothing_has_no_table(store: Any) -> None:
    table: CommittedTable | None = store.table(PREFIX)
    assert table is None
