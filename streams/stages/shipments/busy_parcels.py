"""Caches parcels with a long history while they are in use.

A parcel of a few dozen scans is read from its row, judged, and written back. One of thousands stays decoded, with the
uses its history forms; an event is judged from the last use, and the row is written when the state is collected.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

from streams.policy.model import Policy
from streams.rules.reconcile import next_moment
from streams.rules.shipments.busy_numbers import MOST_OF_A_NUMBER, is_plain_registration, is_plain_scan, use_at
from streams.rules.shipments.parcel import Parcel, Registration, began
from streams.rules.shipments.scan_status import BITS
from streams.rules.shipments.suspicious import DELIVERED_ELSEWHERE, is_on, keys_of
from streams.rules.shipments.uses import Holders, Use, over, uses
from streams.stages.shipments.parcel_judge import ParcelJudge

#: Most cached busy parcels, not counting changed ones.
_KEPT = 64


class Busy:
    """A busy parcel. `changed`: its row is out of date."""

    __slots__ = ("changed", "found", "holders", "parcel")

    def __init__(self, parcel: Parcel, policy: Policy) -> None:
        parcel.emitted.sort(key=began)
        self.parcel = parcel
        self.holders: Holders = {}
        self.found: list[Use] = uses(parcel, policy.shipments, self.holders)
        self.changed = False

    @property
    def size(self) -> int:
        """Number of scans and registrations."""
        return len(self.parcel.scans) + len(self.parcel.registrations)

    @property
    def is_full(self) -> bool:
        """True if nothing more may be added."""
        return self.size >= MOST_OF_A_NUMBER


class BusyParcels:
    """Busy parcels in use, by row key."""

    def __init__(self, policy: Policy, judge: ParcelJudge) -> None:
        self._policy = policy
        self._says = judge
        #: Those in use, by row key; the same object always.
        self.by_key: dict[bytes, Busy] = {}

    def get(self, key: bytes) -> Busy | None:
        """The busy parcel of a key if it is in use, else None."""
        return self.by_key.get(key)

    def take(self, key: bytes, parcel: Parcel) -> Busy:
        """Caches a parcel."""
        busy = self.by_key[key] = Busy(parcel, self._policy)
        return busy

    def moments(self, key: bytes, busy: Busy) -> list[int | None]:
        """Judges one that has just been taken; when it is due. Evicts nothing: what is over is due at once."""
        rules, parcel = self._policy.shipments, busy.parcel
        before = len(self._says.alerts)
        expected, _ = self._says.say(key, parcel, busy.found)
        busy.changed = len(self._says.alerts) > before
        parcel.emitted.sort(key=began)
        parcel.due = None
        ends = (over(use, rules) for use in busy.found)
        return [next_moment(expected, self._says.watermark, self._says.settled), *ends]

    def drop(self, key: bytes) -> None:
        """Removes a parcel from the cache."""
        self.by_key.pop(key, None)

    def too_many(self) -> bool:
        """True if the cache is over its limit."""
        return len(self.by_key) > _KEPT

    def changed(self) -> Iterator[tuple[bytes, Parcel]]:
        """Drains the changed parcels; keeps the most recently used cached."""
        for key, busy in self.by_key.items():
            if busy.changed:
                busy.changed = False
                yield key, busy.parcel
        while self.too_many():
            del self.by_key[next(iter(self.by_key))]

    def is_plain_scan(self, busy: Busy, packed: int) -> bool:
        """True if a new scan changes only the time of the last update."""
        rules = self._policy.shipments
        return is_plain_scan(busy.parcel, busy.found, packed, rules) and self._is_ahead(busy, packed >> BITS)

    def is_plain_registration(self, busy: Busy, one: Registration) -> bool:
        """`is_plain_scan` for a registration."""
        shortest = self._policy.shipments.shortest
        return is_plain_registration(busy.parcel, busy.found, one, shortest) and self._is_ahead(busy, one.time)

    def _is_ahead(self, busy: Busy, time: int) -> bool:
        """True unless the update is the last and ends a silence whose deadlines the watermark may have passed."""
        use = busy.found[-1]
        if time < use.last or (use.ended is not None and time > use.ended[0]):
            return True
        return use.last + self._policy.shipments.shortest >= self._says.watermark

    def seen(self, busy: Busy, time: int) -> bool:
        """Records a plain update. True: it is the last one of a use that goes on."""
        use = busy.found[-1]
        busy.changed = True
        if time < use.last or use.ended is not None:
            return False
        use.last = busy.parcel.last = time
        return True

    def judge(self, key: bytes, busy: Busy, time: int | None = None) -> list[int | None]:
        """Judges the effects of an event at that time, or (None) everything. Returns the next due moments.

        Without a time, evicts uses that are over; the parcel may then be empty.
        """
        rules, parcel, found = self._policy.shipments, busy.parcel, busy.found
        busy.changed = True
        place = 0 if time is None else use_at(found, time)
        if place > 0 and place == len(found) - 1 and found[-1].until is None and self._are_apart(busy):
            # The common case: an event in the last use does not affect earlier uses.
            start, before = found[-1].start, found[-2].ended
            last = parcel.since(start, before[0] if before is not None else None)
            last.emitted = parcel.emitted[bisect_left(parcel.emitted, start, key=began) :]
            found[-1:] = uses(last, rules, busy.holders)
            expected, _ = self._says.say(key, last, found[place:])
            self._put_back(parcel, last, start)
        else:
            place = 0
            busy.holders = {}
            busy.found = found = uses(parcel, rules, busy.holders)
            expected, _ = self._says.say(key, parcel, found)
            parcel.emitted.sort(key=began)
        watermark = self._says.watermark
        moments = [next_moment(expected, watermark, self._says.settled)]
        ends = [over(use, rules) for use in found[place:]]
        if time is None:
            while found and ends[0] < watermark:
                # Oldest first: a later use is only recognised next to the one before it.
                use = found.pop(0)
                parcel.forget(use, keys_of(parcel, use, self._policy))
                ends.pop(0)
            if found:
                busy.holders = {}
                busy.found = uses(parcel, rules, busy.holders)
        if found:
            parcel.last = found[-1].last
        parcel.calm = parcel.awaited = False
        parcel.used_before = len(found) > 1
        return [*moments, *(end for end in ends if end >= watermark)]

    @staticmethod
    def _are_apart(busy: Busy) -> bool:
        """False if an alert about an earlier use may have been raised when the last one had begun."""
        emitted = busy.parcel.emitted
        late = emitted[bisect_left(emitted, busy.found[-1].start, key=began) :]
        return not any(is_on(sent, DELIVERED_ELSEWHERE) for sent in late)

    @staticmethod
    def _put_back(parcel: Parcel, last: Parcel, start: int) -> None:
        """Merges the output for the last use back into the whole history."""
        parcel.emitted[bisect_left(parcel.emitted, start, key=began) :] = sorted(last.emitted, key=began)
        if last.linked or parcel.linked:
            parcel.linked = {key: span for key, span in parcel.linked.items() if span[0] < start} | last.linked
