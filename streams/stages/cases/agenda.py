"""Due indexes: which cases to visit again, and when.

A case has one moment per agenda, the earliest requested. Once that has passed the case is visited, and the visitor
schedules the next one. Requesting a later moment than the scheduled one costs one early visit.
"""

from __future__ import annotations

from streams.engine.due_keys import DueKeys
from streams.stages.cases.table import NOT_DUE, Cases


class Agenda:
    """One agenda over all cases, by its index in their headers. Moments are microseconds."""

    def __init__(self, cases: Cases, place: int) -> None:
        self._cases = cases
        self._place = place
        self._index = DueKeys(self._moment_of)

    @property
    def size(self) -> int:
        """Bytes that the waiting keys take."""
        return self._index.size

    def put(self, moment: int | None, key: str) -> None:
        """Schedules a visit once `moment` has passed, unless one is due sooner; None schedules nothing."""
        # An early entry finds nothing and reschedules itself: cheaper than removing it.
        if moment is not None and self._cases.hasten(key, self._place, moment):
            self._index.put(moment, key.encode())

    def set(self, moment: int | None, key: str) -> None:
        """Schedules the next visit at `moment`, be it later than it was; with None, no visit."""
        if self._cases.plan(key, self._place, NOT_DUE if moment is None else moment) and moment is not None:
            self._index.put(moment, key.encode())

    def restore(self, moment: int, key: str) -> None:
        """Restores the entry of a row."""
        if moment != NOT_DUE:
            self._index.put(moment, key.encode())

    def moment(self, key: str) -> int | None:
        """When the case is due, or None."""
        moment = self._cases.moment(key, self._place)
        return None if moment == NOT_DUE else moment

    def pop(self, before: int) -> list[str]:
        """Removes and returns the keys due before that moment, each once."""
        keys = []
        for due in self._index.pop(before):
            if due is not None:
                key = due.decode()
                self._cases.plan(key, self._place, NOT_DUE)
                keys.append(key)
        return keys

    def _moment_of(self, key: bytes) -> int | None:
        return self.moment(key.decode())
