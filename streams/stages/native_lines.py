"""A replay's lines, read in Rust: the common scans are taken there, orders and chats are decoded there.

Every line of which the module is not certain comes back, and Python reads it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import ModuleType

from schemas.decode import CHECKED, DECODERS, KeyTooLarge, check
from schemas.events import SCANS, AnyEvent, Event, Scan
from streams.engine.processor import PartitionClock
from streams.stages.shipments.native_scans import NativeScans
from streams.stages.single_reader import SingleReader

#: What becomes of an event whose key is full: its topic, the event, the place of its line.
Bury = Callable[[str, AnyEvent, int, KeyTooLarge], None]


class NativeLines:
    """Takes lines into a reader. `topics`: by their numbers; `until`, `now`: microseconds, up to when events are taken
    and what they are compared with.
    """

    def __init__(
        self,
        module: ModuleType,
        reader: SingleReader,
        topics: Sequence[str],
        until: int | None,
        now: int | None,
        bury: Bury,
    ) -> None:
        self._reader = reader
        self._scans = NativeScans(module, reader.shipments)
        self._topics = topics
        self._until = until
        self._now = now
        self._bury = bury
        #: Events that were found to be repeats at once.
        self.repeated = 0
        decoders = [(DECODERS[topic], reader.lateness[topic]) for topic in topics]
        self._others = module.Others(decoders, list(CHECKED), check, self._take)

    def take(self, lines: Sequence[bytes], topics: bytes | None, start: int) -> int:
        """Takes lines from `start` on. Returns the place of the first that is Python's to take.

        `topics`: of each line the number of its topic, where the lines are values; None where each tells its topic.
        """
        reader = self._reader
        clock = PartitionClock(reader.lateness[SCANS], self._until, greatest=reader.greatest)
        place = self._scans.take_lines(lines, topics, start, clock, self._now, self._others)
        reader.greatest = clock.greatest
        return place

    @property
    def taken(self) -> dict[type[Event], int]:
        """How many events were taken, by their type."""
        scans, others = self._others.taken()
        return {Scan: scans, **dict(others)}

    def _take(self, topic: int, event: AnyEvent, time: int, value: bytes, place: int, greatest: int) -> int:
        reader = self._reader
        reader.greatest = greatest
        try:
            if not reader.take_other(event, time, value):
                self.repeated += 1
        except KeyTooLarge as invalid:
            self._bury(self._topics[topic], event, place, invalid)
        return reader.shipments.carriers
