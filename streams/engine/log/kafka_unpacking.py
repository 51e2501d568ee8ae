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
#: otherwise; texts become a tenth of their size, those that are all alike a hundredth.
LARGEST = 128 << 20
#: Of what a batch was unpacked into, so much is kept for the next one.
_KEPT = 8 << 20

_GZIP = 16 + zlib.MAX_WBITS
_GZIP_BEGIN = b"\x1f\x8b"
#: What Kafka's Java client writes before blocks of snappy: eight bytes of name, two numbers of four.
_XERIAL, _XERIAL_HEADER = b"\x82SNAPPY\x00", 16
#: Where the client has them, with its compiled parts and without.
_MODULES = "default_records", "legacy_records"

Decode = Callable[[bytes], bytes]


class TooLargeError(ValueError):
    """A batch would unpack to more than that."""


def bound_unpacking() -> None:
    """Makes all consumers of this process unpack within bounds."""
    bounded = {
        "gzip_decode": gzip_decode,
        "snappy_decode": snappy_decode,
        "lz4_decode": _into("lz4"),
        "zstd_decode": _into("zstd"),
    }
    for package in ("aiokafka.record", "aiokafka.record._crecords"):
        for name in _MODULES:
            try:
                module = importlib.import_module(f"{package}.{name}")
            except ImportError:
                continue  # a client without compiled parts
            for decoder, decode in bounded.items():
                if hasattr(module, decoder):
                    setattr(module, decoder, decode)


def gzip_decode(payload: bytes) -> bytes:
    """All members; what is none behind them is passed over, as Java does."""
    found, rest = [], bytes(payload)
    room = LARGEST
    while rest[:2] == _GZIP_BEGIN:
        member = zlib.decompressobj(_GZIP)
        found.append(member.decompress(rest, room + 1))
        room -= len(found[-1])
        if room < 0:
            raise TooLargeError
        if not member.eof:
            raise EOFError("the batch is cut off")
        rest = member.unused_data
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
        size = LARGEST
        try:
            size = codec.decompress_into(payload, place)
            return place[:size]
        except cramjam.DecompressionError as error:
            if "write whole buffer" in str(error):
                raise TooLargeError from error
            raise
        finally:
            if size > _KEPT:
                _places.free()

    return decode


class _Places(threading.local):
    """Of each thread the place that it unpacks into. Pages that nothing was written to cost nothing."""

    _place: mmap.mmap | None = None

    def place(self) -> mmap.mmap:
        if self._place is None or len(self._place) != LARGEST:
            self._place = mmap.mmap(-1, LARGEST)
        return self._place

    def free(self) -> None:
        self._place = None


_places = _Places()
