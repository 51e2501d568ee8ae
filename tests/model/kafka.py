"""What the model takes Kafka for: logs with markers, last stable offsets, transactional ids and their epochs.

Everything is a tuple, and each function is one step of a broker.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple


class Entry(NamedTuple):
    """A record, or the marker that ends a transaction. `kind`: "record", "commit" or "abort"; 0 is no transaction."""

    transaction: int
    kind: str
    payload: tuple[int, ...] = ()


class Log(NamedTuple):
    """One partition; what was before `begin` is deleted."""

    entries: tuple[Entry, ...] = ()
    begin: int = 0

    @property
    def end(self) -> int:
        return len(self.entries)


class Producer(NamedTuple):
    """What the coordinator knows of a transactional id. `marks`: the logs whose marker is under way; -1: the offset."""

    epoch: int = 1
    transaction: int = 0
    touched: frozenset[int] = frozenset()
    offset: int = -1
    ending: str = ""
    marks: frozenset[int] = frozenset()


@lru_cache(maxsize=200_000)
def stable(log: Log) -> int:
    """The last stable offset."""
    ended = {each.transaction for each in log.entries if each.kind != "record"}
    for offset, each in enumerate(log.entries):
        if each.transaction and each.kind == "record" and each.transaction not in ended:
            return offset
    return log.end


@lru_cache(maxsize=200_000)
def committed(log: Log, uncommitted: bool = False) -> tuple[tuple[int, tuple[int, ...]], ...]:
    """Offset and payload of every record that is read; `uncommitted`: also those of open and aborted transactions."""
    aborted = {each.transaction for each in log.entries if each.kind == "abort"}
    last = log.end if uncommitted else stable(log)
    return tuple(
        (offset, each.payload)
        for offset, each in enumerate(log.entries[:last])
        if each.kind == "record" and (uncommitted or each.transaction not in aborted)
    )


def append(log: Log, entry: Entry) -> Log:
    return log._replace(entries=(*log.entries, entry))
