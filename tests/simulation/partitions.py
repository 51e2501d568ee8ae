"""Partitions as brokers keep them: records of open, committed and aborted transactions, and their markers."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from streams.engine.log.interface import Fetched, TopicPartition
from streams.engine.processor import Record

#: Key, value and headers of a record.
Row = tuple[bytes | None, bytes | None, tuple[tuple[str, bytes], ...]]


class Partition:
    """One partition. Transactions are numbers; 0 is none."""

    def __init__(self, source: TopicPartition) -> None:
        self.source = source
        self.begin = self.end = 0
        self._offsets: list[int] = []
        self._records: list[tuple[Record, int]] = []
        #: The first offset of each open transaction.
        self.open: dict[int, int] = {}
        self._aborted: set[int] = set()

    @property
    def stable(self) -> int:
        """The last stable offset."""
        return min(self.open.values(), default=self.end)

    def append(self, rows: Sequence[Row], timestamp: int, transaction: int = 0) -> int:
        """Returns the offset of the first."""
        first = self.end
        if transaction:
            self.open.setdefault(transaction, first)
        for key, value, headers in rows:
            self._offsets.append(self.end)
            self._records.append((Record(self.end, timestamp, key, value, headers), transaction))
            self.end += 1
        return first

    def mark(self, transaction: int, *, commit: bool) -> None:
        """Writes the marker that ends a transaction here."""
        self.open.pop(transaction, None)
        if not commit:
            self._aborted.add(transaction)
        self.end += 1

    def trim(self, before: int) -> None:
        self.begin = max(self.begin, min(before, self.end))
        cut = bisect_left(self._offsets, self.begin)
        del self._offsets[:cut], self._records[:cut]

    def compact(self, before: int) -> None:
        """Keeps the last record of each key below `before`, as the cleaner does; it stops at open transactions."""
        cut = bisect_left(self._offsets, min(before, self.stable))
        last: dict[bytes | None, int] = {}
        for record, transaction in self._records[:cut]:
            if transaction not in self._aborted:
                last[record.key] = record.offset
        kept = [each for each in self._records[:cut] if last.get(each[0].key) == each[0].offset]
        self._records = kept + self._records[cut:]
        self._offsets = [record.offset for record, _ in self._records]

    def read(self, offset: int, most: int) -> Fetched:
        """Committed records from `offset` on, up to the last stable offset."""
        stable = self.stable
        found: list[Record] = []
        for record, transaction in self._records[bisect_left(self._offsets, offset) :]:
            if record.offset >= stable:
                break
            if transaction in self._aborted:
                continue
            if len(found) == most:
                return Fetched(self.source, found, found[-1].offset + 1)
            found.append(record)
        return Fetched(self.source, found, max(stable, offset))
