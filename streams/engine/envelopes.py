"""What a task sends to one other task in one commit, in MessagePack: see `Envelope`.

One envelope per edge and receiving partition; if its records are too large for one record of the log, several, of
which only the last carries the new watermark. The numbers of one source increase: on a log without transactions an
envelope may be duplicated, and the receiver drops it by its number.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from streams.engine.processor import Horizon

#: Maximum size of an envelope, in bytes; Kafka's default limit for a record is 1 MiB.
LARGEST = 600_000

_encoder = msgspec.msgpack.Encoder()


class Envelope(NamedTuple):
    """One envelope as it was received. `source` is the sending task's partition.

    `holder` names the external partition that holds the watermark back, "TOPIC-PARTITION"; for display only.
    """

    source: int
    number: int
    watermark: int
    final: bool
    holder: str
    records: list[Any]


_decoder = msgspec.msgpack.Decoder(Envelope)


def pack(
    source: int,
    number: int,
    before: Horizon,
    after: Horizon,
    holder: str,
    records: Sequence[Any],
    largest: int = LARGEST,
) -> list[bytes]:
    """Encodes the records of one commit, numbered from `number` on.

    `before` is the watermark that the receiver may know already.
    """
    whole = _encoder.encode((source, number, after.watermark, after.final, holder, records))
    if len(whole) <= largest or len(records) < 2:
        return [whole]
    half = len(records) // 2
    first = pack(source, number, before, before, holder, records[:half], largest)
    return first + pack(source, number + len(first), before, after, holder, records[half:], largest)


def unpack(value: bytes) -> Envelope:
    """Decodes one envelope. Raises `msgspec.DecodeError` for anything else."""
    return _decoder.decode(value)
