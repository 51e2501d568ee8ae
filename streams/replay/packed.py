"""Packed files as plain ones: `.gz` and `.zst`, of one frame or several. One that is cut off is an error.

However much a file becomes, no more of it is in memory than is asked for (and a frame's window, of at most 128 MiB).
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

#: What reading from `unpacked` may raise.
ERRORS = (OSError, EOFError, zlib.error, zstd.ZstdError)


def unpacked(suffix: str, raw: BinaryIO, buffer: int) -> BinaryIO:
    """The content of a file whose name ends like that; `buffer`: bytes that are read ahead."""
    if suffix == ".gz":
        return io.BufferedReader(gzip.GzipFile(fileobj=raw), buffer)
    if suffix == ".zst":
        return io.BufferedReader(zstd.ZstdFile(raw), buffer)
    return raw
