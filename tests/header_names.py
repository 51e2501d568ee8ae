"""A header's name that is not UTF-8, which the client's compiled parts refuse to write."""

from __future__ import annotations

from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy


class Bad(str):
    """A name of three bytes, of which the second is wrong."""

    __slots__ = ()

    def encode(self, *_: Any) -> bytes:
        return b"a\xffb"


async def send(producer: AIOKafkaProducer, topic: str, partition: int, key: bytes | None, value: bytes) -> None:
    """Writes a record with such a header; its value is `kept`."""
    batch = producer.create_batch()
    batch._builder = _DefaultRecordBatchBuilderPy(2, 0, 0, -1, -1, -1, 2 << 20)
    batch.append(timestamp=None, key=key, value=value, headers=[(Bad(), b"kept")])
    batch.close()
    await (await producer.send_batch(batch, topic, partition=partition))
