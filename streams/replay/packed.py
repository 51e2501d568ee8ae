"""Decompresses `.gz` and `.zst` files of one or more frames. A truncated file is an error.

However large the content, only what is requested is in memory (plus a frame's window of at most 128 MiB).
"""

from __future__ import annotations

import gzip
import io
import sys
import zlib
from typing import BinaryIO

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

#: Exceptions that reading from `unpacked` may raise.
ERRORS = (OSError, EOFError, zlib.error, zstd.ZstdError)


def unpacked(suffix: str, raw: BinaryIO, buffer: int) -> BinaryIO:
    """The content of a file with this suffix; `buffer`: bytes to read ahead."""
    if suffix == ".gz":
        return io.BufferedReader(gzip.GzipFile(fileobj=raw), buffer)
    if suffix == ".zst":
        return io.BufferedReader(zstd.ZstdFile(raw), buffer)
    return raw
