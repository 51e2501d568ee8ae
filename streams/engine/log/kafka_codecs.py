"""How what a worker writes to Kafka is compressed."""

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
    """Attributes of batches, as Kafka's format has them: of those for changelogs, and of all others."""

    changelogs: int
    others: int


def codecs(codec: Codec | None) -> Codecs:
    """One for everything. Without it changelogs alone are compressed: their rows are alike, and are read again."""
    if codec is None:
        return Codecs(_ATTRIBUTES["zstd"], _ATTRIBUTES["none"])
    return Codecs(_ATTRIBUTES[codec], _ATTRIBUTES[codec])
