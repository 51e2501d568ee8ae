"""The changelog's rows about itself: its head, and the ids of the topics that its state was built from.

The head is the first row and is never rewritten: it tells a changelog from another of the same name, and from one of
another application, number of partitions or format. The row of input ids changes with them.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping

import msgspec

from streams.engine.errors import UNDECODABLE, FatalError
from streams.engine.formats import FORMAT, check_format
from streams.engine.formats import REMEDY as _REMEDY
from streams.engine.log.interface import TopicPartition
from streams.engine.log.journal import PIECE, SEAL

#: Keys of the two rows.
HEAD = b"b"
INPUTS = b"i"

#: Bytes of a head in format 1: an id alone.
_BIRTH = 16


class Head(msgspec.Struct, array_like=True, frozen=True):
    """`birth` is unique. `format`: that of the first rows; for later ones see `streams.engine.task.Progress`."""

    format: int
    birth: bytes
    application: str
    kind: str
    partition: int
    partitions: int


class _Format(msgspec.Struct, array_like=True):
    """The fields that heads of all formats begin with."""

    format: int


_encode = msgspec.msgpack.Encoder().encode


def new_head(application: str, kind: str, partition: int, partitions: int) -> bytes:
    """The first row of a new changelog."""
    return _encode(Head(FORMAT, uuid.uuid4().bytes, application, kind, partition, partitions))


def check_head(
    source: TopicPartition, rows: Mapping[bytes, bytes], application: str, kind: str, partitions: int
) -> bool:
    """Whether the live rows have a head; without state there need be none. Raises `FatalError` if it does not fit."""
    name = f"{source.topic}-{source.partition}"
    row = rows.get(HEAD)
    if row is None:
        if all(key[:1] in (SEAL, PIECE) for key in rows):
            return False
        raise FatalError(f"changelog {name} holds rows, but not the one that it began with: {_REMEDY}")
    if len(row) == _BIRTH:
        # In format 1 it does not say whose it is.
        return True
    try:
        format_ = msgspec.msgpack.decode(row, type=_Format).format
    except UNDECODABLE:
        format_ = 0
    check_format(f"changelog {name}", format_)
    try:
        head = msgspec.msgpack.decode(row, type=Head)
    except UNDECODABLE as error:
        raise FatalError(f"the head of changelog {name} cannot be read: {error}: {_REMEDY}") from error
    wanted = (application, kind, source.partition, partitions)
    found = (head.application, head.kind, head.partition, head.partitions)
    if found != wanted:
        raise FatalError(f"changelog {name} is that of {_words(*found)}, and this is {_words(*wanted)}: {_REMEDY}")
    return True


def _words(application: str, kind: str, partition: int, partitions: int) -> str:
    return f"application {application}, {kind}-{partition} of {partitions}"


def inputs_row(ids: Mapping[str, bytes]) -> bytes:
    """The row with the ids of the topics that the state was built from."""
    return _encode(dict(sorted(ids.items())))


def inputs_of(rows: Mapping[bytes, bytes]) -> dict[str, bytes]:
    """The ids of the topics that the state was built from, as far as they were known."""
    row = rows.get(INPUTS)
    return {} if row is None else msgspec.msgpack.decode(row, type=dict[str, bytes])
