"""Record batches as they are fetched, of all sorts that Kafka has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.consumer.fetcher import READ_COMMITTED
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy
from aiokafka.structs import TopicPartition

import streams.engine.log.kafka_clients  # noqa: F401 - every user of a client goes through it
from tests.odd_batches import behind, checked

CODECS = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
ABORT = b"\x00\x00\x00\x00"


def batch(base: int, count: int, codec: int = 0, producer: int = -1, ends: bool = False, name: str = "h") -> bytes:
    """Records with and without headers, keys and values; or the end of an aborted transaction."""
    builder = _DefaultRecordBatchBuilderPy(2, codec, int(producer >= 0), producer, 0, 0, 1 << 20)
    for number in range(count):
        key = None if number % 5 == 4 else b"odd"
        value = None if number % 7 == 6 else b"value %d" % (base + number) * (1 + number % 3)
        headers: list[Any] = [(name, None if number % 4 else b"x" * 200), ("其他", b"")] if number % 2 else []
        builder.append(number, 1000 + 7 * number, key, value, headers)
    if ends:
        builder.append(0, 1000, ABORT, b"", [])
    made = bytearray(builder.build())
    made[:8] = base.to_bytes(8)
    if ends:
        made[22] |= 0x20
    return checked(made)


def packed(rows: Sequence[tuple[bytes, bytes | None]], codec: int) -> bytes:
    """Records of those keys and values, in one batch."""
    builder = _DefaultRecordBatchBuilderPy(2, codec, 0, -1, 0, 0, 1 << 20)
    for number, (key, row) in enumerate(rows):
        builder.append(number, 1000, key, row, [])
    return bytes(builder.build())


def sent(fetched: bytes, begin: int, aborted: Sequence[tuple[int, int]]) -> Any:
    """What the client has of a partition once it has fetched these batches from an offset on."""
    batches = fetcher.MemoryRecords(behind(fetched, begin))
    return fetcher.PartitionRecords(
        TopicPartition("in", 0), batches, [*aborted], begin, None, None, True, READ_COMMITTED
    )
