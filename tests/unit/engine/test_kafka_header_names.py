"""A header's name that is not UTF-8 stops no consumer, and what was aborted around it stays so."""

from __future__ import annotations

from typing import Any

import pytest
from aiokafka.consumer import fetcher
from aiokafka.consumer.fetcher import READ_COMMITTED
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy
from aiokafka.structs import TopicPartition

import streams.engine.log.kafka_clients  # noqa: F401 - every user of a client goes through it
from streams.engine.log import kafka_header_names
from tests.header_names import Bad

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
    made = kafka_header_names.MemoryRecords
    monkeypatch.setattr(kafka_header_names, "MemoryRecords", lambda fetched: cut.append(1) or made(fetched))
    assert [each for each, *_ in read(b"".join(batch(each, [BAD]) for each in range(9)))] == [*range(9)]
    assert len(cut) == 2
