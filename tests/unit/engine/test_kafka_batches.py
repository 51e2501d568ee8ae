"""Records read where they lie are those that the client parses, and what it cannot read is passed over alike."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from random import Random
from typing import Any

import pytest
from aiokafka.consumer import fetcher
from aiokafka.consumer.fetcher import READ_COMMITTED
from aiokafka.errors import CorruptRecordException
from aiokafka.structs import TopicPartition
from hypothesis import given
from hypothesis import strategies as st

import streams.engine.log.kafka_clients  # noqa: F401 - every user of a client goes through it
from streams.engine.log.kafka_batches import Batched, in_batches
from streams.engine.processor import Record, Unread
from tests.odd_batches import Bad, checked, spoiled
from tests.unit.engine.fetched_batches import CODECS, batch, sent
from tests.unit.stages.one_reader import SOME

native = pytest.importorskip("parcelwatch_native")
MAKE = partial(native.Records, Record)
Fields = tuple[int, int, bytes | None, bytes | None, tuple[tuple[str, bytes | None], ...]]


def fields(one: Any) -> Fields:
    return one.offset, one.timestamp, one.key, one.value, tuple(one.headers)


def read(
    fetched: bytes, end: int, begin: int, aborted: Sequence[tuple[int, int]], make: Any, most: int = 3
) -> list[Fields]:
    """All records up to an offset, in as many fetches as it takes; `make`: what reads batches, or None."""
    found: list[Fields] = []
    while begin < end:
        records = sent(fetched, begin, aborted)
        records.passes = True
        if make is None:
            records._consumer_record = lambda _, record: record
            found += map(fields, records)
        else:
            for some in in_batches(records, make, most):
                found += map(fields, some)
        assert records.next_fetch_offset > begin
        begin = records.next_fetch_offset
    return found


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)
@pytest.mark.parametrize("begin", range(0, 30, 3))
def test_records_are_those_that_the_client_parses(codec: int, begin: int) -> None:
    fetched = batch(0, 9, codec) + batch(9, 1) + batch(10, 20, codec)
    found = read(fetched, 30, begin, [], MAKE)
    assert found == read(fetched, 30, begin, [], None)
    assert [offset for offset, *_ in found] == [*range(begin, 30)]


@pytest.mark.parametrize("odd", [Bad(), None], ids=["a name", "a record"])
@pytest.mark.parametrize("begin", range(12))
def test_what_the_client_cannot_parse_is_as_it_is_without_batches(odd: str | None, begin: int) -> None:
    middle = batch(3, 4, name=odd) if odd is not None else spoiled(batch(3, 4), b"value 4")
    fetched = batch(0, 3) + middle + batch(7, 5, 4)
    found = read(fetched, 12, begin, [], MAKE)
    assert found == read(fetched, 12, begin, [], None)


def test_what_was_aborted_is_left_out_and_what_its_producer_wrote_later_is_not() -> None:
    fetched = (
        batch(0, 1, producer=7) + batch(1, 0, ends=True, producer=7) + batch(2, 1, 4, producer=7)
        + batch(3, 2, producer=8) + batch(5, 1, producer=7) + batch(6, 0, ends=True, producer=7)
        + batch(7, 2, producer=7)
    )  # fmt: skip
    found = read(fetched, 9, 0, [(7, 0), (7, 2)], MAKE)
    assert [offset for offset, *_ in found] == [3, 4, 7, 8]
    assert found == read(fetched, 9, 0, [(7, 0), (7, 2)], None)


def test_bytes_that_were_changed_on_their_way_are_an_error() -> None:
    made = bytearray(batch(0, 3))
    made[-1] ^= 1
    with pytest.raises(CorruptRecordException, match="CRC"):
        read(bytes(made), 3, 0, [], MAKE)


@SOME
@given(seed=st.integers(0, 1 << 30), codec=st.sampled_from([0, 0, 0, 2, 4]), begin=st.integers(0, 9))
def test_any_byte_of_a_batch_may_be_wrong(seed: int, codec: int, begin: int) -> None:
    random = Random(seed)
    middle = bytearray(batch(3, 4, codec))
    # Behind what tells where the batch ends: its offset, its length, its format; brokers look at the number of records.
    for _ in range(random.choice((1, 1, 2))):
        middle[random.randrange(61, len(middle))] = random.randrange(256)
    fetched = batch(0, 3) + checked(middle) + batch(7, 3)
    assert read(fetched, 10, begin, [], MAKE) == read(fetched, 10, begin, [], None)


class Refusing:
    """Is certain of nothing; or panics."""

    def __init__(self, panics: bool) -> None:
        self._panics = panics

    def add(self, *_: Any) -> bool:
        if self._panics:
            native.panic()
        return False

    def __len__(self) -> int:
        return 0


@pytest.mark.parametrize("panics", [False, True])
def test_where_nothing_is_certain_all_is_as_the_client_parses_it(panics: bool) -> None:
    def refusing() -> Batched:
        return Refusing(panics)

    fetched = batch(0, 9, 4) + batch(9, 3)
    assert read(fetched, 12, 2, [], refusing) == read(fetched, 12, 2, [], None)


def test_so_much_is_handed_over_together_and_the_rest_of_a_batch() -> None:
    fetched = b"".join(batch(4 * number, 4) for number in range(5))
    records = fetcher.PartitionRecords(
        TopicPartition("in", 0), fetcher.MemoryRecords(fetched), [], 0, None, None, True, READ_COMMITTED
    )
    assert [len(some) for some in in_batches(records, MAKE, 6)] == [8, 8, 4]


def test_records_are_a_sequence() -> None:
    records, made = MAKE(), batch(0, 9)
    assert not records
    assert records.add(made, 0, len(made), 2)
    assert len(records) == 7
    whole = [*records]
    assert all(type(one) is Record for one in whole)
    assert [one.offset for one in whole] == [*range(2, 9)]
    assert [*map(fields, records[2:5])] == [*map(fields, whole[2:5])]
    assert [*map(fields, records[2:][1:100])] == [*map(fields, whole[3:])]
    assert fields(records[-1]) == fields(whole[-1]) == fields(records[3:][-1])
    assert not records[5:2]
    for place in (7, -8):
        with pytest.raises(IndexError):
            records[place]
    # Its parts are of what there was: nothing can be added any more.
    part = records[1:]
    assert not records.add(made, 0, len(made), 0)
    assert len(part) == 6


def test_where_a_batch_ends_elsewhere_nothing_is_added() -> None:
    made = batch(0, 3)
    for begin, end in ((0, len(made) - 1), (0, len(made) + 1), (1, len(made)), (0, 0), (len(made), len(made))):
        records = MAKE()
        assert not records.add(made, begin, end, 0)
        assert len(records) == 0


def test_an_unread_record_is_one_to_the_worker() -> None:
    middle = spoiled(batch(0, 4), b"value 1")
    records = fetcher.PartitionRecords(
        TopicPartition("in", 0), fetcher.MemoryRecords(middle), [], 0, None, None, True, READ_COMMITTED
    )
    records.passes = True
    records._consumer_record = lambda _, record: record
    last = [one for some in in_batches(records, MAKE, 100) for one in some][-1]
    assert isinstance(last, Unread)
    assert (last.offset, records.next_fetch_offset) == (3, 4)
