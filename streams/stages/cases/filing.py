"""Files events of orders and chats into their cases, or defers them until the state they find is settled."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import NamedTuple

from streams.engine.processor import BEGINNING
from streams.policy.model import Policy
from streams.rules.cases import eviction
from streams.rules.cases.apply import SHIPPED, VOIDED, Entry, is_told, packed, put_fact, ship, unpacked
from streams.rules.cases.case import Case, Deferred
from streams.rules.cases.eviction import Wait
from streams.rules.orders.ship_by import Shipped
from streams.stages.cases.agenda import Agenda


class Filed(NamedTuple):
    """The result of filing an event. `fresh`: not a repeat; `changed`: the case has new facts."""

    fresh: bool
    changed: bool


class Filing:
    """Files events into cases. `waits`: when the deferred events of a case can be retried.

    `settled`: events before it are known; `judged`, `counted`: up to where alerts have been judged and contributions
    counted. All in microseconds.
    """

    def __init__(self, policy: Policy, changed: set[str], waits: Agenda) -> None:
        self._policy = policy
        self._changed = changed
        self._waits = waits
        self.settled = self.judged = self.counted = BEGINNING
        #: Events deferred now; deferred events that turned out to be repeats.
        self.deferred = 0
        self.repeated = 0

    def file(self, case: Case, entry: Entry) -> Filed:
        """Files an event, and any deferred events that can be filed by now."""
        unfolded = self._may_unfold(case) and self.unfold(case)
        put = self._admit(case, entry)
        if isinstance(put, Wait):
            return Filed(self._defer(case, entry, put), unfolded)
        if put and case.deferred:
            self.unfold(case)
        return Filed(put, put or unfolded)

    def put(self, case: Case, life: Case, entry: Entry) -> bool:
        """Applies an event to one life of its case, and counts it there. False: a repeat."""
        self._changed.add(case.key)
        # Of several events for one fact one counts, in whichever order they came.
        told = is_told(case, life, entry)
        if isinstance(entry.fact, Shipped):
            fresh = ship(life, entry.fact, self.judged)
        else:
            fresh = put_fact(case, life, entry, self.judged, min(self.judged, self.counted), self._policy)
        # A voiding is kept even where one before it makes it a repeat.
        case.taken += not told and (fresh or entry.slot == VOIDED)
        return fresh

    def unfold(self, case: Case) -> bool:
        """Files the deferred events that can be filed by now. False: none could."""
        waiting: list[Deferred] = []
        # Events further ahead wait regardless of the others.
        limit = self.settled + self._policy.keeping.least
        ahead = bisect_right(case.deferred, limit, key=lambda one: one.time)
        if ahead < len(case.deferred):
            self._waits.put(case.deferred[ahead].time - self._policy.keeping.least, case.key)
        for deferred in case.deferred[:ahead]:
            put = self._admit(case, unpacked(deferred))
            if isinstance(put, Wait):
                waiting.append(deferred)
                self._waits.put(put.time, case.key)
                continue
            # It was counted when it was deferred.
            case.taken = max(0, case.taken - 1)
            if not put:
                self.repeated += 1
        found = ahead - len(waiting)
        if found:
            self.deferred -= found
            case.deferred[:ahead] = waiting
            case.__dict__.pop("shippings_deferred", None)
        return found > 0

    def _admit(self, case: Case, entry: Entry) -> bool | Wait:
        """Whether an event is new, or what it has to wait for."""
        life = eviction.admit(case, entry, self.settled, self._policy)
        return life if isinstance(life, Wait) else self.put(case, life, entry)

    def _may_unfold(self, case: Case) -> bool:
        """True if any deferred event may be filed by now."""
        waits = self._waits.moment(case.key) if case.deferred else None
        return waits is not None and waits < self.settled

    def _defer(self, case: Case, entry: Entry, wait: Wait) -> bool:
        """Defers an event in its case. False: already deferred."""
        deferred = packed(entry)
        place = bisect_left(case.deferred, _order_of(deferred), key=_order_of)
        end = bisect_right(case.deferred, _order_of(deferred), lo=place, key=_order_of)
        if deferred in case.deferred[place:end]:
            return False
        case.deferred.insert(end, deferred)
        case.taken += 1
        if entry.slot == SHIPPED:
            case.shippings_deferred += 1
        self.deferred += 1
        self._waits.put(wait.time, case.key)
        self._changed.add(case.key)
        return True


def _order_of(deferred: Deferred) -> tuple[int, str, bytes]:
    return deferred.time, deferred.event_id, deferred.digest
