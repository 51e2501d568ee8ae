"""Folders of copies on disk: nobody but their owner reads them, and what was found broken in one is remembered."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from streams.engine.errors import FatalError

#: Permissions of everybody but the owner.
_OTHERS = 0o077
#: Marker file of a corrupt copy.
_BROKEN = "parcelwatch-broken"


def make_private(folder: Path) -> None:
    """Makes a folder that others cannot look into, and leaves everything that the process creates to it alone.

    Raises `FatalError` if it cannot be created.
    """
    # Files are created at any time, in a library's own threads, with the process's umask: shut others out.
    os.umask(_OTHERS)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _close_to_others(folder)
    except OSError as error:
        raise FatalError(f"the state directory {folder} cannot be made: {error.strerror}") from error


def _close_to_others(folder: Path) -> None:
    """Removes the permissions that a former version left to others."""
    for path in (folder, *folder.rglob("*")):
        with suppress(FileNotFoundError):
            path.chmod(path.stat().st_mode & ~_OTHERS)


def is_broken(path: Path) -> bool:
    """Whether a previous process found the copy corrupt."""
    return (path / _BROKEN).exists()


def mend(path: Path) -> None:
    """Clears the marker, once the corrupt copy is gone."""
    (path / _BROKEN).unlink(missing_ok=True)


def machine_fails(path: Path, why: object) -> FatalError:
    """The fatal error for a disk that is full, read-only, failing or not permitted."""
    return FatalError(f"the state directory {path} cannot be used: {why}")


def copy_is_broken(path: Path, why: object) -> FatalError:
    """The fatal error for a corrupt copy; the next process discards it."""
    with suppress(OSError):
        (path / _BROKEN).touch()
    return FatalError(f"the state directory {path} is broken, and made anew from Kafka at the next start: {why}")
