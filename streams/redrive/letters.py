"""Dead letters as a redrive sees them: where each came from, whether it is wanted, and what is sent for it.

Redriven records carry two headers of ours, copied into any dead letter they become again: how often the record has been
redriven, and where it was first read. The first stops endless loops; the second makes only the last letter of a record
count.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from schemas.times import parse
from streams.engine.log.interface import TopicPartition
from streams.engine.processor import Record, Unread

#: How often the record has been redriven; topic/partition/offset where it was first read.
REDRIVES, REDRIVE_OF = "parcelwatch-redrives", "parcelwatch-redrive-of"
#: Headers that the worker's intake appends to those of the record.
_ADDED = ("error-code", "error-detail", "source-topic", "source-partition", "source-offset", "failed-at")

_NUMBER = re.compile("[0-9]{1,19}")
#: The greatest that Kafka's protocol has.
_LAST_PARTITION, _LAST_OFFSET = (1 << 31) - 1, (1 << 63) - 1

Headers = tuple[tuple[str, bytes], ...]


class RecordPosition(NamedTuple):
    """One record of a log."""

    source: TopicPartition
    offset: int


class Letter(NamedTuple):
    """One dead letter without its content. `at`: where it lies; `original`: where its record was read.

    `root`: where that record was first read, before any redrive. `failed_at`: microseconds. `whole`: whether the
    letter holds the record's value.
    """

    at: RecordPosition
    original: RecordPosition
    root: str
    redrives: int
    reason: str
    failed_at: int
    key: bytes | None
    whole: bool

    @property
    def content(self) -> RecordPosition:
        """Where the record's content is: in the letter, else in the topic it was read from."""
        return self.at if self.whole else self.original


def letter(source: TopicPartition, record: Record, topic: str) -> Letter | None:
    """Parses a record of the dead letters of `topic`; None if it is not one of ours."""
    headers = record.headers
    if tuple(name for name, _ in headers[-len(_ADDED) :]) != _ADDED:
        return None
    added = {name: (value or b"").decode(errors="replace") for name, value in headers[-len(_ADDED) :]}
    try:
        failed_at = parse(added["failed-at"])
    except ValueError:
        return None
    numbers = added["source-partition"], added["source-offset"]
    if added["source-topic"] != topic or not all(map(_NUMBER.fullmatch, numbers)):
        return None
    partition, offset = map(int, numbers)
    if partition > _LAST_PARTITION or offset > _LAST_OFFSET:
        return None
    own = {name: value or b"" for name, value in headers[: -len(_ADDED)]}
    root = own.get(REDRIVE_OF, f"{topic}/{partition}/{offset}".encode()).decode(errors="replace")
    return Letter(
        at=RecordPosition(source, record.offset), original=RecordPosition(TopicPartition(topic, partition), offset),
        root=root,
        redrives=_number(own.get(REDRIVES, b"0")), reason=added["error-code"], failed_at=failed_at, key=record.key,
        whole=record.value is not None,
    )  # fmt: skip


def _number(text: bytes) -> int:
    """Parses a count; an invalid one exceeds every limit, so that it cannot cause a loop."""
    return int(text) if text.isdigit() and len(text) < 10 else 1 << 31


@dataclass(frozen=True, slots=True)
class Filter:
    """Selects letters: empty and None mean any. `since`, `before`: bounds on the failure time, in microseconds."""

    reasons: frozenset[str] = frozenset()
    partitions: frozenset[int] = frozenset()
    since: int | None = None
    before: int | None = None

    def wants(self, letter: Letter) -> bool:
        return (
            (not self.reasons or letter.reason in self.reasons)
            and (not self.partitions or letter.original.source.partition in self.partitions)
            and (self.since is None or letter.failed_at >= self.since)
            and (self.before is None or letter.failed_at < self.before)
        )


class Redriven(NamedTuple):
    """A record to send to `topic`, `partition`."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes
    headers: Headers


def redriven(letter: Letter, record: Record, partition: int) -> Redriven | None:
    """The record to send for a letter, from the one holding its content; None if that is a different record by now."""
    headers = record.headers
    if letter.whole:
        headers = headers[: -len(_ADDED)]
    elif letter.key is not None and record.key != letter.key:
        return None
    if record.value is None or isinstance(record, Unread):
        return None
    own: Mapping[str, bytes] = {REDRIVES: b"%d" % (letter.redrives + 1), REDRIVE_OF: letter.root.encode()}
    kept = tuple((name, value) for name, value in headers if name not in own)
    return Redriven(letter.original.source.topic, partition, record.key, record.value, (*kept, *own.items()))
