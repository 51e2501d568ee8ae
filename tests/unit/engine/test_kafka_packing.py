"""Rows that are packed elsewhere are read by the client as if it had written them."""

from __future__ import annotations

from random import Random

import pytest
from aiokafka.record.default_records import DefaultRecordBatch
from aiokafka.record.memory_records import MemoryRecords
from hypothesis import given
from hypothesis import strategies as st

from streams.engine.log.kafka_packing import PackedBatch, Pair, packed
from tests.unit.stages.one_reader import SOME

native = pytest.importorskip("parcelwatch_native")
CODECS = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}


def read(made: bytes) -> list[tuple[int, bytes | None, bytes | None]]:
    """What the client finds in one batch."""
    records = MemoryRecords(made)
    batch = records.next_batch()
    assert type(batch) is DefaultRecordBatch
    assert batch.validate_crc()
    assert not records.has_next()
    found = [(one.offset, one.key, one.value) for one in batch]
    assert batch.next_offset == len(found)
    return found


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)
@pytest.mark.parametrize("transactional", [True, False])
def test_the_client_reads_them(codec: int, transactional: bool) -> None:
    rows: list[Pair] = [(b"k%d" % number, None if number % 9 == 8 else b"row" * number) for number in range(300)]
    (batch,) = packed(rows, native.pack, 1 << 20, codec, transactional=transactional)
    batch._set_producer_state(4_000_000_000, 3, 77)
    assert (batch.record_count(), batch.closed(), batch.append(timestamp=None, key=b"", value=b"")) == (300, True, None)
    made = bytes(batch._build())
    assert batch._build() == made
    assert batch.size() == len(made)
    assert read(made) == [(number, *row) for number, row in enumerate(rows)]
    head = MemoryRecords(made).next_batch()
    assert (head.producer_id, head.is_transactional, made[22] & 7) == (4_000_000_000, transactional, codec)
    assert made[51:57] == (3).to_bytes(2) + (77).to_bytes(4)


def test_what_does_not_become_smaller_is_not_compressed() -> None:
    row = Random(1).randbytes(2000)
    (batch,) = packed([(b"k", row)], native.pack, 1 << 20, 4, transactional=True)
    made = bytes(batch._build())
    assert made[22] & 7 == 0
    assert read(made) == [(0, b"k", row)]


SIZES = st.sampled_from([0, 1, 63, 64, 127, 128, 1000, 8191, 8192, 70_000])
ROWS = st.lists(st.tuples(SIZES, st.none() | SIZES), max_size=30)


@SOME
@given(sizes=ROWS, most=st.sampled_from([0, 100, 1000, 80_000]))
def test_no_batch_is_larger_than_it_may_be_unless_it_is_of_one_row(
    sizes: list[tuple[int, int | None]], most: int
) -> None:
    rows = [(b"k" * key, None if value is None else b"v" * value) for key, value in sizes]
    batches: list[PackedBatch] = [*packed(rows, native.pack, most, 0, transactional=True)]
    assert all(batch.size() <= most or batch.record_count() == 1 for batch in batches)
    assert [one[1:] for batch in batches for one in read(bytes(batch._build()))] == rows


def test_what_is_no_row_is_an_error() -> None:
    for row in ((b"k", "text"), ("text", b""), (b"k",), [b"k", b"v"]):
        with pytest.raises((TypeError, IndexError)):
            native.pack([row], 0, 100)
