"""Packed files as plain ones: `.gz` and `.zst`, of one frame or several. One that is cut off is an error."""

from __future__ import annotations

import gzip
import io
import zlib
from typing import BinaryIO

import zstandard

#: What reading from `unpacked` may raise.
ERRORS = (OSError, EOFError, zlib.error, zstandard.ZstdError)
#: Bytes of a `.zst` that are unpacked at once; they may become a thousand times as many.
_PACKED = 1 << 14


def unpacked(suffix: str, raw: BinaryIO, buffer: int) -> BinaryIO:
    """The content of a file whose name ends like that; `buffer`: bytes that are read ahead."""
    if suffix == ".gz":
        return io.BufferedReader(gzip.GzipFile(fileobj=raw), buffer)
    if suffix == ".zst":
        return io.BufferedReader(_Frames(raw), buffer)
    return raw


class _Frames(io.RawIOBase):
    """Frames of Zstandard, one after the other. The library's own reader takes a frame that is cut off for its end."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self._frame: zstandard.ZstdDecompressionObj | None = None
        self._ready = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, into: memoryview) -> int:  # type: ignore[override]
        """As `io.RawIOBase` has it. Raises EOFError, zstandard.ZstdError."""
        while not self._ready:
            packed = b""
            if self._frame is not None and self._frame.eof:
                packed, self._frame = self._frame.unused_data, None
            packed = packed or self._raw.read(_PACKED)
            if not packed:
                if self._frame is not None:
                    raise EOFError("Compressed file ended before the end of a frame")
                return 0
            if self._frame is None:
                self._frame = zstandard.ZstdDecompressor().decompressobj()
            self._ready = memoryview(self._frame.decompress(packed))
        count = min(len(into), len(self._ready))
        into[:count], self._ready = self._ready[:count], self._ready[count:]
        return count
