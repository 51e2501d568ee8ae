"""Record batches that Kafka's brokers take, and that the client cannot read, or no memory hold."""

from __future__ import annotations

import time
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.record.default_records import DefaultRecordBatch, _DefaultRecordBatchBuilderPy
from aiokafka.record.util import calc_crc32c

#: Offsets in a batch: of its checksum, and of what that is of.
_CHECKSUM, _CHECKED = 17, 21
_KEY = b"odd"
#: What a bomb unpacks to, in records of a megabyte.
BOMB = 160


class Bad(str):
    """A name of three bytes, of which the second is wrong."""

    __slots__ = ()

    def encode(self, *_: Any) -> bytes:
        return b"a\xffb"


def checked(made: bytes | bytearray) -> bytes:
    """A batch with the checksum of what it holds."""
    whole = bytearray(made)
    whole[_CHECKSUM:_CHECKED] = calc_crc32c(bytes(whole[_CHECKED:])).to_bytes(4)
    return bytes(whole)


def behind(fetched: bytes, begin: int) -> bytes:
    """What a broker sends where a fetch begins there: no batch that ends before it."""
    while fetched and int.from_bytes(fetched[:8]) + int.from_bytes(fetched[23:27]) < begin:
        fetched = fetched[12 + int.from_bytes(fetched[8:12]) :]
    return fetched


def spoiled(made: bytes, value: bytes) -> bytes:
    """The batch where the record with that value tells attributes that the client takes for a longer number.

    The value must be one that comes once. To brokers a record's attributes say nothing.
    """
    whole = bytearray(made)
    # Before it: its own length, the key and that one's, the offset's and the time's difference, of a byte each.
    place = whole.index(value) - len(_KEY) - 5
    assert whole[place] == 0
    whole[place] = 0x80
    return checked(whole)


def _now() -> int:
    return time.time_ns() // 1_000_000


async def _send(
    producer: AIOKafkaProducer, topic: str, partition: int, builder: Any, count: int, made: bytes | None = None
) -> None:
    batch = producer.create_batch()
    batch._builder, batch._relative_offset = builder, count
    batch.close()
    if made is not None:
        batch._buffer = bytearray(made)
    await (await producer.send_batch(batch, topic, partition=partition))


async def send_name(producer: AIOKafkaProducer, topic: str, partition: int, key: bytes | None, value: bytes) -> None:
    """Writes a record with a header's name that is not UTF-8; the header's value is `kept`."""
    builder = _DefaultRecordBatchBuilderPy(2, 0, 0, -1, -1, -1, 2 << 20)
    builder.append(0, _now(), key, value, [(Bad(), b"kept")])
    await _send(producer, topic, partition, builder, 1)


async def send_spoiled(producer: AIOKafkaProducer, topic: str, partition: int) -> None:
    """Writes three records, the second of which cannot be read."""
    builder = _DefaultRecordBatchBuilderPy(2, 0, 0, -1, -1, -1, 2 << 20)
    now = _now()
    for number in range(3):
        builder.append(number, now, _KEY, b"value %d" % number, [])
    await _send(producer, topic, partition, builder, 3, spoiled(bytes(builder.build()), b"value 1"))


async def send_bomb(producer: AIOKafkaProducer, topic: str, partition: int) -> None:
    """Writes some kilobytes that unpack to `BOMB` megabytes."""
    builder = _DefaultRecordBatchBuilderPy(2, DefaultRecordBatch.CODEC_ZSTD, 0, -1, -1, -1, (BOMB + 1) << 20)
    value, now = bytes((1 << 20) - 100), _now()
    for number in range(BOMB):
        builder.append(number, now, _KEY, value, [])
    await _send(producer, topic, partition, builder, BOMB)
