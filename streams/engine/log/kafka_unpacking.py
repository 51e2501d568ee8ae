"""Unpacks record batches within bounds: a batch of some kilobytes may unpack to gigabytes.

The brokers look through such a batch without keeping it, and take it; the client would unpack it into memory, at each
start anew.
"""

from __future__ import annotations

import importlib
import mmap
import threading
import zlib
from collections.abc import Callable, Iterator

import cramjam

#: Most bytes that a batch may unpack to. Packed it has a megabyte at the most, unless brokers or topics are set
#: otherwise; texts become a tenth of their size.
LARGEST = 64 << 20
#: Most bytes of a record that was packed: two of them may be a header, which takes some seventy in memory.
LARGEST_RECORD = 8 << 20
#: Most records of a batch that unpacks to more than that; no event is as short as theirs would be.
MOST_RECORDS = 1_000_000
#: Bits of a length, which has 32.
_LONGEST = 28
#: Of what a batch was unpacked into, so much is kept for the next one; or all of it behind one that was too large,
#: which others may follow.
_KEPT = 8 << 20

_GZIP = 16 + zlib.MAX_WBITS
_GZIP_BEGIN = b"\x1f\x8b"
#: What Kafka's Java client writes before blocks of snappy: eight bytes of name, two numbers of four.
_XERIAL, _XERIAL_HEADER = b"\x82SNAPPY\x00", 16
#: Where the client has decoders, with its compiled parts and without; and whether records follow each other in what
#: they unpack, as they do since Kafka 0.11.
_MODULES = {"default_records": True, "legacy_records": False}
#: Of a gzipped batch so much is unpacked at a time: what is left behind a member is copied each time.
_SLICE = 16 << 10

Decode = Callable[[bytes], bytes]


class TooLargeError(ValueError):
    """A batch would unpack to more than that."""


def bound_unpacking() -> None:
    """Makes all consumers of this process unpack within bounds."""
    for package in ("aiokafka.record", "aiokafka.record._crecords"):
        for name, looked_through in _MODULES.items():
            try:
                module = importlib.import_module(f"{package}.{name}")
            except ImportError:
                continue  # a client without compiled parts
            for decoder, decode in _BOUNDED.items():
                if hasattr(module, decoder):
                    setattr(module, decoder, _looking_through(decode) if looked_through else decode)


def _looking_through(decode: Decode) -> Decode:
    """Refuses a batch, too, with a record that is too large, or with too many of them."""

    def decoded(payload: bytes) -> bytes:
        found = decode(payload)
        if len(found) > LARGEST_RECORD:
            _look_through(found)
        return found

    return decoded


def _look_through(records: bytes) -> None:
    """Each begins with its length, which is written in bytes of seven bits, the least first, and doubled."""
    place, end = 0, len(records)
    for _ in range(MOST_RECORDS):
        doubled = shift = 0
        more = True
        while more and place < end:
            if shift > _LONGEST:
                return  # this is no number: the parser tells
            doubled |= (records[place] & 0x7F) << shift
            more = records[place] > 0x7F
            shift += 7
            place += 1
        if doubled > 2 * LARGEST_RECORD:
            raise TooLargeError
        place += doubled >> 1
        if place >= end:
            return
    raise TooLargeError


def gzip_decode(payload: bytes) -> bytes:
    """All members; what is none behind them is passed over, as Java does."""
    given, place = memoryview(payload).cast("B"), 0
    found: list[bytes] = []
    room = LARGEST
    while bytes(given[place : place + 2]) == _GZIP_BEGIN:
        member = zlib.decompressobj(_GZIP)
        while not member.eof:
            part = given[place : place + _SLICE]
            if not part:
                raise EOFError("the batch is cut off")
            found.append(member.decompress(part, room + 1))
            room -= len(found[-1])
            if room < 0:
                raise TooLargeError
            place += len(part) - len(member.unconsumed_tail) - len(member.unused_data)
    if not found:
        raise ValueError("this is no gzip")
    return b"".join(found)


def snappy_decode(payload: bytes) -> bytes:
    """One block of snappy, or those that Kafka's Java client writes. Each tells its size before it is unpacked."""
    blocks = [*_blocks(bytes(payload))]
    if sum(map(cramjam.snappy.decompress_raw_len, blocks)) > LARGEST:
        raise TooLargeError
    return b"".join(bytes(cramjam.snappy.decompress_raw(block)) for block in blocks)


def _blocks(payload: bytes) -> Iterator[bytes]:
    if payload[: len(_XERIAL)] != _XERIAL:
        yield payload
        return
    place = _XERIAL_HEADER
    while place < len(payload):
        begin = place + 4
        place = begin + int.from_bytes(payload[place:begin])
        yield payload[begin:place]


def _into(name: str) -> Decode:
    """A decoder of the client's library that writes into a place which ends at the bound."""
    codec = getattr(cramjam, name)

    def decode(payload: bytes) -> bytes:
        place = _places.place()
        size = None
        try:
            size = codec.decompress_into(payload, place)
        except cramjam.DecompressionError as error:
            if "write whole buffer" not in str(error):
                raise
        if size is None:
            raise TooLargeError
        found: bytes = place[:size]
        if size > _KEPT:
            _places.free()
        return found

    return decode


class _Places(threading.local):
    """Of each thread the place that it unpacks into. Pages that nothing was written to cost nothing."""

    _place: mmap.mmap | None = None

    def place(self) -> mmap.mmap:
        if self._place is None or len(self._place) != LARGEST:
            self._place = mmap.mmap(-1, LARGEST, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        return self._place

    def free(self) -> None:
        self._place = None


_places = _Places()

_BOUNDED: dict[str, Decode] = {
    "gzip_decode": gzip_decode,
    "snappy_decode": snappy_decode,
    "lz4_decode": _into("lz4"),
    "zstd_decode": _into("zstd"),
}
#: By the number that a batch tells of how it is packed, what unpacks its records within bounds; they are of Kafka since
#: 0.11.
DECODERS: dict[int, Decode] = {
    number: _looking_through(decode) for number, decode in enumerate(_BOUNDED.values(), start=1)
}
