"""Stage 1: orders, tickets and escalations, by record key.

Takes the events of the topics `orders` and `chats`; gives alerts, registrations for the shipments, and what each
record key adds to its shop's hours.
"""

from __future__ import annotations

from bisect import insort
from hashlib import sha256
from typing import Any

from schemas import events
from streams.engine.due import DueIndex
from streams.engine.processor import BEGINNING, Horizon
from streams.policy.model import Policy
from streams.rules import aftersales, conversations, counting, forgetting, keeping, lives, orders, rights, tickets
from streams.rules.alert import Alert
from streams.rules.cases import Aside, Case, Shipping
from streams.rules.counting import Delta
from streams.rules.filing import SHIPPED, Entry, packed, put, ship, unpacked
from streams.rules.forgetting import Wait
from streams.rules.orders import Placed, Shipped
from streams.rules.reconcile import Expected, next_moment, reconcile
from streams.rules.tickets import Ticket
from streams.stages.entries import entry_of

#: What the shipments get to know of an order, of a parcel by (what, carrier, tracking number, ...): that it was
#: "shipped" in it (fields of a Registration), that it was not by that event ("withdrawn": order and place), and when it
#: was "placed" (order and place of the shipping, then time and region).
RegistrationRecord = tuple[Any, ...]


class OrderBook:
    """The state of stage 1 of one partition, and what it says since it was asked last.

    `settled`: events before it are known (microseconds), which may be further than what has been judged.
    """

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.cases: dict[str, Case] = {}
        self.own = Horizon(BEGINNING)
        self.counts = Horizon(BEGINNING)
        self.settled = BEGINNING
        self.alerts: list[Alert] = []
        self.registrations: list[RegistrationRecord] = []
        self.deltas: list[Delta] = []
        self.changed: set[str] = set()
        #: Events that are kept aside.
        self.aside = 0
        self._due: DueIndex[str] = DueIndex()
        self._due_at: dict[str, int] = {}
        self._count_due: DueIndex[str] = DueIndex()
        self._count_due_at: dict[str, int] = {}
        self._waits: DueIndex[str] = DueIndex()

    def take(self, event: events.AnyEvent, time: int, key: str, value: bytes) -> bool:
        """Takes one event under its record key. False: it is a repeat and changes nothing."""
        case = self.cases.get(key)
        if case is None:
            case = self.cases[key] = Case(key)
        place = (time, event.event_id, sha256(value).digest(), event.shop_id)  # type: ignore[union-attr]
        entry = entry_of(event, place, self.policy)
        # Of all other events nothing follows for the shipments.
        registers = bool(case.aside) or isinstance(entry.fact, Placed | Shipped)
        before = self._told(case) if registers else []
        unfolded = bool(case.aside) and self._unfold(case)
        fresh = self._file(case, entry)
        if isinstance(fresh, Wait):
            fresh = self._put_aside(case, entry, fresh)
        elif fresh and case.aside:
            self._unfold(case)
        if registers or case.aside:
            self._register(case, before)
        if fresh or unfolded:
            self._judge(case)
            self._count(case)
        return fresh

    def link(self, order_id: str, episode: str, opened: int | None, closed: int | None) -> None:
        """A shipment of the order stalled (`opened`), or the stall ended (`closed`). Microseconds."""
        case = self.cases.get(order_id)
        if case is None:
            if opened is None:
                return
            # The parcel may be known for longer than its order, which may come again.
            case = self.cases[order_id] = Case(order_id)
        if opened is not None:
            case.stalls[episode] = (opened, None)
        elif closed is not None and episode in case.stalls:
            case.stalls[episode] = (case.stalls[episode][0], closed)
        else:
            return
        self._count(case)

    def settle(self, settled: int) -> None:
        """Events before `settled` (microseconds) are known: puts what was kept aside where it belongs."""
        self.settled = settled
        for _, key in list(self._waits.pop(settled)):
            case = self.cases.get(key)
            if case is None or not case.aside:
                continue
            before = self._told(case)
            if self._unfold(case):
                self._register(case, before)
                self._judge(case)
                self._count(case)

    def advance(self, own: Horizon, counts: Horizon) -> None:
        """Judges what is due: alerts up to `own`, what the shops count up to `counts`."""
        self.own, self.counts = own, counts
        for moment, key in list(self._due.pop(own.settled)):
            case = self._is_due(self._due_at, key, moment)
            if case is not None:
                self._judge(case)
                self._count(case)
        for moment, key in list(self._count_due.pop(counts.settled)):
            case = self._is_due(self._count_due_at, key, moment)
            if case is not None:
                self._count(case)

    def rebuild(self, cases: dict[str, Case], own: Horizon, counts: Horizon) -> None:
        """Takes over a restored state, as it was at those horizons; what is due when is found anew."""
        self.cases, self.own, self.counts = cases, own, counts
        for key, case in cases.items():
            self._schedule(self._due, self._due_at, key, BEGINNING)
            self._schedule(self._count_due, self._count_due_at, key, BEGINNING)
            if case.aside:
                self.aside += len(case.aside)
                self._waits.put(BEGINNING, key)

    def _is_due(self, due_at: dict[str, int], key: str, moment: int) -> Case | None:
        if due_at.get(key) != moment:
            return None
        del due_at[key]
        return self.cases.get(key)

    # Where events go.

    def _file(self, case: Case, entry: Entry) -> bool | Wait:
        """Puts an event where it belongs: whether it is new, or what it has to wait for."""
        life = forgetting.admit(case, entry, self.settled, self.policy)
        if isinstance(life, Wait):
            return life
        self.changed.add(case.key)
        if isinstance(entry.fact, Shipped):
            return ship(life, entry.fact, self.own.settled)
        counted = min(self.own.settled, self.counts.settled)
        return put(case, life, entry, self.own.settled, counted, self.policy)

    @staticmethod
    def _told(case: Case) -> list[Shipping]:
        """What the shipments know of the case."""
        return lives.shippings(case) + case.ahead

    def _put_aside(self, case: Case, entry: Entry, wait: Wait) -> bool:
        aside = packed(entry)
        if aside in case.aside:
            return False
        insort(case.aside, aside, key=_order_of)
        self.aside += 1
        self._waits.put(wait.time, case.key)
        self.changed.add(case.key)
        return True

    def _unfold(self, case: Case) -> bool:
        """Puts what was kept aside where it belongs. False: nothing changes."""
        waiting: list[Aside] = []
        for aside in case.aside:
            filed = self._file(case, unpacked(aside))
            if isinstance(filed, Wait):
                waiting.append(aside)
                self._waits.put(filed.time, case.key)
        changed = len(waiting) < len(case.aside)
        self.aside -= len(case.aside) - len(waiting)
        case.aside = waiting
        return changed

    def _register(self, case: Case, before: list[Shipping]) -> None:
        """Tells the shipments what has changed. They wait for the orders alone, so of what is aside as it is foreseen:
        that it is a repeat may depend on a chat that is yet to come only where an order has neither been completed
        nor cancelled.
        """
        now = lives.shippings(case)
        case.ahead = []
        if any(aside.of_order for aside in case.aside) and (now or any(one.slot == SHIPPED for one in case.aside)):
            known = {one.name for one in now}
            foreseen = lives.shippings(forgetting.foreseen(case, self.policy))
            case.ahead = [one for one in foreseen if one.name not in known]
            now += case.ahead
        told = {one.name: one for one in before}
        wanted = {one.name: one for one in now}
        self.registrations += (("withdrawn", *name) for name in told if name not in wanted)
        for name, one in wanted.items():
            if name not in told:
                self.registrations.append(("shipped", *_registration(one)))
            elif told[name] != one:
                self.registrations.append(("placed", *name, one.placed, one.ship_to_region))

    # What follows from it.

    def _judge(self, case: Case) -> None:
        watermark, settled = self.own.watermark, self.own.settled
        self._schedule(self._due, self._due_at, case.key, forgetting.close_over(case, self.settled, self.policy))
        for part in lives.parts(case):
            expected = self._expected(part, case)
            self.alerts += reconcile(expected, part.emitted, watermark, settled)
            self._schedule(self._due, self._due_at, case.key, next_moment(expected, watermark, settled))
        self.changed.add(case.key)

    def _expected(self, part: Case, whole: Case) -> list[Expected]:
        """All alerts of what is known, or was; nothing is raised of what is forgotten by then."""
        key, policy = part.key, self.policy
        expected: list[Expected] = []
        if part.knows_order:
            end = lives.end_of_order(part, policy)
            expected = [one for one in orders.expected(key, part.order, policy) if one.raised <= end]
            asking = _tickets_of(whole, part, end)
            asked = aftersales.requests(part.refunds, part.disputes, part.complaints, asking)
            expected += aftersales.expected(key, part.order, asked, policy)
            expected += rights.expected(key, part.order, part.refunds, part.disputes, policy)
        for ticket_id, ticket in part.tickets.items():
            end = keeping.ticket_end(ticket, policy)
            expected += [one for one in tickets.expected(key, ticket_id, ticket, policy) if one.raised <= end]
        for conversation_id, conversation in part.conversations.items():
            new = conversations.new_messages(conversation.messages, policy)
            expected += conversations.expected(key, conversation_id, new, policy)
        return expected

    def _count(self, case: Case) -> None:
        settled = min(self.own.settled, self.counts.settled)
        gone: list[Case] = []
        for part in lives.parts(case):
            now, later = counting.difference(part, self.counts.watermark, self.counts.settled, self.policy, case)
            self.deltas += now
            self._schedule(self._count_due, self._count_due_at, case.key, later)
            if part.conversations:
                self._count_topics(case, part, settled)
            if part is not case and later is None:
                until = forgetting.rest(part, self.policy)
                if until < settled:
                    gone.append(part)
                else:
                    self._schedule(self._count_due, self._count_due_at, case.key, until)
        for part in gone:
            forgetting.drop(case, part, self.policy)
        later = forgetting.prune(case, settled, self.policy)
        self._schedule(self._count_due, self._count_due_at, case.key, later)
        self.changed.add(case.key)
        if forgetting.is_empty(case):
            del self.cases[case.key]
            self._due_at.pop(case.key, None)
            self._count_due_at.pop(case.key, None)

    def _count_topics(self, case: Case, part: Case, settled: int) -> None:
        now, later = counting.topics(part, self.counts.settled, self.policy)
        self.deltas += now
        self._schedule(self._count_due, self._count_due_at, case.key, later)
        for conversation in part.conversations.values():
            later = conversation.forget(settled, self.policy)
            self._schedule(self._count_due, self._count_due_at, case.key, later)

    @staticmethod
    def _schedule(index: DueIndex[str], due_at: dict[str, int], key: str, moment: int | None) -> None:
        if moment is not None:
            known = due_at.get(key)
            # An entry that is too early finds nothing and looks again: cheaper than taking it out.
            if known is None or moment < known:
                due_at[key] = moment
                index.put(moment, key)


def _registration(one: Shipping) -> tuple[Any, ...]:
    """The parcel, and the fields of a Registration."""
    fact = one.fact
    regions = (fact.from_region, fact.to_region, one.placed, one.ship_to_region)
    return fact.carrier, fact.tracking_no, *fact.place, one.order_id, fact.shop_id, *regions


def _order_of(aside: Aside) -> tuple[int, str, bytes]:
    return aside.time, aside.event_id, aside.digest


def _tickets_of(whole: Case, life: Case, end: int) -> dict[str, Ticket]:
    """The tickets that were opened while the order was known in this life."""
    start = life.start if life.start is not None else BEGINNING
    return {
        identity: ticket
        for part in lives.parts(whole)
        for identity, ticket in part.tickets.items()
        if ticket.opened is not None and start <= ticket.opened.time <= end
    }
