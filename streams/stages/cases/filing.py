"""Files events of orders and chats: each into its case, or deferred until it is known what it finds there."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import NamedTuple

from streams.engine.processor import BEGINNING
from streams.policy.model import Policy
from streams.rules.cases import eviction
from streams.rules.cases.apply import SHIPPED, Entry, packed, put_fact, ship, unpacked
from streams.rules.cases.case import Case, Deferred
from streams.rules.cases.eviction import Wait
from streams.rules.orders.ship_by import Shipped
from streams.stages.cases.agenda import Agenda


class Filed(NamedTuple):
    """What came of an event. `fresh`: it is no repeat; `changed`: the case knows more than before."""

    fresh: bool
    changed: bool


class Filing:
    """Where events go. `waits`: by when what a case has deferred can be tried again.

    `settled`: events before it are known; `judged`, `counted`: up to where alerts are judged and contributions are
    counted. All in microseconds.
    """

    def __init__(self, policy: Policy, changed: set[str], waits: Agenda) -> None:
        self._policy = policy
        self._changed = changed
        self._waits = waits
        self.settled = self.judged = self.counted = BEGINNING
        #: Events that are deferred now; deferred ones that turned out to be repeats.
        self.deferred = 0
        self.repeated = 0

    def file(self, case: Case, entry: Entry) -> Filed:
        """Files an event, and with it what was deferred and finds its place by now."""
        unfolded = self._may_unfold(case) and self.unfold(case)
        put = self._admit(case, entry)
        if isinstance(put, Wait):
            return Filed(self._defer(case, entry, put), unfolded)
        if put and case.deferred:
            self.unfold(case)
        return Filed(put, put or unfolded)

    def put(self, case: Case, life: Case, entry: Entry) -> bool:
        """Applies an event to a life of its case. False: it is a repeat."""
        self._changed.add(case.key)
        if isinstance(entry.fact, Shipped):
            return ship(life, entry.fact, self.judged)
        return put_fact(case, life, entry, self.judged, min(self.judged, self.counted), self._policy)

    def unfold(self, case: Case) -> bool:
        """Files what was deferred and finds its place by now. False: nothing does."""
        waiting: list[Deferred] = []
        # Those that lie further ahead wait whatever the others are.
        limit = self.settled + self._policy.keeping.least
        ahead = bisect_right(case.deferred, limit, key=lambda one: one.time)
        if ahead < len(case.deferred):
            self._waits.put(case.deferred[ahead].time - self._policy.keeping.least, case.key)
        for deferred in case.deferred[:ahead]:
            put = self._admit(case, unpacked(deferred))
            if isinstance(put, Wait):
                waiting.append(deferred)
                self._waits.put(put.time, case.key)
            elif not put:
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
        """Whether any of what is deferred may find its place by now."""
        waits = self._waits.moment(case.key) if case.deferred else None
        return waits is not None and waits < self.settled

    def _defer(self, case: Case, entry: Entry, wait: Wait) -> bool:
        """Defers an event in its case. False: it is deferred already."""
        deferred = packed(entry)
        place = bisect_left(case.deferred, _order_of(deferred), key=_order_of)
        end = bisect_right(case.deferred, _order_of(deferred), lo=place, key=_order_of)
        if deferred in case.deferred[place:end]:
            return False
        case.deferred.insert(end, deferred)
        if entry.slot == SHIPPED:
            case.shippings_deferred += 1
        self.deferred += 1
        self._waits.put(wait.time, case.key)
        self._changed.add(case.key)
        return True


def _order_of(deferred: Deferred) -> tuple[int, str, bytes]:
    return deferred.time, deferred.event_id, deferred.digest
