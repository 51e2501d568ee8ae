"""Which cases are to be looked at again, and from which moment on.

A case stands in an agenda once, at the least moment that was asked for; when that has passed it is looked at, and
whoever looks puts in the next moment. Asking for a later one than is known costs a look at the case.
"""

from __future__ import annotations

from streams.engine.due_keys import DueKeys
from streams.stages.cases.table import NOT_DUE, Cases


class Agenda:
    """One agenda of all cases, by its place in their headers. Moments are microseconds."""

    def __init__(self, cases: Cases, place: int) -> None:
        self._cases = cases
        self._place = place
        self._index = DueKeys(self._moment_of)

    def put(self, moment: int | None, key: str) -> None:
        """The case is to be looked at once `moment` has passed, if not sooner; None: this asks for nothing."""
        # An entry that is too early finds nothing and looks again: cheaper than taking it out.
        if moment is not None and self._cases.hasten(key, self._place, moment):
            self._index.put(moment, key.encode())

    def restore(self, moment: int, key: str) -> None:
        """Takes over what a row says."""
        if moment != NOT_DUE:
            self._index.put(moment, key.encode())

    def moment(self, key: str) -> int | None:
        """When the case is to be looked at, if at all."""
        moment = self._cases.moment(key, self._place)
        return None if moment == NOT_DUE else moment

    def pop(self, before: int) -> list[str]:
        """Takes out what is to be looked at before that moment, each key once."""
        keys = []
        for due in self._index.pop(before):
            if due is not None:
                key = due.decode()
                self._cases.plan(key, self._place, NOT_DUE)
                keys.append(key)
        return keys

    def _moment_of(self, key: bytes) -> int | None:
        return self.moment(key.decode())
