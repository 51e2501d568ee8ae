"""Reads on where the client's parser cannot.

To Kafka's brokers much is only bytes that its client refuses, at the same record each time: its partition could not be
read any further. A header's name that is not UTF-8 is read with U+FFFD, as Kafka's client in Java does. Of a batch that
cannot be read otherwise, or whose record claims an offset beyond it, the rest is passed over where its reader wants it
so: an `Unread` stands in its place.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Any

import cramjam
from aiokafka.consumer import fetcher
from aiokafka.consumer.fetcher import PartitionRecords
from aiokafka.errors import CorruptRecordException, UnsupportedCodecError
from aiokafka.record.default_records import DefaultRecordBatch, _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords

from streams.engine.processor import Unread


class BeyondError(Exception):
    """A record claims an offset that does not belong to its batch."""


#: A batch begins with its offset and length; the length does not count these bytes.
LENGTH, BEFORE = 8, 12
#: What a parser and the libraries behind it raise for bytes that are wrong. Anything else is no producer's doing.
WRONG = (
    CorruptRecordException,
    UnsupportedCodecError,
    BeyondError,
    ValueError,  # UnicodeDecodeError and TooLargeError among others
    IndexError,
    EOFError,
    AssertionError,
    struct.error,
    zlib.error,
    cramjam.DecompressionError,
)
#: Most bytes of values that a fetch of a partition hands over, and what a header counts for. The rest is fetched again.
HELD, _HEADER = 32 << 20, 100
#: How the client says that bytes were changed on their way: they are to be fetched again.
_CHANGED = "Invalid CRC"


def read_on() -> None:
    """Makes all consumers of this process read any name of a header, and able to pass over what cannot be read."""
    fetcher.MemoryRecords = Fetched
    fetcher.PartitionRecords = Records


class Fetched:
    """What a fetch has brought of a partition: the client's own, and the bytes.

    `end`: of the batch given last; None while the next one is cut off, as nobody knows then where it would end.
    """

    __slots__ = ("_next", "bytes", "end", "has_next", "size_in_bytes")

    def __init__(self, fetched: bytes) -> None:
        self.bytes = fetched
        self.end: int | None = None
        batches = MemoryRecords(fetched)
        self._next = batches.next_batch
        self.has_next = batches.has_next
        self.size_in_bytes = batches.size_in_bytes

    def next_batch(self) -> Any:
        self.end = None
        batch = self._next()
        self.end = batch.next_offset
        return batch


class Records(PartitionRecords):  # type: ignore[misc]
    """The client's own, until there is such a name. The rest of the fetch goes through a slower parser.

    `passes`: whether what cannot be read is passed over; else it is an error, as the client has it.
    """

    passes = False
    next_fetch_offset: int
    _records: Fetched | _Lenient

    def __iter__(self) -> Iterator[Any]:
        # Without the client's own step for each record.
        return self._records_iterator or iter(())

    def _unpack_records(self) -> Iterator[Any]:
        wrong: Exception | None = None
        while True:
            held, last = 0, self.next_fetch_offset - 1
            try:
                for record in super()._unpack_records():
                    if record.offset >= self._records.end:
                        self.next_fetch_offset = last + 1
                        raise BeyondError
                    last = record.offset
                    held += len(record.value or b"") + _HEADER * len(record.headers)
                    yield record
                    if held > HELD:
                        return
            except WRONG as error:
                wrong = error
            else:
                return
            if self._has_such_a_name(wrong):
                self._records = _Lenient(self._records.bytes, self.next_fetch_offset)
                continue
            end = self._records.end
            if not self.passes or end is None or _CHANGED in str(wrong):
                raise wrong
            # There may be more than records in a batch: then all of them have been read.
            if self.next_fetch_offset < end:
                self.next_fetch_offset = end
                # It has held what the batch was unpacked into.
                wrong = None
                # The same wherever in the batch a fetch begins. The rest is fetched again: others get their turn.
                yield Unread(end - 1, -1, None, b"")
                return

    def _has_such_a_name(self, error: Exception) -> bool:
        """The parser in Python, where there is no compiled one, hides the one behind the other."""
        if isinstance(self._records, _Lenient) or not isinstance(error, (UnicodeDecodeError, CorruptRecordException)):
            return False
        return isinstance(error.__cause__ or error, UnicodeDecodeError)


class _Lenient:
    """The batches of a fetch that end behind an offset. Those before have been read, with the ends of transactions."""

    def __init__(self, fetched: bytes, offset: int) -> None:
        self.bytes = fetched
        self.end: int | None = None
        self._batches = self._behind(memoryview(fetched), offset)
        self._next: Any = next(self._batches, None)

    @staticmethod
    def _behind(fetched: memoryview, offset: int) -> Iterator[Any]:
        batches = MemoryRecords(bytes(fetched))
        begin = 0
        while batches.has_next():
            batch = batches.next_batch()
            end = begin + BEFORE + int.from_bytes(fetched[begin + LENGTH : begin + BEFORE])
            if batch.next_offset > offset:
                yield _Batch(fetched[begin:end]) if type(batch) is DefaultRecordBatch else batch
            begin = end

    def has_next(self) -> bool:
        return self._next is not None

    def next_batch(self) -> Any:
        batch, self._next = self._next, next(self._batches, None)
        self.end = batch.next_offset
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
