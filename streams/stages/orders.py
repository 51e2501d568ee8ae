"""Stage 1: orders, tickets and escalations, by record key.

Takes the events of the topics `orders` and `chats`; gives alerts, registrations for the shipments, and what each
record key adds to its shop's hours.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any

from schemas import events
from schemas.times import parse
from streams.engine.due import DueIndex
from streams.engine.processor import BEGINNING, Horizon
from streams.policy.model import Policy
from streams.rules import aftersales, conversations, counting, orders, rights, tickets
from streams.rules.alert import Alert
from streams.rules.conversations import Conversation, Message
from streams.rules.counting import Case, Delta
from streams.rules.escalations import Escalation
from streams.rules.facts import Fact, SomeFact, first, takes_its_place
from streams.rules.interventions import Intervention, asks_for_staff
from streams.rules.orders import Paid, Placed, Shipped
from streams.rules.reconcile import next_moment, reconcile
from streams.rules.refunds import Refund, Requested, reason_code
from streams.rules.tickets import Opened, Switch, Ticket
from streams.rules.topics import topic_of

#: Days longer than the calendar. A promise is cut to it: more changes nothing, and would not fit into a row.
_FOR_EVER = 4_000_000
#: What the shipments get to know of an order: ("shipped", carrier, tracking number, fields of a Registration), or
#: ("placed", carrier, tracking number, order, placed, region).
RegistrationRecord = tuple[Any, ...]


class OrderBook:
    """The state of stage 1 of one partition, and what it says since it was asked last."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.cases: dict[str, Case] = {}
        self.own = Horizon(BEGINNING)
        self.counts = Horizon(BEGINNING)
        self.alerts: list[Alert] = []
        self.registrations: list[RegistrationRecord] = []
        self.deltas: list[Delta] = []
        self.changed: set[str] = set()
        self._due: DueIndex[str] = DueIndex()
        self._due_at: dict[str, int] = {}
        self._count_due: DueIndex[str] = DueIndex()
        self._count_due_at: dict[str, int] = {}
        self._takers: dict[type, Callable[[Case, Any, Place], bool]] = {
            events.OrderPlaced: self._placed,
            events.OrderPaid: self._paid,
            events.OrderShipped: self._shipped,
            events.OrderCompleted: self._completed,
            events.OrderCancelled: self._cancelled,
            events.RefundRequested: self._requested,
            events.RefundRejected: self._rejected,
            events.RefundSettled: self._settled,
            events.DisputeOpened: self._disputed,
            events.ComplaintFiled: self._complained,
            events.InterventionRequested: self._intervened,
            events.ChatMessage: self._said,
            events.TicketOpened: self._opened,
            events.TicketResponded: self._responded,
            events.TicketPaused: self._switched,
            events.TicketResumed: self._switched,
            events.OrderEscalationVoided: self._voided,
            events.ChatEscalationVoided: self._voided,
        }

    def take(self, event: events.AnyEvent, time: int, key: str, value: bytes) -> bool:
        """Takes one event under its record key. False: it is a repeat and changes nothing."""
        taker = self._takers[type(event)]
        case = self.cases.get(key)
        if case is None:
            case = self.cases[key] = Case(key)
        place = (time, event.event_id, sha256(value).digest(), event.shop_id)  # type: ignore[union-attr]
        if not taker(case, event, place):
            return False
        self._judge(case)
        self._count(case)
        return True

    def link(self, order_id: str, episode: str, opened: int | None, closed: int | None) -> None:
        """A shipment of the order stalled (`opened`), or the stall ended (`closed`). Microseconds."""
        case = self.cases.get(order_id)
        if case is None:
            return
        if opened is not None:
            case.stalls[episode] = (opened, None)
        elif closed is not None and episode in case.stalls:
            case.stalls[episode] = (case.stalls[episode][0], closed)
        else:
            return
        self._count(case)

    def advance(self, own: Horizon, counts: Horizon) -> None:
        """Judges what is due: alerts up to `own`, what the shops count up to `counts`."""
        self.own, self.counts = own, counts
        for moment, key in list(self._due.pop(own.settled)):
            if self._due_at.get(key) == moment:
                del self._due_at[key]
                self._judge(self.cases[key])
        for moment, key in list(self._count_due.pop(counts.settled)):
            if self._count_due_at.get(key) == moment:
                del self._count_due_at[key]
                self._count(self.cases[key])

    def rebuild(self, cases: dict[str, Case], own: Horizon, counts: Horizon) -> None:
        """Takes over a restored state, as it was at those horizons; what is due when is found anew."""
        self.cases, self.own, self.counts = cases, own, counts
        for key in cases:
            self._schedule(self._due, self._due_at, key, BEGINNING)
            self._schedule(self._count_due, self._count_due_at, key, BEGINNING)

    def _judge(self, case: Case) -> None:
        expected = orders.expected(case.key, case.order, self.policy)
        for ticket_id, ticket in case.tickets.items():
            expected += tickets.expected(case.key, ticket_id, ticket, self.policy)
        asked = aftersales.requests(case.refunds, case.disputes, case.complaints, case.tickets)
        expected += aftersales.expected(case.key, case.order, asked, self.policy)
        expected += rights.expected(case.key, case.order, case.refunds, case.disputes, self.policy)
        for conversation_id, conversation in case.conversations.items():
            new = conversations.new_messages(conversation.messages, self.policy)
            expected += conversations.expected(case.key, conversation_id, new, self.policy)
        self.alerts += reconcile(expected, case.emitted, self.own.watermark, self.own.settled)
        self.changed.add(case.key)
        self._schedule(self._due, self._due_at, case.key, next_moment(expected, self.own.watermark, self.own.settled))

    def _count(self, case: Case) -> None:
        now, later = counting.difference(case, self.counts.watermark, self.counts.settled, self.policy)
        self.deltas += now
        self.changed.add(case.key)
        self._schedule(self._count_due, self._count_due_at, case.key, later)
        if case.conversations:
            now, later = counting.topics(case, self.counts.settled, self.policy)
            self.deltas += now
            self._schedule(self._count_due, self._count_due_at, case.key, later)
            settled = min(self.own.settled, self.counts.settled)
            for conversation in case.conversations.values():
                conversation.forget(settled, self.policy)

    @staticmethod
    def _schedule(index: DueIndex[str], due_at: dict[str, int], key: str, moment: int | None) -> None:
        if moment is not None:
            known = due_at.get(key)
            # An entry that is too early finds nothing and looks again: cheaper than taking it out.
            if known is None or moment < known:
                due_at[key] = moment
                index.put(moment, key)

    # One method per event: puts its fact where it belongs; False where nothing changed.

    def _keep(self, holder: Any, field: str, fact: SomeFact) -> bool:
        known = getattr(holder, field)
        held = first(fact, known, self.own.settled)
        setattr(holder, field, held)
        return held is not known

    def _keep_under(self, facts: dict[str, Any], identity: str, fact: Fact) -> bool:
        known = facts.get(identity)
        if not takes_its_place(fact, known, self.own.settled):
            return False
        facts[identity] = fact
        return True

    def _placed(self, case: Case, event: events.OrderPlaced, place: Place) -> bool:
        items = tuple((item.item_id, item.category_id) for item in event.items)
        fact = Placed(
            **_placed_at(place),
            items=items,
            ship_to_region=event.ship_to_region,
            commitment_days=None if event.commitment_days is None else min(event.commitment_days, _FOR_EVER),
        )
        if not self._keep(case.order, "placed", fact):
            return False
        for parcel in case.order.shipped:
            self.registrations.append(
                ("placed", parcel.carrier, parcel.tracking_no, case.key, fact.time, fact.ship_to_region)
            )
        return True

    def _paid(self, case: Case, event: events.OrderPaid, place: Place) -> bool:
        ship_by = parse(event.ship_by) if event.ship_by is not None else None
        return self._keep(case.order, "paid", Paid(**_placed_at(place), ship_by=ship_by))

    def _shipped(self, case: Case, event: events.OrderShipped, place: Place) -> bool:
        fact = Shipped(
            **_placed_at(place),
            carrier=event.carrier,
            tracking_no=event.tracking_no,
            from_region=event.from_region,
            to_region=event.to_region,
        )
        known = next(
            (
                parcel
                for parcel in case.order.shipped
                if parcel.tracking_no == event.tracking_no and parcel.carrier == event.carrier
            ),
            None,
        )
        if not takes_its_place(fact, known, self.own.settled):
            return False
        if known is not None:
            case.order.shipped.remove(known)
        case.order.shipped.append(fact)
        placed = case.order.placed
        self.registrations.append(
            (
                "shipped",
                event.carrier,
                event.tracking_no,
                fact.time,
                fact.event_id,
                fact.digest,
                case.key,
                fact.shop_id,
                event.from_region,
                event.to_region,
                placed.time if placed else None,
                placed.ship_to_region if placed else None,
            )
        )
        return True

    def _completed(self, case: Case, _: events.OrderCompleted, place: Place) -> bool:
        return self._keep(case.order, "completed", Fact(**_placed_at(place)))

    def _cancelled(self, case: Case, _: events.OrderCancelled, place: Place) -> bool:
        return self._keep(case.order, "cancelled", Fact(**_placed_at(place)))

    def _requested(self, case: Case, event: events.RefundRequested, place: Place) -> bool:
        fact = Requested(**_placed_at(place), kind=event.kind, reason=reason_code(event.reason), item_id=event.item_id)
        return self._keep(self._refund(case, event.refund_id), "requested", fact)

    def _rejected(self, case: Case, event: events.RefundRejected, place: Place) -> bool:
        return self._keep(self._refund(case, event.refund_id), "rejected", Fact(**_placed_at(place)))

    def _settled(self, case: Case, event: events.RefundSettled, place: Place) -> bool:
        return self._keep(self._refund(case, event.refund_id), "settled", Fact(**_placed_at(place)))

    def _disputed(self, case: Case, event: events.DisputeOpened, place: Place) -> bool:
        fact = Escalation(**_placed_at(place), order_id=event.order_id, item_id=event.item_id)
        return self._keep_under(case.disputes, event.dispute_id, fact)

    def _complained(self, case: Case, event: events.ComplaintFiled, place: Place) -> bool:
        fact = Escalation(**_placed_at(place), order_id=event.order_id, item_id=event.item_id)
        return self._keep_under(case.complaints, event.complaint_id, fact)

    def _intervened(self, case: Case, event: events.InterventionRequested, place: Place) -> bool:
        fact = Intervention(
            **_placed_at(place),
            intervention_id=event.intervention_id,
            conversation_id=event.conversation_id,
            order_id=event.order_id,
            item_id=event.item_id,
        )
        return self._keep_under(case.requests, event.intervention_id, fact)

    def _said(self, case: Case, event: events.ChatMessage, place: Place) -> bool:
        buyers = event.sender == "buyer"
        message = Message(
            **_placed_at(place),
            side="buyer" if buyers else "merchant" if event.sender == "merchant" else "other",
            order_id=event.order_id,
            topic=topic_of(event.text, self.policy.conversations.topics) if buyers else None,
            asks=buyers and asks_for_staff(event.text, self.policy.interventions),
        )
        conversation = case.conversations.setdefault(event.conversation_id, Conversation())
        if not conversation.add(message, min(self.own.settled, self.counts.settled)):
            return False
        identity = f"{event.conversation_id}:{event.event_id}"
        known = case.messages.pop(identity, None)
        asked = conversations.asked(event.conversation_id, event.event_id, known, conversation.messages, self.policy)
        if asked is not None:
            case.messages[identity] = asked
        return True

    def _opened(self, case: Case, event: events.TicketOpened, place: Place) -> bool:
        fact = Opened(
            **_placed_at(place),
            kind=event.kind,
            respond_by=parse(event.respond_by) if event.respond_by is not None else None,
            order_id=event.order_id,
        )
        return self._keep(self._ticket(case, event.ticket_id), "opened", fact)

    def _responded(self, case: Case, event: events.TicketResponded, place: Place) -> bool:
        return self._keep(self._ticket(case, event.ticket_id), "responded", Fact(**_placed_at(place)))

    def _switched(self, case: Case, event: events.TicketPaused | events.TicketResumed, place: Place) -> bool:
        switch = Switch(place[0], place[1], place[2], type(event) is events.TicketPaused)
        return self._ticket(case, event.ticket_id).add_switch(switch)

    def _voided(
        self, case: Case, event: events.OrderEscalationVoided | events.ChatEscalationVoided, place: Place
    ) -> bool:
        identity = f"{event.escalation}/{event.escalation_id}"
        known = case.voidings.get(identity)
        if known is not None and known <= place[0]:
            return False
        case.voidings[identity] = place[0]
        return True

    @staticmethod
    def _refund(case: Case, refund_id: str) -> Refund:
        refund = case.refunds.get(refund_id)
        if refund is None:
            refund = case.refunds[refund_id] = Refund()
        return refund

    @staticmethod
    def _ticket(case: Case, ticket_id: str) -> Ticket:
        ticket = case.tickets.get(ticket_id)
        if ticket is None:
            ticket = case.tickets[ticket_id] = Ticket()
        return ticket


#: An event's time, event id, SHA-256 and shop.
Place = tuple[int, str, bytes, str]


def _placed_at(place: Place) -> dict[str, Any]:
    return {"time": place[0], "event_id": place[1], "digest": place[2], "shop_id": place[3]}
