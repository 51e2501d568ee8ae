"""What a task sends to one other task in one commit, in MessagePack: see `Envelope`.

One envelope per edge and receiving partition; if its records are too large for one record of the log, several, of
which only the last carries the new watermark. The numbers of one source increase: on a log without transactions an
envelope may be duplicated, and the receiver drops it by its number.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from streams.engine.errors import UNDECODABLE
from streams.engine.formats import FORMAT, check_format
from streams.engine.processor import Horizon

#: Maximum size of an envelope, in bytes; Kafka's default limit for a record is 1 MiB.
LARGEST = 600_000

#: What to do about an envelope of another format.
_REMEDY = "begin anew with parcelwatch reset"

_encoder = msgspec.msgpack.Encoder()


class Envelope(NamedTuple):
    """One envelope as it was received. `source` is the sending task's partition.

    `holder` names the external partition that holds the watermark back, "TOPIC-PARTITION"; for display only. `format`
    comes last: a version that does not know it refuses the envelope instead of misreading the records.
    """

    source: int
    number: int
    watermark: int
    final: bool
    holder: str
    records: list[Any]
    format: int = 1


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
    whole = _encoder.encode((source, number, after.watermark, after.final, holder, records, FORMAT))
    if len(whole) <= largest or len(records) < 2:
        return [whole]
    half = len(records) // 2
    first = pack(source, number, before, before, holder, records[:half], largest)
    return first + pack(source, number + len(first), before, after, holder, records[half:], largest)


def unpack(value: bytes, edge: str = "of an application") -> Envelope:
    """Decodes one envelope; `edge`: whose it is, for messages.

    Raises `FatalError` for one of a format that is not known, and `msgspec.DecodeError` for anything else.
    """
    try:
        envelope = _decoder.decode(value)
    except UNDECODABLE as error:
        check_format(f"edge {edge}", _format_of(value), _REMEDY)
        raise msgspec.DecodeError(str(error)) from None
    check_format(f"edge {edge}", envelope.format, _REMEDY)
    return envelope


def _format_of(value: bytes) -> int:
    """The format of an envelope that this version cannot decode, where it tells one."""
    place = Envelope._fields.index("format")
    try:
        whole = msgspec.msgpack.decode(value)
    except UNDECODABLE:
        return FORMAT
    found = whole[place] if isinstance(whole, list) and len(whole) > place else FORMAT
    return found if isinstance(found, int) else FORMAT
