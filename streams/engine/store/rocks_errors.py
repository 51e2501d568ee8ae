"""Turns RocksDB's errors, which are all of one class, into fatal errors that say why."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from streams.engine.errors import FatalError
from streams.engine.store.folders import copy_is_broken, machine_fails

#: Texts that identify an error of the machine; a missing file; a database in use.
_MACHINE, _MISSING = ("IO error", "(os error"), "No such file"
_IN_USE = ("lock hold by", "Resource temporarily unavailable")


def by_the_machine(error: Exception) -> bool:
    """Whether the disk is full, read-only, failing or not permitted: any other database would fail alike."""
    text = str(error)
    return any(each in text for each in _MACHINE) and _MISSING not in text


def in_use(error: Exception) -> bool:
    """Whether another process has the database open."""
    return any(each in str(error) for each in _IN_USE)


def unusable(path: Path, error: Exception) -> FatalError:
    """The fatal error for an error of RocksDB. Its text names files, never their content."""
    if by_the_machine(error):
        return machine_fails(path, error)
    return copy_is_broken(path, error)


@contextmanager
def using(path: Path) -> Iterator[None]:
    """Raises `FatalError` for what RocksDB raises in the block."""
    try:
        yield
    except Exception as error:
        if type(error) is not Exception:
            raise
        raise unusable(path, error) from error
