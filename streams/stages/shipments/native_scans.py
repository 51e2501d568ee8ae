"""The common scan in Rust: the package `parcelwatch-native`, where it is installed.

It takes a scan only where it is certain of what Python would do with it, into the same rows, and hands every other one
back: Python is the reference.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any, Literal
from weakref import WeakMethod

from streams.engine.due_keys import DueIndex
from streams.engine.errors import FatalError, LogError, is_panic
from streams.engine.processor import PREFIX, PartitionClock
from streams.engine.table import MemoryTable, Table
from streams.rules.shipments.scan_status import NAMES
from streams.stages.shipments.book import ShipmentBook
from streams.stages.shipments.native_ties import NativeTies
from streams.stages.shipments.parcel_rows import FORMAT

#: Whether to use it: if it is there, in any case, not at all.
Choice = Literal["auto", "on", "off"]
#: The version that works with this one; an extra of pyproject.toml names it.
VERSION = "0.1.0"

#: The form of the calls. Like the rows' format, it may differ within a version until that is released.
CALLS = 8

_MODULE = "parcelwatch_native"
_ENDLESS = (1 << 63) - 1
#: Set when it has panicked: it is not used again in this process.
_failed = False

#: Place of the first record handed back, greatest time, scans by carrier and hour.
_Taken = tuple[int, int, list[tuple[str, int, int, int]]]
_Clock = tuple[int, int, int, int, int]


def chosen(choice: Choice) -> ModuleType | None:
    """The module if it is to be used. Raises FatalError if it has to be used and cannot."""
    if choice == "off":
        return None
    try:
        module = importlib.import_module(_MODULE)
        lacking = _lacking(module)
    except ImportError as error:
        lacking = str(error)
    if lacking is None:
        return module
    if choice == "on":
        raise FatalError(f"{lacking}: pip install 'parcelwatch[native]'")
    return None


def used(module: ModuleType | None) -> str:
    """The version in use, or `off`."""
    return "off" if module is None else str(module.VERSION)


def _lacking(module: ModuleType) -> str | None:
    """Why it cannot be used, if it cannot."""
    if module.VERSION != VERSION:
        return f"it is version {module.VERSION}, and {VERSION} is needed"
    if getattr(module, "FORMAT", None) != FORMAT or tuple(module.statuses()) != NAMES:
        return "it was built for other rows"
    if getattr(module, "CALLS", None) != CALLS:
        return "it was built for other calls"
    return None


def usable(module: ModuleType | None, book: ShipmentBook) -> NativeScans | None:
    """What takes the common scans of a book; None if there is no module, or if it has panicked in this process."""
    return None if module is None or _failed else NativeScans(module, book)


def empty_rows(module: ModuleType | None) -> Table:
    """A table for rows in memory; in Rust, where that is to be used, it takes about half as much."""
    if module is None or _failed:
        return MemoryTable()
    made: Table = module.Rows()
    return made


class NativeScans:
    """Takes the common scans of one book, and keeps its ties, and its rows where they are kept in memory.

    Everything else about the book remains Python's. To be made before anything is in the book.
    """

    def __init__(self, module: ModuleType, book: ShipmentBook) -> None:
        rules = book.policy.shipments
        if isinstance(book.rows, MemoryTable) and not book.rows:
            book.rows = empty_rows(module)
        self._book, self._module = book, module
        self._ties = NativeTies(module)
        book.ties = self._ties
        self._rows_of: tuple[type, ...] = module.Rows, module.FileTable
        self._due: Any = None
        book.index_by(self._index)
        self.attached()
        self._carriers = 0
        self._scans = module.Scans(
            rules.shortest, rules.keep, book.full, book.carrier_of, book.number_of, book.place_of, book.tells
        )

    def attached(self) -> None:
        """To be told when the book has been given other rows."""
        self._due.look_in(self._book.rows)

    def _index(self, due_of: Callable[[bytes], int | None], besides: Mapping[bytes, Any]) -> DueIndex:
        # The book holds the index: an index that held the book, too, would keep both for good, as the collector does
        # not see into it.
        method = WeakMethod(due_of)

        def weakly(key: bytes) -> int | None:
            told = method()
            return None if told is None else told(key)

        self._due = self._module.DueKeys(weakly, besides)
        index: DueIndex = self._due
        return index

    def take(
        self,
        records: Sequence[object],
        start: int,
        clock: PartitionClock,
        belongs: Callable[[bytes], bool] | tuple[int, int],
    ) -> int:
        """Takes records from `start` on. Returns the place of the first that is Python's to take.

        `belongs`: whether a key does; or, where that goes by murmur2, the partition and of how many it is one.

        Raises LogError if the module panics: the state is unusable.
        """
        book = self._book
        return self._taken(
            self._ready().take,
            clock, records, start, self._clock(clock), book.rows, book.changed, self._ties.taken, self._due, belongs,
        )  # fmt: skip

    def collect(self, keyed: dict[bytes, bytes | None]) -> None:
        """Adds the rows that the scans taken have changed, as they are now; others are in the book's `changed`.

        Keys as in the changelog.
        """
        if isinstance(self._book.rows, self._rows_of):
            rows: Any = self._book.rows
            rows.collect(PREFIX, keyed)

    def take_lines(
        self,
        lines: Sequence[bytes],
        topics: bytes | None,
        start: int,
        clock: PartitionClock,
        now: int | None,
        others: Any,
    ) -> int:
        """As `take`, for a replay's lines, whose changes nobody collects; `now`: microseconds, what events are compared
        with.

        `topics`: of each line the number of its topic, where the lines are values. `others`: the module's `Others`,
        which takes what is no scan.
        """
        book = self._book
        return self._taken(
            self._ready().take_lines, clock, lines, topics, start, self._clock(clock), now, book.rows,
            self._ties.taken, self._due, others,
        )  # fmt: skip

    def _taken(self, take: Callable[..., _Taken], clock: PartitionClock, *given: Any) -> int:
        try:
            taken = take(*given)
        except BaseException as error:
            _check(error)
            raise
        place, clock.greatest, counted = taken
        for carrier, hour, count, first in counted:
            self._book.scan_counts.scans(carrier, hour, count, first)
        return place

    def _ready(self) -> Any:
        if self._book.carriers != self._carriers:
            self._carriers = self._book.carriers
            self._scans.forget_carriers()
        return self._scans

    def _clock(self, clock: PartitionClock) -> _Clock:
        until = _ENDLESS if clock.until is None else clock.until
        ceiling = _ENDLESS if clock.ceiling is None else clock.ceiling
        return until, clock.lateness, ceiling, clock.greatest, self._book.settled


def _check(error: BaseException) -> None:
    """Raises LogError in place of a panic."""
    if is_panic(error):
        global _failed  # noqa: PLW0603 - one process has one module
        _failed = True
        raise LogError(f"{_MODULE} has panicked, and is not used any more: {error}") from error
