"""Compression of what a worker writes to Kafka."""

from __future__ import annotations

from typing import Literal, NamedTuple

from aiokafka.record.default_records import DefaultRecordBatch

Codec = Literal["none", "gzip", "snappy", "lz4", "zstd"]

_ATTRIBUTES: dict[Codec, int] = {
    "none": 0,
    "gzip": DefaultRecordBatch.CODEC_GZIP,
    "snappy": DefaultRecordBatch.CODEC_SNAPPY,
    "lz4": DefaultRecordBatch.CODEC_LZ4,
    "zstd": DefaultRecordBatch.CODEC_ZSTD,
}


class Codecs(NamedTuple):
    """Attributes of record batches, in Kafka's format: for changelogs, and for all other topics."""

    changelogs: int
    others: int


def codecs(codec: Codec | None) -> Codecs:
    """The given codec for everything; without one, changelogs only: their rows are alike, and are read again."""
    if codec is None:
        return Codecs(_ATTRIBUTES["zstd"], _ATTRIBUTES["none"])
    return Codecs(_ATTRIBUTES[codec], _ATTRIBUTES[codec])
