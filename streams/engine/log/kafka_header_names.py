"""Reads records with a header whose name is not UTF-8.

To Kafka's brokers such names are bytes, and its client in Java decodes them with U+FFFD for what is wrong.
This client raises an error instead, at the same record each time: its partition could not be read any further.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.consumer.fetcher import PartitionRecords
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatch, _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords

#: A batch begins with its offset and length; the length does not count these bytes.
_LENGTH, _BEFORE = 8, 12


def read_any_header_name() -> None:
    """Makes all consumers of this process read such records, with U+FFFD in the header's name."""
    fetcher.MemoryRecords = _Fetched
    fetcher.PartitionRecords = _Records


class _Fetched:
    """What a fetch has brought of a partition: the client's own, and the bytes."""

    __slots__ = ("bytes", "has_next", "next_batch", "size_in_bytes")

    def __init__(self, fetched: bytes) -> None:
        self.bytes = fetched
        batches = MemoryRecords(fetched)
        self.has_next = batches.has_next
        self.next_batch = batches.next_batch
        self.size_in_bytes = batches.size_in_bytes


class _Records(PartitionRecords):  # type: ignore[misc]
    """The client's own, until there is such a name. The rest of the fetch goes through a slower parser."""

    _records: _Fetched | _Lenient

    def _unpack_records(self) -> Iterator[Any]:
        try:
            yield from super()._unpack_records()
        except (UnicodeDecodeError, CorruptRecordException) as error:
            # The parser in Python, where there is no compiled one, hides the one behind the other.
            if isinstance(self._records, _Lenient) or not isinstance(error.__cause__ or error, UnicodeDecodeError):
                raise
            self._records = _Lenient(self._records.bytes, self.next_fetch_offset)
            yield from super()._unpack_records()


class _Lenient:
    """The batches of a fetch that end behind an offset. Those before have been read, with the ends of transactions."""

    def __init__(self, fetched: bytes, offset: int) -> None:
        self._batches = self._behind(memoryview(fetched), offset)
        self._next = next(self._batches, None)

    @staticmethod
    def _behind(fetched: memoryview, offset: int) -> Iterator[Any]:
        batches = MemoryRecords(bytes(fetched))
        begin = 0
        while batches.has_next():
            batch = batches.next_batch()
            end = begin + _BEFORE + int.from_bytes(fetched[begin + _LENGTH : begin + _BEFORE])
            if batch.next_offset > offset:
                yield _Batch(fetched[begin:end]) if type(batch) is DefaultRecordBatch else batch
            begin = end

    def has_next(self) -> bool:
        return self._next is not None

    def next_batch(self) -> Any:
        batch, self._next = self._next, next(self._batches, None)
        return batch


class _Batch(_DefaultRecordBatchPy):  # type: ignore[misc]
    """The client's parser in Python, which decodes nothing but the names of headers."""

    _buffer: bytearray

    def _maybe_uncompress(self) -> None:
        super()._maybe_uncompress()
        self._buffer = _Buffer(self._buffer)


class _Buffer(bytearray):
    """Bytes whose parts are decoded with U+FFFD for what is not UTF-8."""

    def __getitem__(self, part: Any) -> Any:
        found = super().__getitem__(part)
        return _Buffer(found) if isinstance(part, slice) else found

    def decode(self, encoding: str = "utf-8", _: str = "strict") -> str:
        return super().decode(encoding, "replace")
