"""Which keys are to be looked at again, and from which moment on.

A key stands in an agenda once, at the least moment that was asked for; when that has passed it is looked at, and
whoever looks puts in the next moment. Asking for a later one than is known costs a look into a dict.
"""

from __future__ import annotations

from streams.engine.due import DueIndex


class Agenda:
    """Keys by the moment (microseconds) at which each is to be looked at."""

    def __init__(self) -> None:
        self._index: DueIndex[str] = DueIndex()
        self._moments: dict[str, int] = {}

    def put(self, moment: int | None, key: str) -> None:
        """The key is to be looked at once `moment` has passed, if not sooner; None: this asks for nothing."""
        if moment is None:
            return
        known = self._moments.get(key)
        # An entry that is too early finds nothing and looks again: cheaper than taking it out.
        if known is None or moment < known:
            self._moments[key] = moment
            self._index.put(moment, key)

    def moment(self, key: str) -> int | None:
        """When the key is to be looked at, if at all."""
        return self._moments.get(key)

    def drop(self, key: str) -> None:
        """The key is not to be looked at any more."""
        self._moments.pop(key, None)

    def pop(self, before: int) -> list[str]:
        """Takes out what is to be looked at before that moment, each key once."""
        moments = self._moments
        keys = []
        for moment, key in self._index.pop(before):
            # What is found otherwise was put in for an earlier moment, or is out already.
            if moments.get(key) == moment:
                del moments[key]
                keys.append(key)
        return keys
