"""The doors by their names. Each takes the bytes of one input, and raises where something does not hold of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from schemas.events import CHATS, ORDERS, SCANS
from tests.fuzz import adapt_doors, event_doors, other_doors


@contextmanager
def folder() -> Iterator[Path]:
    """A folder for a door's files, in memory where there is such a place."""
    shared = _MEMORY if os.access(_MEMORY, os.W_OK) else None
    with TemporaryDirectory(prefix="fuzz-", dir=shared) as own:
        yield Path(own)


_MEMORY = "/dev/shm"  # noqa: S108  a folder of its own in it
Door = Callable[[bytes], None]

#: Given a folder for its files, each makes its door.
DOORS: dict[str, Callable[[Path], Door]] = {
    ORDERS: lambda _folder: event_doors.value_of(ORDERS),
    SCANS: lambda _folder: event_doors.value_of(SCANS),
    CHATS: lambda _folder: event_doors.value_of(CHATS),
    "record": lambda _folder: event_doors.record,
    "lines": event_doors.lines,
    "packed": event_doors.packed,
    "body": lambda _folder: adapt_doors.body,
    "push": lambda _folder: adapt_doors.push,
    "table": adapt_doors.table,
    "policy": other_doors.policy,
    "description": other_doors.description,
    "internal": lambda _folder: other_doors.internal,
}
#: Bytes of an input: where a bound lies at 64 KiB it is met; elsewhere short ones are quick.
LONGEST = dict.fromkeys((ORDERS, SCANS, CHATS), 66_000) | {"packed": 4_096, "internal": 4_096}
USUALLY = 16_384
