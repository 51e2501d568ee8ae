"""Stage 1: orders, tickets and escalations, by record key.

Takes the events of the topics `orders` and `chats`; emits alerts, registrations for the shipments, and deltas to the
shops' hours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from schemas import events
from schemas.decode import KeyTooLarge
from streams.engine.processor import BEGINNING, Horizon
from streams.policy.model import Policy
from streams.rules.alert import Alert
from streams.rules.cases import evaluate, eviction, lifetimes, wakeups
from streams.rules.cases.apply import PAID, PLACED, SAID, SHIPPED, Entry
from streams.rules.cases.case import MOST_OF_A_KEY, Case, Delta
from streams.rules.facts import digest
from streams.rules.help_rate import contributions
from streams.rules.orders.ship_by import Shipped, first_deadline
from streams.rules.reconcile import in_order, still_open
from streams.stages.buyer_hash import BuyerHash
from streams.stages.cases import registrations
from streams.stages.cases.agenda import Agenda
from streams.stages.cases.facts_from_events import entry_of
from streams.stages.cases.filing import Filing
from streams.stages.cases.registrations import RegistrationRecord
from streams.stages.cases.table import ALERTS_DUE, COUNTS_DUE, ENDS_DUE, MESSAGES_DUE, WAITS_DUE, Cases

#: Facts of an order that its parcels are told of.
_TOLD_TO_PARCELS = frozenset({PLACED, PAID})


class OrderBook:
    """The state of stage 1 for one partition, and its output since the last collect."""

    def __init__(self, policy: Policy, buyer_hash: BuyerHash | None = None) -> None:
        self.policy = policy
        self._buyer_hash = buyer_hash
        self.cases = Cases()
        self.own = Horizon(BEGINNING)
        self.counts = Horizon(BEGINNING)
        self.alerts: list[Alert] = []
        self.registrations: list[RegistrationRecord] = []
        self.deltas: list[Delta] = []
        self.changed = self.cases.changed
        #: Due indexes: alerts, shop counts, messages to count or drop, lifetimes that may end. The first and the last
        #: follow the own horizon, the others that of the counts.
        self._due = Agenda(self.cases, ALERTS_DUE)
        self._count_due = Agenda(self.cases, COUNTS_DUE)
        self._messages_due = Agenda(self.cases, MESSAGES_DUE)
        self._ends = Agenda(self.cases, ENDS_DUE)
        #: Deferred events are retried once events up to their moment are settled.
        self._waits = Agenda(self.cases, WAITS_DUE)
        #: By their places in a row's header.
        self._agendas = (self._due, self._count_due, self._messages_due, self._ends, self._waits)
        self.filing = Filing(policy, self.changed, self._waits)
        #: Open alerts, by type and audience, whose state was evicted since the last collect.
        self.abandoned: Counter[tuple[str, str]] = Counter()

    @property
    def settled(self) -> int:
        """Events before this are known (microseconds); may be ahead of what has been judged."""
        return self.filing.settled

    @settled.setter
    def settled(self, settled: int) -> None:
        self.filing.settled = settled

    @property
    def due_bytes(self) -> int:
        """The size of the due indexes."""
        return sum(agenda.size for agenda in self._agendas)

    def _reach(self, own: Horizon, counts: Horizon) -> None:
        self.own, self.counts = own, counts
        self.filing.judged, self.filing.counted = own.settled, counts.settled

    def take(self, event: events.AnyEvent, time: int, key: str, value: bytes) -> bool:
        """Takes one event under its record key. False: a repeat, which changes nothing. Raises `KeyTooLarge`.

        Files the event, sends the shipments what changed for them, and evaluates the case.
        """
        case = self._case_of(key)
        place = (time, event.event_id, digest(value), event.shop_id)  # type: ignore[union-attr]
        entry = entry_of(event, place, self.policy, self._buyer_hash)
        if self._is_plain(case, time):
            return self._take_plainly(case, entry)
        # Any event may be deferred, so registrations come from comparing what the shipments know with what they should.
        before = registrations.announced(case)
        filed = self.filing.file(case, entry)
        if before or case.deferred or entry.slot == SHIPPED:
            self.registrations += registrations.changed(case, before, self.policy)
        if filed.changed:
            self._evaluate(case)
        return filed.fresh

    def _case_of(self, key: str) -> Case:
        case = self.cases.get(key)
        if case is None:
            return self.cases.begin(key)
        if case.taken >= MOST_OF_A_KEY:
            raise KeyTooLarge(MOST_OF_A_KEY)
        return case

    def _is_plain(self, case: Case, time: int) -> bool:
        """True if an event at that time has no effect until it is settled, and nothing it names can have ended."""
        if case.past or case.deferred or time < self.own.settled or time > self.settled + self.policy.keeping.least:
            return False
        end = self._ends.moment(case.key)
        return end is None or time <= end

    def _take_plainly(self, case: Case, entry: Entry) -> bool:
        """`take` for a plain event: schedules the evaluation of its case for when the event is settled."""
        key, slot, time, policy = case.key, entry.slot, entry.fact.time, self.policy
        # Whatever it starts lives at least this long, and it ends nothing sooner.
        self._ends.put(time + policy.keeping.least, key)
        fact, known = entry.fact, None
        if isinstance(fact, Shipped):
            known = case.order.parcel(fact.carrier, fact.tracking_no)
        before = registrations.announced(case) if slot in _TOLD_TO_PARCELS and case.order.shipped else []
        if not self.filing.put(case, case, entry):
            return False
        if isinstance(fact, Shipped):
            self.registrations += registrations.shipped(case, fact, known)
        elif before:
            self.registrations += registrations.changed(case, before, policy)
        self._due.put(wakeups.alerts_from(case, entry, policy), key)
        self._count_due.put(wakeups.counts_from(case, entry, policy), key)
        if slot == SAID:
            self._messages_due.put(time, key)
        return True

    def link(self, order_id: str, episode: str, opened: int | None, closed: int | None) -> None:
        """Notes that a shipment of the order stalled (`opened`), or that the stall ended (`closed`). Microseconds."""
        case = self.cases.get(order_id)
        if case is None:
            if opened is None:
                return
            # The parcel may outlive its order, whose id may appear again.
            case = self.cases.begin(order_id)
        if opened is not None:
            case.stalls[episode] = (opened, None)
        elif closed is not None and episode in case.stalls:
            case.stalls[episode] = (case.stalls[episode][0], closed)
        else:
            return
        self._count(case)

    def settle(self, settled: int) -> None:
        """Advances `settled` (microseconds) and files the deferred events that this resolves."""
        self.settled = settled
        for key in self._waits.pop(settled):
            case = self.cases.get(key)
            if case is None or not case.deferred:
                continue
            before = registrations.announced(case)
            if self.filing.unfold(case):
                self.registrations += registrations.changed(case, before, self.policy)
                self._evaluate(case)

    def advance(self, own: Horizon, counts: Horizon) -> None:
        """Judges what is due: alerts up to `own`, shop counts up to `counts`."""
        self._reach(own, counts)
        for case in self._cases(self._ends.pop(own.settled)):
            self._evaluate(case)
        for case in self._cases(self._due.pop(own.settled)):
            self._judge(case)
        for case in self._cases(self._messages_due.pop(counts.settled)):
            self._count_messages(case)
        for case in self._cases(self._count_due.pop(counts.settled)):
            self._count(case)

    def fold(self) -> Iterator[tuple[bytes, bytes | None]]:
        """The changed rows, as `Cases.fold`, in a form that follows from what is in them."""
        for key in list(self.changed):
            case = self.cases.get(key)
            if case is None:
                continue
            # When events came together, some were taken without a look at the ends, or alerts were sent together.
            self._ends.set(eviction.next_end(case, self.policy), key)
            for part in lifetimes.parts(case):
                if len(part.emitted) > 1:
                    part.emitted.sort(key=in_order)
        return self.cases.fold()

    def rebuild(self, own: Horizon, counts: Horizon) -> None:
        """Resumes at those horizons from restored rows."""
        self._reach(own, counts)
        for key, moments, deferred in self.cases.headers():
            self.filing.deferred += deferred
            for agenda, moment in zip(self._agendas, moments, strict=True):
                agenda.restore(moment, key)

    def _cases(self, keys: list[str]) -> Iterator[Case]:
        """The cases of these keys that still exist."""
        for key in keys:
            case = self.cases.get(key)
            if case is not None:
                yield case

    def _evaluate(self, case: Case) -> None:
        """Evaluates the whole case: lifetimes that ended, alerts, shop counts."""
        self._ends.put(eviction.close_over(case, self.settled, self.policy), case.key)
        self.changed.add(case.key)
        self._judge(case)
        self._count_messages(case)
        self._count(case)

    def _judge(self, case: Case) -> None:
        """Reconciles the emitted alerts of a case with those it implies."""
        watermark, settled = self.own.watermark, self.own.settled
        for part in lifetimes.parts(case):
            alerts, later = evaluate.reconcile_part(part, case, watermark, settled, self.policy)
            if alerts:
                self.alerts += alerts
                self.changed.add(case.key)
            self._due.put(later, case.key)
        soonest = first_deadline(case.order, self.policy)
        if soonest is not None and soonest >= settled:
            # As if its payment had been taken plainly, which depends on what else had come.
            self._due.put(soonest, case.key)

    def _count(self, case: Case) -> None:
        """Updates what the case adds to the shops' counts, except message topics; evicts what is no longer needed."""
        key, counts = case.key, self.counts
        settled = min(self.own.settled, counts.settled)
        gone: list[Case] = []
        for part in lifetimes.parts(case):
            now, later = contributions.difference(part, counts.watermark, counts.settled, self.policy, case)
            self.deltas += now
            self._count_due.put(later, key)
            if part is not case and later is None:
                until = eviction.rest(part, self.policy)
                if until < settled:
                    gone.append(part)
                else:
                    self._count_due.put(until, key)
        for part in gone:
            self.abandoned.update(still_open(part.emitted))
            case.taken = max(0, case.taken - sum(len(one.messages) for one in part.conversations.values()))
            eviction.drop(case, part, self.policy)
        self._count_due.put(eviction.prune(case, settled, self.policy), key)
        self.changed.add(key)
        if eviction.is_empty(case):
            self.abandoned.update(still_open(case.emitted))
            self.cases.drop(key)

    def _count_messages(self, case: Case) -> None:
        """Updates what messages add to the shops' counts; evicts those no longer needed."""
        key, counts = case.key, self.counts
        settled = min(self.own.settled, counts.settled)
        for part in lifetimes.parts(case):
            if not part.conversations:
                continue
            now, later = contributions.topics(part, counts.settled, self.policy)
            self.deltas += now
            self._messages_due.put(later, key)
            for conversation in part.conversations.values():
                before = len(conversation.messages)
                self._messages_due.put(conversation.forget(settled, self.policy), key)
                case.taken = max(0, case.taken - before + len(conversation.messages))
                if part is case and conversation.is_empty:
                    # The message is evicted, and the case with it if that is empty.
                    self._count_due.put(BEGINNING, key)
            self.changed.add(key)
