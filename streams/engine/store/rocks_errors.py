"""What RocksDB raises, which is of one class alone, as an end of the worker that says why."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from streams.engine.errors import FatalError

#: What stands in the texts of those that the machine is to blame for; of a file that is missing; of one in use.
_MACHINE, _MISSING = ("IO error", "(os error"), "No such file"
_IN_USE = ("lock hold by", "Resource temporarily unavailable")
#: A file beside the data of a database that is broken.
_BROKEN = "parcelwatch-broken"


def by_the_machine(error: Exception) -> bool:
    """Whether the disk is full, read-only or broken, or may not be written: another database would meet the same."""
    text = str(error)
    return any(each in text for each in _MACHINE) and _MISSING not in text


def in_use(error: Exception) -> bool:
    """Whether another process has the database open."""
    return any(each in str(error) for each in _IN_USE)


def is_broken(path: Path) -> bool:
    """Whether a former process could not read what is there."""
    return (path / _BROKEN).exists()


def mend(path: Path) -> None:
    """Nothing of the broken database is left there."""
    (path / _BROKEN).unlink(missing_ok=True)


def unusable(path: Path, error: Exception) -> FatalError:
    """The end that an error is. Its text names files and never what is in them."""
    if by_the_machine(error):
        return FatalError(f"the state directory {path} cannot be used: {error}")
    with suppress(OSError):
        (path / _BROKEN).touch()
    return FatalError(f"the state directory {path} is broken, and made anew from Kafka at the next start: {error}")


@contextmanager
def using(path: Path) -> Iterator[None]:
    """Raises `FatalError` for what RocksDB raises in the block."""
    try:
        yield
    except Exception as error:
        if type(error) is not Exception:
            raise
        raise unusable(path, error) from error
