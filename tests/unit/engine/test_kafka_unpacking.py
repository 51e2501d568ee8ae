"""A batch of some kilobytes that unpacks to gigabytes is refused before it takes the memory."""

from __future__ import annotations

import gzip
import tracemalloc
from collections.abc import Callable
from typing import Any

import cramjam
import pytest
from aiokafka import codec
from aiokafka.consumer import fetcher
from aiokafka.record import default_records
from aiokafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder, _DefaultRecordBatchPy
from aiokafka.structs import TopicPartition

import streams.engine.log.kafka_clients  # noqa: F401 - every user of a client goes through it
from streams.engine.log import kafka_unpacking
from streams.engine.log.kafka_unpacking import LARGEST, TooLargeError, gzip_decode

CODECS = {"gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
PACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": codec.gzip_encode,
    "snappy": codec.snappy_encode,
    "snappy in one block": lambda data: codec.snappy_encode(data, xerial_compatible=False),
    "lz4": codec.lz4_encode,
    "zstd": codec.zstd_encode,
}
NAMES = {name: f"{name.split()[0]}_decode" for name in PACK}


def batch(number: int, values: list[bytes]) -> bytes:
    builder = DefaultRecordBatchBuilder(2, number, 0, -1, -1, -1, 8 << 20)
    for at, value in enumerate(values):
        builder.append(at, 1000, b"key", value, [])
    return bytes(builder.build())


@pytest.mark.parametrize("name", PACK)
@pytest.mark.parametrize("data", [b"", b"a", bytes(range(256)) * 5_000], ids=["nothing", "a byte", "a megabyte"])
def test_what_is_small_is_unpacked(name: str, data: bytes) -> None:
    assert getattr(default_records, NAMES[name])(PACK[name](data)) == data


@pytest.mark.parametrize("name", PACK)
def test_what_would_be_too_large_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_unpacking, "LARGEST", 1 << 20)
    decode = getattr(default_records, NAMES[name])
    assert decode(PACK[name](bytes(1 << 20))) == bytes(1 << 20)
    with pytest.raises(TooLargeError):
        decode(PACK[name](bytes((1 << 20) + 1)))


@pytest.mark.parametrize("parser", [DefaultRecordBatch, _DefaultRecordBatchPy])
@pytest.mark.parametrize("number", CODECS.values(), ids=CODECS)
def test_both_parsers_of_the_client_are_bounded(parser: Any, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    values = [bytes(100_000)] * 20
    assert [one.value for one in parser(batch(number, values))] == values
    monkeypatch.setattr(kafka_unpacking, "LARGEST", 1 << 20)
    with pytest.raises(TooLargeError):
        list(parser(batch(number, values)))


def test_a_bomb_takes_no_more_memory_than_the_bound() -> None:
    bomb = gzip.compress(bytes(4 * LARGEST), 1)
    tracemalloc.start()
    try:
        with pytest.raises(TooLargeError):
            gzip_decode(bomb)
        assert tracemalloc.get_traced_memory()[1] < 2.5 * LARGEST
    finally:
        tracemalloc.stop()


def test_a_bomb_among_others_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = bytearray(batch(4, [bytes(100_000)] * 20))
    bomb[:8] = (1).to_bytes(8)
    last = bytearray(batch(0, [b"3"]))
    last[:8] = (21).to_bytes(8)
    monkeypatch.setattr(kafka_unpacking, "LARGEST", 1 << 20)
    fetched = fetcher.MemoryRecords(batch(0, [b"1"]) + bytes(bomb) + bytes(last))
    records = fetcher.PartitionRecords(TopicPartition("in", 0), fetched, [], 0, None, None, True, 0)
    records.passes = True
    # One of them in a fetch: each takes its time.
    assert [(one.offset, one.value) for one in records] == [(0, b"1"), (20, b"")]
    assert records.next_fetch_offset == 21


@pytest.mark.parametrize("name", PACK)
def test_a_record_that_is_too_large_is_refused_and_many_small_ones_are_not(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    decode = getattr(default_records, NAMES[name])
    monkeypatch.setattr(kafka_unpacking, "LARGEST_RECORD", 1000)
    one = b"\xd0\x0f" + bytes(1000)  # its length, doubled
    assert decode(PACK[name](one * 3 + b"\x04ab" * 500)) == one * 3 + b"\x04ab" * 500
    with pytest.raises(TooLargeError):
        decode(PACK[name](one * 3 + b"\xd2\x0f" + bytes(1001)))
    monkeypatch.setattr(kafka_unpacking, "MOST_RECORDS", 600)
    assert decode(PACK[name](b"\x04ab" * 600))
    with pytest.raises(TooLargeError):
        decode(PACK[name](b"\x04ab" * 601))
    # What is no record is left to the parser, however much of it there is.
    assert decode(PACK[name](b"\xff" * (4 << 20)))


def test_many_members_of_gzip_are_all_read() -> None:
    assert gzip_decode(gzip.compress(b"a") * 20_000) == b"a" * 20_000


def test_members_of_gzip_are_all_read_and_what_is_none_behind_them_is_not() -> None:
    two = gzip.compress(b"one, ") + gzip.compress(b"two")
    assert gzip_decode(two) == gzip_decode(two + bytes(7)) == gzip_decode(two + b"more") == b"one, two"
    with pytest.raises(EOFError):
        gzip_decode(two[:-1])
    with pytest.raises(ValueError, match="no gzip"):
        gzip_decode(b"")


def test_what_is_no_packed_batch_is_refused() -> None:
    for name in ("lz4", "zstd", "snappy"):
        with pytest.raises((cramjam.DecompressionError, ValueError)):
            getattr(default_records, NAMES[name])(b"\x00nothing of that kind")
