"""Atomic files: content is written beside its final path and moved there once it is on disk."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yields the path to write to; when the block ends, it replaces the file at `path`. Raises OSError.

    If the block raises, `path` is unchanged. Devices and pipes are written to directly.
    """
    real = Path(os.path.realpath(path))
    if real.exists() and not real.is_file():
        yield real
        return
    # The same name again, so that what a killed process has left is written over; and no longer than any other.
    part = real.with_name(f".{zlib.crc32(os.fsencode(real.name)):08x}.part")
    part.unlink(missing_ok=True)
    try:
        yield part
        _sync(part)
        part.replace(real)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    _sync(real.parent)


def remove(path: Path) -> None:
    """Removes the file durably. Raises OSError."""
    path.unlink(missing_ok=True)
    _sync(path.parent)


def _sync(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
