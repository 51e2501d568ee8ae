"""What the client cannot parse stops no reader of an input, and what was aborted around it stays so."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from aiokafka.consumer import fetcher
from aiokafka.consumer.fetcher import READ_COMMITTED
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy
from aiokafka.structs import TopicPartition

import streams.engine.log.kafka_clients  # noqa: F401 - every user of a client goes through it
from streams.engine.log import kafka_parsing
from tests.odd_batches import Bad, behind, checked

CODECS = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
GOOD, BAD = ("good", b"1"), (Bad(), b"2")
READ = ("a\ufffdb", b"2")
#: What ends a transaction, in place of records: its version and the kind of its end.
ABORTED = b"\x00\x00\x00\x00"


def batch(base: int, *headers: Any, codec: int = 0, producer: int = -1, ends: bool = False) -> bytes:
    """A batch with a record for each of the lists of headers, or the marker of an aborted transaction."""
    builder = _DefaultRecordBatchBuilderPy(2, codec, int(producer >= 0), producer, 0, 0, 1 << 20)
    for number, each in enumerate(headers):
        builder.append(number, 1000 + number, b"key", b"%d" % (base + number), list(each))
    if ends:
        builder.append(0, 1000, ABORTED, b"", [])
    made = bytearray(builder.build())
    made[:8] = base.to_bytes(8)
    if ends:
        made[22] |= 0x20
    return bytes(made)


def read(fetched: bytes, aborted: list[tuple[int, int]] = [], begin: int = 0) -> list[tuple[int, bytes, Any]]:  # noqa: B006
    records = fetcher.MemoryRecords(fetched)
    partition = TopicPartition("in", 0)
    unpacked = fetcher.PartitionRecords(partition, records, aborted, begin, None, None, False, READ_COMMITTED)
    found = [(one.offset, one.value, one.headers) for one in unpacked]
    assert unpacked.next_fetch_offset == 9
    return found


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)
@pytest.mark.parametrize("begin", range(9))
def test_all_records_are_read(codec: int, begin: int) -> None:
    batches = {
        2: batch(0, [GOOD], []),
        5: batch(2, [], [GOOD, BAD], [GOOD], codec=codec),
        9: batch(5, [BAD], [], [BAD], [GOOD]),
    }
    # The broker sends the whole of the batch in which a fetch begins, and none before it.
    fetched = b"".join(each for end, each in batches.items() if end > begin)
    headers = [(GOOD,), (), (), (GOOD, READ), (GOOD,), (READ,), (), (READ,), (GOOD,)]
    assert read(fetched, begin=begin) == [(at, b"%d" % at, each) for at, each in enumerate(headers) if at >= begin]


def test_what_was_aborted_before_and_behind_stays_so() -> None:
    fetched = (
        batch(0, [BAD], producer=7)
        + batch(1, ends=True, producer=7)
        + batch(2, [GOOD], producer=7)
        + batch(3, [BAD], [GOOD], producer=8)
        + batch(5, [BAD], producer=7)
        + batch(6, ends=True, producer=7)
        + batch(7, [BAD], [GOOD], producer=7)
    )
    found = read(fetched, [(7, 0), (7, 2)])
    assert [each for each, *_ in found] == [3, 4, 7, 8]
    assert [each for *_, each in found] == [(READ,), (GOOD,), (READ,), (GOOD,)]


def test_batches_of_nothing_but_such_names_are_gone_through_once(monkeypatch: pytest.MonkeyPatch) -> None:
    cut: list[int] = []
    made = kafka_parsing.MemoryRecords
    monkeypatch.setattr(kafka_parsing, "MemoryRecords", lambda fetched: cut.append(1) or made(fetched))
    assert [each for each, *_ in read(b"".join(batch(each, [BAD]) for each in range(9)))] == [*range(9)]
    assert len(cut) == 2


def spoiled(base: int, count: int, at: int, producer: int = -1) -> bytes:
    """A batch of which one record cannot be read, with the checksum of what it was before."""
    made = bytearray(batch(base, *[[]] * count, producer=producer))
    # The number of its headers, which would have to go on behind it.
    made[made.index(b"%d" % (base + at)) + 1] = 0x80
    return bytes(made)


def passed(fetched: bytes, begin: int = 0, aborted: list[tuple[int, int]] = []) -> list[tuple[int, Any, Any]]:  # noqa: B006
    """What a reader that passes over the rest gets, up to offset 9, in as many fetches as it takes."""
    found: list[tuple[int, Any, Any]] = []
    while begin < 9:
        sent = fetcher.MemoryRecords(behind(fetched, begin))
        records = fetcher.PartitionRecords(
            TopicPartition("in", 0), sent, aborted, begin, None, None, True, READ_COMMITTED
        )
        records.passes = True
        found += [(one.offset, one.value, one.headers) for one in records]
        assert records.next_fetch_offset > begin
        begin = records.next_fetch_offset
    assert begin == 9
    return found


STAND_IN = (6, b"", ())


@pytest.mark.parametrize("begin", range(9))
def test_the_rest_of_a_batch_that_cannot_be_read_is_passed_over(begin: int) -> None:
    batches = {2: batch(0, [], []), 7: checked(spoiled(2, 5, 2)), 9: batch(7, [BAD], [])}
    fetched = b"".join(each for end, each in batches.items() if end > begin)
    found = passed(fetched, begin)
    expected = [(at, b"%d" % at) for at in (0, 1, 2, 3, 7, 8) if at >= begin]
    assert [each[:2] for each in found if each[1]] == expected
    assert [each for each in found if not each[1]] == ([STAND_IN] if begin < 7 else [])
    assert [at for at, *_ in found] == sorted(at for at, *_ in found)


def test_whoever_wants_all_or_nothing_gets_an_error() -> None:
    with pytest.raises(CorruptRecordException):
        read(checked(spoiled(0, 5, 2)))


def test_bytes_that_were_changed_on_their_way_are_passed_over_by_nobody() -> None:
    with pytest.raises(CorruptRecordException, match="CRC"):
        passed(spoiled(0, 5, 2))


def test_a_batch_that_is_cut_off_is_passed_over_by_nobody() -> None:
    whole = batch(0, [], [])
    for length in (20, 40, len(whole) - 1):
        records = fetcher.PartitionRecords(
            TopicPartition("in", 0),
            fetcher.MemoryRecords(whole + whole[:length]),
            [],
            0,
            None,
            None,
            True,
            READ_COMMITTED,
        )
        records.passes = True
        found = []
        with suppress(CorruptRecordException):
            found = [*records]
        assert len(found) in (0, 2)
        assert records.next_fetch_offset == 2


@pytest.mark.parametrize("delta", [5, 1 << 30, -3])
def test_a_record_that_claims_an_offset_of_no_record_of_its_batch_moves_nobody(delta: int) -> None:
    builder = _DefaultRecordBatchBuilderPy(2, 0, 0, -1, 0, 0, 1 << 20)
    for number, claimed in enumerate([0, 1, delta, 3, 4]):
        builder.append(claimed, 1000, b"key", b"%d" % number, [])
    made = bytearray(builder.build())
    made[23:27] = (4).to_bytes(4)
    found = passed(checked(made) + batch(5, [], [], [], []))
    good = [0, 1, 5, 6, 7, 8] if delta > 0 else [0, 1, 3, 4, 5, 6, 7, 8]
    assert [at for at, value, _ in found if value] == good
    assert [at for at, value, _ in found if not value] == ([4] if delta > 0 else [])


def test_what_lies_behind_the_records_of_a_batch_costs_none_of_them() -> None:
    made = bytearray(batch(0, [], [], []) + b"more")
    made[8:12] = (len(made) - 12).to_bytes(4)
    assert [at for at, *_ in passed(checked(made) + batch(3, *[[]] * 6))] == [*range(9)]


def test_what_was_aborted_around_it_stays_so() -> None:
    fetched = (
        checked(spoiled(0, 2, 1, producer=7))
        + checked(batch(2, ends=True, producer=7))
        + checked(spoiled(3, 2, 1, producer=8))
        + batch(5, [], producer=7)
        + checked(batch(6, ends=True, producer=7))
        + batch(7, [], [], producer=7)
    )
    found = passed(fetched, aborted=[(7, 0), (7, 5)])
    assert [(at, bool(value)) for at, value, _ in found] == [(3, True), (4, False), (7, True), (8, True)]


@pytest.mark.parametrize("error", [MemoryError(), OSError(12, "Cannot allocate memory"), TypeError("not the client's")])
def test_what_is_no_fault_of_the_bytes_is_an_error(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: bytes) -> bytes:
        raise error

    for name in ("aiokafka.record.default_records", "aiokafka.record._crecords.default_records"):
        monkeypatch.setattr(f"{name}.zstd_decode", fails)
    records = fetcher.PartitionRecords(
        TopicPartition("in", 0),
        fetcher.MemoryRecords(batch(0, [GOOD] * 50, codec=4)),
        [],
        0,
        None,
        None,
        True,
        READ_COMMITTED,
    )
    records.passes = True
    with pytest.raises(type(error)):
        next(iter(records))
    assert records.next_fetch_offset == 0


def test_large_values_are_handed_over_some_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    fetched = batch(0, [], [], []) + batch(3, [GOOD] * 50, []) + batch(5, [], [], [], [])
    monkeypatch.setattr(kafka_parsing, "HELD", 2)
    monkeypatch.setattr(kafka_parsing, "_HEADER", 1)
    begin, parts = 0, []
    while begin < 9:
        sent = fetcher.MemoryRecords(behind(fetched, begin))
        records = fetcher.PartitionRecords(TopicPartition("in", 0), sent, [], begin, None, None, True, READ_COMMITTED)
        parts.append([one.offset for one in records])
        begin = records.next_fetch_offset
    assert parts == [[0, 1, 2], [3], [4, 5, 6], [7, 8]]
