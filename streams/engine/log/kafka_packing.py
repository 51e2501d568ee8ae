"""Batches whose records have been packed elsewhere: a changelog's, of which there may be one a scan."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import cramjam
from aiokafka import codec as client_codec
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.default_records import DefaultRecordBatch
from aiokafka.record.util import calc_crc32c

#: Key and value of a record without headers.
Pair = tuple[bytes, bytes | None]
#: Packs such records from a place on into about so many bytes; returns them, and the place of the first that is not
#: among them.
Pack = Callable[[list[Pair], int, int], tuple[bytes, int]]

#: A batch up to its checksum, and what that is of: attributes, the last offset, the first time and the last, producer,
#: its epoch, its first sequence number, the number of records; behind them the records.
_BEFORE, _REST = struct.Struct(">qiibI"), struct.Struct(">hiqqqhii")
#: Bytes that the length of a batch does not count; its format; what stands for a leader's epoch that is not known.
_UNCOUNTED, _FORMAT, _UNKNOWN = 12, 2, -1
_TRANSACTIONAL = 0x10
#: Half the time of the default for a changelog's rows, which are a sixth larger then.
_ZSTD_LEVEL = 1

_ENCODERS: dict[int, Callable[[bytes], bytes]] = {
    DefaultRecordBatch.CODEC_GZIP: client_codec.gzip_encode,
    DefaultRecordBatch.CODEC_SNAPPY: client_codec.snappy_encode,
    DefaultRecordBatch.CODEC_LZ4: client_codec.lz4_encode,
    DefaultRecordBatch.CODEC_ZSTD: lambda records: bytes(cramjam.zstd.compress(records, level=_ZSTD_LEVEL)),
}


class PackedBatch(BatchBuilder):  # type: ignore[misc]
    """A batch of records that are packed already; see the client's own. `codec`: its number in a batch's attributes."""

    def __init__(self, records: bytes, count: int, codec: int, *, transactional: bool) -> None:
        self._records = records
        self._relative_offset = count
        self._codec = codec
        self._transactional = transactional
        self._producer: tuple[int, int, int] = (-1, -1, -1)
        self._buffer: bytearray | None = None
        self._closed = True

    def append(self, **_: Any) -> None:
        """It is full."""

    def size(self) -> int:
        return len(self._records) if self._buffer is None else len(self._buffer)

    def _set_producer_state(self, producer_id: int, producer_epoch: int, base_sequence: int) -> None:
        self._producer = producer_id, producer_epoch, base_sequence

    def _build(self) -> bytearray:
        if self._buffer is None:
            self._buffer = self._built()
            self._records = b""
        return self._buffer

    def _built(self) -> bytearray:
        records, attributes = self._records, _TRANSACTIONAL if self._transactional else 0
        if self._codec in _ENCODERS:
            compressed = _ENCODERS[self._codec](records)
            if len(compressed) < len(records):
                records, attributes = compressed, attributes | self._codec
        now = int(time.time() * 1000)
        count = self._relative_offset
        rest = _REST.pack(attributes, count - 1, now, now, *self._producer, count)
        checksum = calc_crc32c(rest + records)
        length = _BEFORE.size + len(rest) + len(records) - _UNCOUNTED
        return bytearray(b"".join((_BEFORE.pack(0, length, _UNKNOWN, _FORMAT, checksum), rest, records)))


def packed(rows: Iterable[Pair], pack: Pack, most: int, codec: int, *, transactional: bool) -> Iterator[PackedBatch]:
    """Batches of all rows, each of about `most` bytes."""
    pairs, place = [*rows], 0
    while place < len(pairs):
        records, end = pack(pairs, place, most)
        yield PackedBatch(records, end - place, codec, transactional=transactional)
        place = end
