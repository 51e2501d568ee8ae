"""A changelog's rows are the same whether they are read where they lie, or as the client parses them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.consumer.fetcher import FetchResult
from aiokafka.errors import CorruptRecordException
from aiokafka.structs import TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from streams.engine.log.kafka_rows import hand_over_batches, joined
from streams.engine.processor import Record
from streams.engine.store.file import FileStore
from streams.engine.store.interface import Origin, Row
from streams.engine.topology import TaskId
from tests.odd_batches import Bad, spoiled
from tests.unit.engine.fetched_batches import CODECS, batch, packed, sent
from tests.unit.stages.one_reader import SOME

native = pytest.importorskip("parcelwatch_native")
MAKE = partial(native.Records, Record)
TP = TopicPartition("in", 0)
ORIGIN = Origin("cluster", "changelog", 0, b"birth")


def handed(fetched: bytes, begin: int, aborted: Sequence[tuple[int, int]], make: Any, most: int) -> list[Sequence[Row]]:
    """What a consumer hands over of what it has fetched."""
    consumer: Any = SimpleNamespace(_fetcher=SimpleNamespace(_records={}))
    hand_over_batches(consumer, make, most)
    records = sent(fetched, begin, aborted)
    consumer._fetcher._records[TP] = FetchResult(TP, assignment=None, partition_records=records, backoff=0)
    found = [*records]
    assert records.next_fetch_offset > begin
    return found


def rows(fetched: bytes, begin: int = 0, aborted: Sequence[tuple[int, int]] = (), most: int = 1 << 60) -> list[Row]:
    """As read in batches; they are those that the client parses."""
    ours, parsed = (handed(fetched, begin, aborted, make, most) for make in (MAKE, None))
    assert [*joined(ours)] == [*joined(parsed)]
    assert all(ours)
    return [*joined(ours)]


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)
@pytest.mark.parametrize("begin", range(0, 30, 4))
def test_rows_are_those_that_the_client_parses(codec: int, begin: int) -> None:
    found = rows(batch(0, 9, codec) + batch(9, 1) + batch(10, 20, codec), begin)
    assert len(found) == sum((offset if offset < 9 else offset - 9 if offset < 10 else offset - 10) % 5 != 4
                             for offset in range(begin, 30))  # fmt: skip


def test_what_was_aborted_is_no_row() -> None:
    found = rows(
        batch(0, 1, producer=7) + batch(1, 0, ends=True, producer=7) + batch(2, 1, 4, producer=7)
        + batch(3, 2, producer=8), aborted=[(7, 0)]
    )  # fmt: skip
    assert [row for _, row in found] == [b"value 2", b"value 3", b"value 4" * 2]


@pytest.mark.parametrize("most", [1, 5, 1 << 60])
def test_as_many_batches_as_have_so_many_rows_are_handed_over_together(most: int) -> None:
    found = handed(batch(0, 3) + batch(3, 3) + batch(6, 3), 0, [], MAKE, most)
    assert [len(one) for one in found] == {1: [3, 3, 3], 5: [6, 3], 1 << 60: [9]}[most]


def test_a_name_that_the_client_cannot_read_leaves_the_rows_to_its_slower_parser() -> None:
    fetched = batch(0, 3) + batch(3, 4, name=Bad()) + batch(7, 5)
    found = [*joined(handed(fetched, 0, [], MAKE, 1 << 60))]
    assert [row for _, row in found][3:6] == [b"value 3", b"value 4" * 2, b"value 5" * 3]


def test_rows_that_cannot_be_read_are_an_error_and_not_passed_over() -> None:
    with pytest.raises((ValueError, IndexError, AssertionError, CorruptRecordException)):
        handed(batch(0, 3) + spoiled(batch(3, 4), b"value 4"), 0, [], MAKE, 1 << 60)


def test_bytes_that_were_changed_on_their_way_are_an_error() -> None:
    made = bytearray(batch(0, 3))
    made[-1] ^= 1
    with pytest.raises(CorruptRecordException, match="CRC"):
        handed(bytes(made), 0, [], MAKE, 1 << 60)


KEYS = st.sampled_from([b"a", b"p:1", b"p:2", b"p:", b"q"])
ROWS = st.lists(st.tuples(KEYS, st.none() | st.binary(max_size=3)), min_size=1, max_size=12)


@SOME
@given(written=ROWS, codec=st.sampled_from([0, 4]))
def test_they_are_a_sequence_and_tell_those_besides_a_prefix(written: list[Row], codec: int) -> None:
    (found,) = handed(packed(written, codec), 0, [], MAKE, 1 << 60)
    assert (len(found), [*found]) == (len(written), written)
    assert [found[place] for place in range(len(written))] == written
    assert found[-1] == written[-1]
    for beyond in (len(written), -len(written) - 1):
        with pytest.raises(IndexError):
            found[beyond]
    pairs: Any = found
    assert pairs.besides(b"p:") == [row for row in written if not row[0].startswith(b"p:")]


@SOME
@given(batches=st.lists(ROWS, min_size=1, max_size=3))
def test_a_copy_takes_them_as_it_takes_a_list_the_last_row_of_a_key(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[Row]]
) -> None:
    state: Path = tmp_path_factory.mktemp("state")
    store = FileStore(state, native)
    copies = [store.open(TaskId(name, 0)) for name in ("listed", "paired")]
    live: dict[bytes, bytes] = {}
    for written in batches:
        (found,) = handed(packed(written, 0), 0, [], MAKE, 1 << 60)
        for copy, given_ in zip(copies, (written, found), strict=True):
            copy.add(given_)
        for key, row in written:
            if row is None:
                live.pop(key, None)
            else:
                live[key] = row
    for copy in copies:
        copy.hold(ORIGIN, 9)
        assert copy.load(ORIGIN, 0, 9, None) == (9, live)
        copy.close()
