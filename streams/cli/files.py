"""Files that are whole where they are: what is written lies beside its place until all of it is on the disk."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """The path to write to; behind the block what was written there is the file at `path`. Raises OSError.

    Where the block ends with an error, `path` is as it was. A device or a pipe is written to directly.
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
    """Takes the file away, for good, before anything that follows. Raises OSError."""
    path.unlink(missing_ok=True)
    _sync(path.parent)


def _sync(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
