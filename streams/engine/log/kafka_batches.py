"""Hands over fetched records as they lie in their batches, to whoever reads them there.

The client makes an object of each record, which takes longer than many a record's whole way through its task. What
reads a batch at once tells where its records are; a record is made of those that are asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol, cast

from streams.engine.errors import is_panic
from streams.engine.log.kafka_packing import Pack
from streams.engine.log.kafka_parsing import BEFORE, HELD, LENGTH, WRONG, Fetched, Records
from streams.engine.log.kafka_unpacking import DECODERS
from streams.engine.processor import Record

#: Where a batch has its attributes, whose last three bits tell how it is packed; and where its records begin.
_ATTRIBUTES, _ATTRIBUTES_END, _HEAD = 21, 23, 61
_CODEC = 7


class Batched(Protocol):
    """A sequence of records, to be filled before it is used as one."""

    def add(self, fetched: bytes, begin: int, end: int, from_: int, unpacked: bytes | None = None, /) -> bool:
        """Adds the records of the batch `fetched[begin:end]` from offset `from_` on; `unpacked`: where it is packed.

        False: it is not certain what the batch says, and nothing is added.
        """

    def pairs(self) -> Sequence[tuple[bytes, bytes | None]]:
        """Their keys and values, of those that have a key, once all are added."""

    def __len__(self) -> int: ...


class BatchFormat(NamedTuple):
    """What reads and writes record batches besides the client: `read` makes what reads them, `pack` packs records."""

    read: Callable[[], Batched]
    pack: Pack


def left_out(fetched: Any, batch: Any) -> bool:
    """Whether a batch holds nothing for readers: it was aborted, or tells of the end of a transaction.

    `fetched`: the client's records of a partition, which keep in mind who has aborted. To be asked of each in turn.
    """
    if batch.producer_id is not None:
        fetched._consume_aborted_up_to(batch.base_offset)
        if batch.is_control_batch and fetched._contains_abort_marker(batch):
            fetched._aborted_producers.discard(batch.producer_id)
        elif batch.is_transactional and batch.producer_id in fetched._aborted_producers:
            return True
    return bool(batch.is_control_batch)


def in_batches(fetched: Records, make: Callable[[], Batched], most: int) -> Iterator[Sequence[Record]]:
    """All records of what was fetched of a partition: about `most` at a time, of whole batches.

    From the first batch on that cannot be read so, records are as the client parses them, with what stands for
    those that it cannot read.
    """
    batches, data = fetched._records, fetched._records.bytes
    taken, begin, held = make(), 0, 0
    while batches.has_next():
        end = begin + BEFORE + int.from_bytes(data[begin + LENGTH : begin + BEFORE])
        try:
            size = _add(fetched, batches.next_batch(), taken, begin, end)
        except WRONG:
            size = None
        if size is None:
            if len(taken):
                yield cast(Sequence[Record], taken)
            yield from _as_parsed(fetched, data[begin:], most)
            return
        begin = end
        held += size
        if len(taken) >= most or held > HELD:
            yield cast(Sequence[Record], taken)
            if held > HELD:
                return  # the rest is fetched again
            taken = make()
    if len(taken):
        yield cast(Sequence[Record], taken)


def _add(fetched: Records, batch: Any, taken: Batched, begin: int, end: int) -> int | None:
    """Bytes of a batch's records, once they are added or known to be left out. None if that is not to be told here."""
    if not batch.validate_crc():
        return None
    size = 0
    if not left_out(fetched, batch):
        data = fetched._records.bytes
        codec = int.from_bytes(data[begin + _ATTRIBUTES : begin + _ATTRIBUTES_END]) & _CODEC
        unpacked = DECODERS[codec](data[begin + _HEAD : end]) if codec in DECODERS else None
        try:
            added = taken.add(data, begin, end, fetched.next_fetch_offset, unpacked)
        except BaseException as error:
            if not is_panic(error):
                raise
            return None
        if not added:
            return None
        size = end - begin if unpacked is None else len(unpacked)
    fetched.next_fetch_offset = batch.next_offset
    return size


def _as_parsed(fetched: Records, rest: bytes, most: int) -> Iterator[Sequence[Record]]:
    """The records of the rest, of which nothing has been handed over yet."""
    fetched._records = Fetched(rest)
    records: list[Record] = []
    for record in fetched._unpack_records():
        records.append(record)
        if len(records) >= most:
            yield records
            records = []
    if records:
        yield records
